// snow's page, and what it is told; the page in a real browser is `make test-browser`.

#include "../../demo/support/snow_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "snow_server.h"

namespace eddy {
namespace {

using demo::ParkedRequests;
using testing::EndsWith;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

// What a browser does that shows the page: it listens. As HTTP/1.0, so that nothing but events
// comes.
class Page {
 public:
  explicit Page(const Snow& snow) : client_(snow.port()) {
    client_.send("GET / HTTP/1.0\r\nAccept: text/event-stream\r\n\r\n");
    head_ = client_.read_until("\r\n\r\n");
  }

  const std::string& head() const { return head_; }
  std::string next() { return client_.read_until("\n\n"); }
  std::string wait_for(const std::string& part) {  // the first that has it
    for (;;)
      if (std::string event = next(); event.find(part) != event.npos) return event;
  }
  void close() { client_.close(); }

 private:
  Client client_;
  std::string head_;
};

constexpr const char* kNothing = "\"parked\":0,";
constexpr const char* kOne = "\"parked\":1,";
constexpr const char* kTwo = "\"parked\":2,";

TEST(SnowNews, AreJSON) {
  const TimePoint now{std::chrono::hours(1)};
  ParkedRequests parked;
  EXPECT_EQ(demo::snow_news(parked, now), R"({"worker":null,"parked":0,"oldest":[]})");
  parked[7] = {"[::1]:40312", now - std::chrono::milliseconds(1500)};
  parked[9] = {"unix:#1", now};
  EXPECT_EQ(demo::snow_news(parked, now),
            R"({"worker":null,"parked":2,"oldest":[)"
            R"({"number":7,"client":"[::1]:40312","waited":1.500000},)"
            R"({"number":9,"client":"unix:#1","waited":0.000000}]})");
}

TEST(SnowNews, NoNameEndsItsString) {
  ParkedRequests parked;
  parked[1] = {"unix:@\"\\\n\x1b\xff雪", TimePoint()};
  EXPECT_THAT(demo::snow_news(parked, TimePoint()),
              HasSubstr(R"("client":"unix:@\"\\\\x0a\\x1b\\xff雪",)"));
}

TEST(SnowNews, ShowTheOldestHundred) {
  ParkedRequests parked;
  for (std::uint64_t number = 1; number <= demo::kMostShown + 1; ++number) parked[number];
  const std::string news = demo::snow_news(parked, TimePoint());
  EXPECT_THAT(news, HasSubstr("\"parked\":101,"));
  EXPECT_THAT(news, HasSubstr("\"number\":100,"));
  EXPECT_THAT(news, Not(HasSubstr("\"number\":101,")));
}

TEST(SnowPage, IsHTMLThatNeedsNothingElse) {
  const Snow snow;
  Client client(snow.port());
  client.send("GET /?a=b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const std::string head = client.read_until("\r\n\r\n");
  EXPECT_THAT(head, HasSubstr("200 OK\r\n"));
  EXPECT_THAT(head, HasSubstr("Content-Type: text/html; charset=utf-8\r\n"));
  EXPECT_THAT(head, HasSubstr("Cache-Control: no-store\r\n"));
  EXPECT_THAT(head, HasSubstr("Content-Security-Policy: default-src 'none';"));
  const std::string page = client.read_to_end();
  EXPECT_THAT(page, HasSubstr("<title>snow</title>"));
  EXPECT_THAT(page, EndsWith("</html>\n"));
  EXPECT_THAT(page, Not(HasSubstr("src=")));
  client = Client(snow.port());
  client.send("HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(client.read_to_end(),
              HasSubstr("\r\nContent-Length: " + std::to_string(page.size()) + "\r\n"));
}

TEST(SnowPage, IsToldOfWhatWaitsAndOfEachChange) {
  const Snow snow;
  Page page(snow);
  EXPECT_THAT(page.head(), HasSubstr("Content-Type: text/event-stream\r\n"));
  EXPECT_EQ(page.next(), "data: {\"worker\":null,\"parked\":0,\"oldest\":[]}\n\n");
  Client first(snow.port());
  first.send(asking("/req/"));
  EXPECT_THAT(page.next(), HasSubstr("{\"number\":1,\"client\":\"" + first.name() + "\","));
  Client second(snow.port());
  second.send(asking("/req/"));
  EXPECT_THAT(page.next(), HasSubstr("{\"number\":2,\"client\":\"" + second.name() + "\","));
  Page late(snow);
  EXPECT_THAT(late.next(), HasSubstr(kTwo));
  EXPECT_EQ(ask(snow, "/stop/", "stop"), "200 stop");
  EXPECT_THAT(page.next(), AllOf(HasSubstr(kOne), HasSubstr(second.name())));
  EXPECT_THAT(late.next(), AllOf(HasSubstr(kOne), HasSubstr(second.name())));
  second.close();
  EXPECT_THAT(page.next(), HasSubstr(kNothing));
  EXPECT_THAT(late.next(), HasSubstr(kNothing));
}

TEST(SnowPage, ThatDoesNotReadDelaysNobody) {
  const Snow snow;
  const Page idle(snow);
  Page page(snow);
  for (int i = 0; i < 3; ++i) {
    Client client(snow.port());
    client.send(asking("/req/"));
    page.wait_for(kOne);
    EXPECT_EQ(ask(snow, "/stop/", "stop"), "200 stop");
    EXPECT_NE(client.read_until("\r\n\r\ndone"), "");
    page.wait_for(kNothing);
  }
}

TEST(SnowPage, ThatIsClosedIsForgotten) {
  Snow snow;
  Page page(snow);
  page.next();
  page.close();
  EXPECT_TRUE(eventually([&] {
    snow.kill(SIGUSR1);
    return snow.err().wait_for("pending work: none", Seconds(0.1));
  }));
}

TEST(SnowPage, CostsNoProcessorWhileNothingHappens) {
  const Snow snow;
  Page page(snow);
  page.next();
  const Seconds before = snow.cpu_time();
  std::this_thread::sleep_for(Seconds(0.5));  // in which it would spin
  EXPECT_LT(snow.cpu_time() - before, Seconds(0.25));
}

TEST(SnowPage, ThatIsOpenDoesNotHoldUpTheEnd) {
  Snow snow({"--drain-timeout", "86400"});
  Client page(snow.port());
  page.send("GET / HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n");
  page.read_until("\n\n\r\n");
  snow.kill(SIGTERM);
  EXPECT_EQ(page.read_to_end(), "0\r\n\r\n");
  EXPECT_EQ(snow.wait(), 0);
}

TEST(SnowPage, SaysWhoseRequestsItShows) {
  const Snow snow({"--processes", "2"});
  Page page(snow);
  EXPECT_THAT(page.next(), MatchesRegex("data: .\"worker\":[01],\"parked\":0,.*\n\n"));
}

}  // namespace
}  // namespace eddy
