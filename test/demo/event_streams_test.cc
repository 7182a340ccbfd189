#include "../../demo/support/event_streams.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <eddy/loop/io_loop.h>
#include <eddy/loop/platform.h>

#include "../support/fake_clock.h"
#include "../support/log_capture.h"

namespace demo {
namespace {

using eddy::Future;
using testing::ElementsAre;

class RecordingBody final : public eddy::HTTPBodyWriter {
 public:
  Future<> write(std::string_view piece) override {
    pieces.emplace_back(piece);
    return reads ? Future<>() : room_.future();
  }
  Future<> send_file(int, std::uint64_t, std::uint64_t) override { return {}; }

  void read_on() {
    reads = true;
    room_.set_result();
  }

  std::vector<std::string> pieces;
  bool reads = true;

 private:
  eddy::Promise<> room_;
};

class EventStreamsTest : public testing::Test {
 protected:
  // A page that listens while `telling` lives.
  struct Page {
    std::unique_ptr<RecordingBody> body = std::make_unique<RecordingBody>();
    eddy::HTTPResponse response;
    Future<> telling;
  };
  Page open(bool reads = true) {
    Page page;
    page.body->reads = reads;
    page.response = streams.open(eddy::HTTPRequest());
    if (page.response.stream) page.telling = page.response.stream(*page.body);
    return page;
  }
  void change() {
    ++state;
    streams.changed();
  }
  void pass(eddy::Duration time) {
    loop.call_later(time, [this] { loop.stop(); });
    loop.start();
  }

  eddy::FakeClock clock;
  eddy::ScopedPlatform installed{clock};
  eddy::IOLoop loop;
  int state = 1;
  EventStreams streams{[this] { return std::to_string(state); }};
};

TEST_F(EventStreamsTest, AreForThoseWhoAcceptThem) {
  eddy::HTTPRequest request;
  EXPECT_FALSE(EventStreams::asked_for(request));
  request.headers.set("Accept", "text/html,*/*;q=0.8");
  EXPECT_FALSE(EventStreams::asked_for(request));
  request.headers.set("Accept", "text/event-stream");
  EXPECT_TRUE(EventStreams::asked_for(request));
}

TEST_F(EventStreamsTest, TellEachPageTheStateAtOnceAndEachChange) {
  const Page first = open();
  EXPECT_EQ(first.response.headers.get("Content-Type"), "text/event-stream");
  EXPECT_THAT(first.body->pieces, ElementsAre("data: 1\n\n"));
  pass(2 * kEventPause);
  change();
  pass(2 * kEventPause);
  const Page second = open();
  change();
  pass(2 * kEventPause);
  EXPECT_THAT(first.body->pieces, ElementsAre("data: 1\n\n", "data: 2\n\n", "data: 3\n\n"));
  EXPECT_THAT(second.body->pieces, ElementsAre("data: 2\n\n", "data: 3\n\n"));
}

TEST_F(EventStreamsTest, TellOfManyQuickChangesTheLast) {
  const Page page = open();
  for (int i = 0; i < 10; ++i) {
    change();
    pass(kEventPause / 20);
  }
  pass(2 * kEventPause);
  EXPECT_THAT(page.body->pieces, ElementsAre("data: 1\n\n", "data: 11\n\n"));
}

TEST_F(EventStreamsTest, HoldNothingForAPageThatDoesNotRead) {
  const Page idle = open(false);
  const Page quick = open();
  for (int i = 0; i < 3; ++i) {
    change();
    pass(2 * kEventPause);
  }
  EXPECT_EQ(quick.body->pieces.size(), 4u);
  EXPECT_THAT(idle.body->pieces, ElementsAre("data: 1\n\n"));
  idle.body->read_on();
  pass(2 * kEventPause);
  EXPECT_THAT(idle.body->pieces, ElementsAre("data: 1\n\n", "data: 4\n\n"));
}

TEST_F(EventStreamsTest, SleepWhileNothingChanges) {
  const Page page = open();
  pass(2 * kEventPause);
  const std::size_t waits = clock.waits;
  pass(std::chrono::hours(1));
  EXPECT_LE(clock.waits - waits, 2u);
  EXPECT_EQ(page.body->pieces.size(), 1u);
}

TEST_F(EventStreamsTest, EndWithoutBeingAskedTwice) {
  const Page page = open();
  pass(2 * kEventPause);
  EXPECT_FALSE(page.telling.done());
  streams.end();
  pass(kEventPause);
  EXPECT_TRUE(page.telling.done());
  const Page late = open();
  EXPECT_TRUE(late.telling.done());
  EXPECT_THAT(late.body->pieces, ElementsAre());
}

TEST_F(EventStreamsTest, AreRefusedBeyondTheirLimitAndOpenAgainWhenOneLeaves) {
  const eddy::LogCapture log;
  std::vector<Page> pages;
  for (std::size_t i = 0; i < kMostEventStreams; ++i) pages.push_back(open());
  EXPECT_EQ(pages.back().response.status, 200);
  EXPECT_EQ(open().response.status, 503);
  EXPECT_EQ(log.count("refused, kMostEventStreams = 100"), 1u);
  pages.pop_back();
  EXPECT_EQ(open().response.status, 200);
}

}  // namespace
}  // namespace demo
