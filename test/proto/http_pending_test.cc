#include <gtest/gtest.h>

#include <string>

#include <eddy/proto/http_pending.h>

#include "http_server_test.h"

namespace eddy {
namespace {

std::string get(const std::string& path) { return "GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n"; }

class HTTPPendingTest : public HTTPServerTest {
 public:
  HTTPPendingTest() {
    routes.get("/wait", [&](const HTTPRequest& request) { return waiting.park(request); });
    routes.get("/with", [&](const HTTPRequest& request) {
      return waiting.park(request, [](const HTTPRequest& one, const std::string& word) {
        return HTTPResponse(std::string(one.query()) + ' ' + word);
      });
    });
    routes.get("/bring/(.*)", [&](const HTTPRequest&, const std::string& word) {
      return waiting.release(word) ? HTTPResponse("stop") : HTTPResponse(409, "nobody");
    });
    serve();
  }
  RawClient& park(const std::string& path) {
    const std::size_t before = server->parked();
    RawClient& client = say(get(path));
    EXPECT_TRUE(run_until_parked(before + 1));
    return client;
  }

  HTTPPending<std::string> waiting;
};

TEST_F(HTTPPendingTest, TheOneThatHasWaitedLongestIsAnswered) {
  RawClient& first = park("/wait");
  RawClient& second = park("/wait");
  EXPECT_TRUE(hears(say(get("/bring/one")), "HTTP/1.1 200 OK\r\n\r\nstop"));
  EXPECT_TRUE(hears(first, "HTTP/1.1 200 OK\r\n\r\none"));
  EXPECT_EQ(second.received(), "");
  EXPECT_EQ(waiting.release_all("two"), 1U);
  EXPECT_TRUE(hears(second, "HTTP/1.1 200 OK\r\n\r\ntwo"));
  EXPECT_TRUE(hears(say(get("/bring/x")), "HTTP/1.1 409 Conflict\r\n\r\nnobody"));
}

TEST_F(HTTPPendingTest, ItsCallbackGetsTheRequestThatWasParked) {
  RawClient& parked_client = park("/with?mine");
  say(get("/bring/word?newest"));
  EXPECT_TRUE(hears(parked_client, "HTTP/1.1 200 OK\r\n\r\nmine word"));
}

TEST_F(HTTPPendingTest, WhoLeftIsForgottenAlsoWhenOthersWaitBehindHim) {
  RawClient& first = park("/wait");
  RawClient& second = park("/wait");
  first.end();
  EXPECT_TRUE(ends(first));
  EXPECT_TRUE(waiting.release("word"));
  EXPECT_TRUE(hears(second, "HTTP/1.1 200 OK\r\n\r\nword"));
  EXPECT_FALSE(waiting.release("word"));
}

TEST_F(HTTPPendingTest, AnAnswerMayHaveItsTime) {
  routes.get("/later", [](const HTTPRequest&) { return answer_after(5s, {504, "timeout"}); });
  RawClient& client = park("/later");
  pass(4s);
  EXPECT_EQ(client.received(), "");
  pass(2s);
  EXPECT_TRUE(hears(client, "HTTP/1.1 504 Gateway Timeout\r\n\r\ntimeout"));
}

}  // namespace
}  // namespace eddy
