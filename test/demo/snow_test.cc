// snow from outside: the article's session, and what the command line promises.

#include <gtest/gtest.h>
#include <signal.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "snow_server.h"

namespace eddy {
namespace {

TEST(Snow, AnswersAsTheArticleSays) {
  const Snow snow;
  EXPECT_EQ(ask(snow, "/index/", "OK"), "200 OK");
  EXPECT_EQ(ask(snow, "/home/?a=b", "home"), "200 home");
  EXPECT_EQ(ask(snow, "/stop/", "nothing is waiting"), "409 nothing is waiting");
  EXPECT_EQ(ask(snow, "/index", "404 Not Found"), "404 404 Not Found");
  Client client(snow.port());
  EXPECT_EQ(
      answer_to(client, "DELETE /index/ HTTP/1.1\r\nHost: a\r\n\r\n", "405 Method Not Allowed"),
      "405 405 Method Not Allowed");
}

TEST(Snow, ARequestWaitsUntilAnotherReleasesItAndTheRestStaysQuick) {
  Snow snow;
  Client first(snow.port());
  Client second(snow.port());
  first.send(asking("/req/"));
  EXPECT_TRUE(snow.eventually_parks(1));
  second.send(asking("/req/"));
  EXPECT_TRUE(snow.eventually_parks(2));
  EXPECT_EQ(ask(snow, "/home/", "home"), "200 home");
  EXPECT_EQ(ask(snow, "/stop/", "stop"), "200 stop");
  EXPECT_NE(first.read_until("\r\n\r\ndone"), "") << "the oldest";
  EXPECT_EQ(ask(snow, "/stop/", "stop"), "200 stop");
  EXPECT_NE(second.read_until("\r\n\r\ndone"), "");
}

TEST(Snow, WhoLeftIsNotTheOldestAnyMore) {
  Snow snow;
  Client first(snow.port());
  Client second(snow.port());
  first.send(asking("/req/"));
  EXPECT_TRUE(snow.eventually_parks(1));
  second.send(asking("/req/"));
  EXPECT_TRUE(snow.eventually_parks(2));
  first.half_close();
  EXPECT_EQ(first.read_to_end(), "");
  EXPECT_EQ(ask(snow, "/stop/", "stop"), "200 stop");
  EXPECT_NE(second.read_until("\r\n\r\ndone"), "");
}

TEST(Snow, ATimedAnswerIsATimeout) {
  const Snow snow({"--async-seconds", "0.05"});
  EXPECT_EQ(ask(snow, "/async/", "timeout"), "504 timeout");
}

TEST(Snow, AThousandThatWaitCostNoProcessor) {
  Snow snow;
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 1000; ++i) {
    clients.push_back(std::make_unique<Client>(snow.port()));
    clients.back()->send(asking("/req/"));
  }
  EXPECT_TRUE(snow.eventually_parks(1000));
  const Seconds before = snow.cpu_time();
  std::this_thread::sleep_for(Seconds(0.5));  // in which it would spin
  EXPECT_LT(snow.cpu_time() - before, Seconds(0.25));
}

TEST(Snow, SaysAtItsLimitsWhichItIs) {
  Snow snow({"--max-request-line", "30", "--max-header", "40", "--max-headers", "2", "--max-body",
             "3", "--max-parked", "1"});
  const auto refusal = [&](const std::string& request, const std::string& body) {
    Client client(snow.port());
    return answer_to(client, request, body);
  };
  EXPECT_EQ(refusal(asking("/" + std::string(30, 'x')), "414 URI Too Long"),
            "414 414 URI Too Long");
  const std::string large = "431 Request Header Fields Too Large";
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(40, 'x'), large),
            "431 " + large);
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: a\r\nX: y\r\nX: y\r\n\r\n", large), "431 " + large);
  EXPECT_EQ(
      refusal("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n", "413 Content Too Large"),
      "413 413 Content Too Large");
  Client parked(snow.port());
  parked.send(asking("/req/"));
  EXPECT_TRUE(snow.eventually_parks(1));
  EXPECT_EQ(ask(snow, "/req/", "503 Service Unavailable"), "503 503 Service Unavailable");
}

TEST(Snow, DrainsAndCutsWhatIsParked) {
  Snow snow({"--drain-timeout", "0.05"});
  Client parked(snow.port());
  parked.send(asking("/req/"));
  EXPECT_TRUE(snow.eventually_parks(1));
  snow.kill(SIGTERM);
  EXPECT_EQ(parked.read_to_end(), "");
  EXPECT_EQ(snow.wait(), 0);
  EXPECT_TRUE(snow.err().wait_for("drain timeout: cut 1 connection and 1 request\n"));
}

}  // namespace
}  // namespace eddy
