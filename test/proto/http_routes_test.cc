#include <gtest/gtest.h>

#include <map>
#include <stdexcept>
#include <string>
#include <utility>

#include <eddy/loop/await.h>
#include <eddy/loop/run_sync.h>
#include <eddy/proto/http_routes.h>

#include "../support/log_capture.h"

namespace eddy {
namespace {

class NoBody : public HTTPBodyReader {
 public:
  Future<std::string> read() override { return make_ready_future(std::string()); }
  void set_max_size(std::uint64_t) override {}
  void set_timeout(Duration) override {}
};

class HTTPRoutesTest : public testing::Test {
 protected:
  HTTPResponse ask(const std::string& method, const std::string& target) {
    HTTPRequest request;
    request.method = method;
    request.target = target;
    return loop.run_sync([&] { return routes.handle(request, body); });
  }
  std::string get(const std::string& target) {
    const HTTPResponse response = ask("GET", target);
    return std::to_string(response.status) + ' ' + response.body;
  }
  static HTTPResponse say(const HTTPRequest&) { return "said"; }

  IOLoop loop;
  LogCapture log;
  HTTPRoutes routes;
  NoBody body;
};

TEST_F(HTTPRoutesTest, TheWholePathMustFitWithoutTheQuery) {
  routes.get("/index/", say);
  EXPECT_EQ(get("/index/"), "200 said");
  EXPECT_EQ(get("/index/?a=/b"), "200 said");
  EXPECT_EQ(get("/index"), "404 404 Not Found");
  EXPECT_EQ(get("/index/x"), "404 404 Not Found");
  EXPECT_EQ(get("/x/index/"), "404 404 Not Found");
}

TEST_F(HTTPRoutesTest, TheFirstThatFitsAnswers) {
  routes.get("/a.*", [](const HTTPRequest&) { return HTTPResponse("first"); });
  routes.get("/ab", [](const HTTPRequest&) { return HTTPResponse("second"); });
  EXPECT_EQ(get("/ab"), "200 first");
}

TEST_F(HTTPRoutesTest, WhatGroupsCaptureIsDecodedAndBecomesArguments) {
  routes.get("/(\\w+)/(.*)",
             [](const HTTPRequest&, const std::string& one, const std::string& other) {
               return HTTPResponse(one + ", " + other);
             });
  EXPECT_EQ(get("/a/b%2Fc%20%C3%A9"), "200 a, b/c \xc3\xa9");
  EXPECT_EQ(get("/a/"), "200 a, ");
  for (const char* bad : {"/a/%", "/a/%4", "/a/%zz", "/a/%00", "/a/%c0%af", "/a/%ed%a0%80",
                          "/a/%ff", "/a/%f5%80%80%80", "/a/%+1"})
    EXPECT_EQ(get(bad), "400 400 Bad Request") << bad;
}

TEST_F(HTTPRoutesTest, AnotherMethodIsToldWhichThereAre) {
  routes.get("/a", say);
  routes.post("/(a)",
              [](const HTTPRequest&, const std::string&) { return HTTPResponse("posted"); });
  routes.add("PURGE", "/b", say);
  EXPECT_EQ(ask("POST", "/a").body, "posted");
  EXPECT_EQ(ask("HEAD", "/a").status, 200);
  const HTTPResponse refusal = ask("DELETE", "/a");
  EXPECT_EQ(refusal.status, 405);
  EXPECT_EQ(refusal.headers.get("Allow"), "GET, HEAD, POST");
  EXPECT_EQ(ask("PURGE", "/b").status, 200);
  EXPECT_EQ(ask("get", "/a").status, 501) << "case matters";
  EXPECT_EQ(ask("BREW", "/a").status, 501);
  EXPECT_EQ(ask("DELETE", "/c").status, 404);
}

Future<HTTPResponse> asked_twice(const HTTPRequest& request, Future<> first, Future<> second) {
  co_await first;
  co_await second;
  co_return std::string(request.query());
}

TEST_F(HTTPRoutesTest, AHandlerMayAnswerLaterAndWaitAsOftenAsItLikes) {
  Promise<> first;
  Promise<> second;
  routes.get("/slow", [&](const HTTPRequest& request) {
    return asked_twice(request, first.future(), second.future());
  });
  HTTPRequest request;
  request.method = "GET";
  request.target = "/slow?mine";
  const Future<HTTPResponse> answer = routes.handle(request, body);
  first.set_result();
  for (int turns = 0; turns < 5; ++turns) loop.turn(Duration::zero());
  EXPECT_FALSE(answer.done());
  second.set_result();
  for (int turns = 0; turns < 5; ++turns) loop.turn(Duration::zero());
  ASSERT_TRUE(answer.done());
  EXPECT_EQ(answer.result().body, "mine");
}

TEST_F(HTTPRoutesTest, APendingAnswerIsFulfilledByAnotherRequestWithWhatWasParked) {
  struct Parked {
    std::string query;
    Promise<HTTPResponse> answer;
  };
  std::vector<Parked> parked;
  routes.get("/req/", [&](const HTTPRequest& request) {
    parked.push_back({std::string(request.query()), Promise<HTTPResponse>("a release")});
    return parked.back().answer.future();
  });
  routes.get("/stop/", [&](const HTTPRequest&) {
    for (Parked& one : parked) one.answer.set_result("done: " + one.query);
    return HTTPResponse("stop");
  });
  HTTPRequest request;
  request.method = "GET";
  request.target = "/req/?first";
  const Future<HTTPResponse> answer = routes.handle(request, body);
  EXPECT_EQ(get("/stop/"), "200 stop");
  loop.turn(Duration::zero());
  ASSERT_TRUE(answer.done());
  EXPECT_EQ(answer.result().body, "done: first");
}

TEST_F(HTTPRoutesTest, AHandlerEndsWhenNobodyHoldsItsAnswer) {
  Promise<HTTPResponse> never;
  routes.get("/", [&](const HTTPRequest&) { return never.future(); });
  HTTPRequest request;
  request.method = "GET";
  request.target = "/";
  { const Future<HTTPResponse> dropped = routes.handle(request, body); }
  EXPECT_TRUE(never.state()->abandoned());
}

TEST_F(HTTPRoutesTest, AFailureIsAnAnswerAndALineInTheLog) {
  routes.get("/now", [](const HTTPRequest&) -> HTTPResponse { throw std::runtime_error("oh"); });
  routes.get("/later", [](const HTTPRequest&) -> Future<HTTPResponse> {
    Promise<HTTPResponse> promise;
    Future<HTTPResponse> future = promise.future();
    promise.set_exception(std::runtime_error("no"));
    return future;
  });
  EXPECT_EQ(get("/now"), "500 500 Internal Server Error");
  EXPECT_EQ(get("/later?x"), "500 500 Internal Server Error");
  EXPECT_EQ(log.count("Exception in the handler of GET /now: oh"), 1U);
  EXPECT_EQ(log.count("Exception in the handler of GET /later: no"), 1U);
}

TEST_F(HTTPRoutesTest, APatternThatCannotBeIsRefused) {
  EXPECT_THROW(routes.get("/(", say), std::invalid_argument);
  EXPECT_THROW(routes.get("/(a)", say), std::invalid_argument) << "a group without an argument";
  EXPECT_THROW(routes.add("G T", "/", say), std::invalid_argument);
  EXPECT_EQ(get("/"), "404 404 Not Found");
}

}  // namespace
}  // namespace eddy
