#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include <eddy/stream/close_gracefully.h>

#include "../support/stream_test.h"

namespace eddy {
namespace {

using namespace std::chrono_literals;

class CloseGracefully : public StreamTest {};

TEST_F(CloseGracefully, SendsAllThenEndsAndWaitsForThePeersEnd) {
  open_tcp();
  static_cast<void>(ours->write("goodbye"));
  const Future<> closed = close_gracefully(*ours, 10s);
  std::string got;
  run_until([&] {
    got += theirs.receive();
    return theirs.at_end();
  });
  EXPECT_EQ(got, "goodbye");
  EXPECT_FALSE(closed.done());
  theirs.end();
  finish(closed);
  EXPECT_TRUE(ours->closed());
}

TEST_F(CloseGracefully, TheLastAnswerSurvivesAPeerThatStillSends) {
  open_tcp();
  const std::string much(256 << 10, 'x');
  std::size_t sent = theirs.send(much);
  static_cast<void>(ours->write("the last answer"));
  const Future<> closed = close_gracefully(*ours, 10s);
  run_until([&] {
    sent += theirs.send(std::string_view(much).substr(sent));
    return sent == much.size();
  });
  theirs.end();
  finish(closed);
  EXPECT_EQ(theirs.receive(), "the last answer");
  EXPECT_TRUE(theirs.at_end());
  EXPECT_FALSE(theirs.was_reset());
}

TEST_F(CloseGracefully, HasOnlySoMuchPatience) {
  open();
  stall();
  const TimePoint began = platform.now();
  finish(close_gracefully(*ours, 10s));
  EXPECT_GE(platform.now() - began, 10s);
  EXPECT_LT(platform.now() - began, 12s);
  EXPECT_TRUE(ours->closed());
}

TEST_F(CloseGracefully, IsDoneAtOnceOnAClosedStream) {
  open();
  ours->close();
  finish(close_gracefully(*ours, 10s));
}

TEST_F(CloseGracefully, GivenUpItLeavesTheStreamOpen) {
  open();
  { const Future<> dropped = close_gracefully(*ours, 10s); }
  EXPECT_FALSE(ours->closed());
  EXPECT_FALSE(ours->reading());
}

TEST_F(CloseGracefully, ClosesAlsoWhenSomebodyElseIsReading) {
  open();
  Future<std::string> line = ours->read_until("\n");
  finish(close_gracefully(*ours, 10s));
  EXPECT_TRUE(ours->closed());
  EXPECT_TRUE(closed_orderly(line));
}

}  // namespace
}  // namespace eddy
