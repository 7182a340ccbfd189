#include <chrono>

#include "../support/http_conformance.h"

namespace eddy {
namespace {

using namespace std::chrono_literals;

using HTTPPersistence = HTTPConformance;

TEST_P(HTTPPersistence, Row) { check(GetParam()); }

std::string connection(const std::string& options, const std::string& version = "1.1") {
  return http_request("GET / HTTP/" + version, "Host: a\r\nConnection: " + options + "\r\n");
}

const HTTPRow kOptions[] = {
    {"9112 9.3", connection("keep-alive"), "200 GET /"},
    {"9112 9.3", connection("close"), "200 GET / close"},
    {"9110 7.6.1", connection("CLOSE"), "200 GET / close"},
    {"9110 7.6.1", connection("x, close"), "200 GET / close"},
    {"9110 7.6.1", connection("close,x"), "200 GET / close"},
    {"9110 7.6.1", connection("x ,\tclose\t,y"), "200 GET / close"},
    {"9112 9.3", connection("keep-alive, close"), "200 GET / close"},
    {"9112 9.3", connection("close, keep-alive"), "200 GET / close"},
    {"9110 5.3", connection("x\r\nConnection: close"), "200 GET / close"},
    {"9110 5.3", connection("close\r\nconnection: keep-alive"), "200 GET / close"},
    {"9110 5.6.1", connection(""), "200 GET /"},
    {"9110 5.6.1", connection(","), "200 GET /"},
    {"9110 5.6.1", connection(", ,close,,"), "200 GET / close"},
    {"9110 7.6.1", connection("closed"), "200 GET /"},
    {"9110 7.6.1", connection("x-close"), "200 GET /"},
    {"9110 7.6.1", connection("!#$%&'*+-.^_`|~"), "200 GET /"},
    {"9110 7.6.1", connection("Host, X"), "200 GET /"},
    {"9110 7.6.1", connection("a b"), "400 close"},
    {"9110 7.6.1", connection("\"close\""), "400 close"},
    {"9110 7.6.1", connection("close;q=1"), "400 close"},
    {"9112 9.3", connection("x", "1.0"), "200 GET / close"},
    {"9112 9.3", connection("keep-alive", "1.0"), "200 GET /"},
    {"9112 9.3", connection("Keep-Alive", "1.0"), "200 GET /"},
    {"9112 9.3", connection("x, keep-alive", "1.0"), "200 GET /"},
    {"9112 9.3", connection("keep-alive, close", "1.0"), "200 GET / close"},
    {"9112 9.3", connection("close", "1.0"), "200 GET / close"},
    {"9112 9.3", connection("keep-alive", "1.2"), "200 GET /"},
    {"9112 9.3", connection("close", "1.2"), "200 GET / close"},
    {"9112 9.6", post("Connection: close\r\nContent-Length: 3\r\n", "abc"),
     "200 POST / 'abc' close"},
    {"9112 9.6", post("Connection: close\r\nTransfer-Encoding: chunked\r\n", "1\r\na\r\n0\r\n\r\n"),
     "200 POST / 'a' close"},
    {"9112 9.6", http_request("HEAD / HTTP/1.1", "Host: a\r\nConnection: close\r\n"), "200 close"},
    {"9112 9.6", http_request("BREW / HTTP/1.1", "Host: a\r\nConnection: close\r\n"), "501 close"},
};
INSTANTIATE_TEST_SUITE_P(Options, HTTPPersistence, testing::ValuesIn(kOptions));

const HTTPRow kPipelines[] = {
    {"9112 9.6", line("GET /1 HTTP/1.1") + connection("close") + line("GET  / HTTP/1.1"),
     "200 GET /1; 200 GET / close"},
    {"9112 9.3.2", line("GET /1 HTTP/1.1") + line("GET /2 HTTP/1.1"), "200 GET /1; 200 GET /2"},
    {"9112 9.3.2", line("GET /1 HTTP/1.1") + "\r\n" + line("GET /2 HTTP/1.1"),
     "200 GET /1; 200 GET /2"},
    {"9112 9.3.2", post("Content-Length: 2\r\n", "ab") + chunked("1\r\nc\r\n0\r\n\r\n"),
     "200 POST / 'ab'; 200 POST / 'c'"},
    {"9112 2.2", post("Content-Length: 2\r\n", "ab\r\n") + line("GET /2 HTTP/1.1"),
     "200 POST / 'ab'; 200 GET /2"},
    {"9112 9.3.2", line("HEAD /1 HTTP/1.1") + line("BREW / HTTP/1.1") + line("GET /2 HTTP/1.1"),
     "200; 501; 200 GET /2"},
    {"9112 9.3.2", line("GET /1 HTTP/1.1") + line("GET  / HTTP/1.1") + line("GET /2 HTTP/1.1"),
     "200 GET /1; 400 close"},
    {"9112 9.3.2", line("GET /1 HTTP/1.1") + get("") + line("GET /2 HTTP/1.1"),
     "200 GET /1; 400 close"},
    {"9112 9.3.2", chunked("1\r\na\r\n0\r\n\r\n") + chunked("1\r\na\r\n-1\r\nb"),
     "200 POST / 'a'; 400 close"},
};
INSTANTIATE_TEST_SUITE_P(Pipelines, HTTPPersistence, testing::ValuesIn(kPipelines));

// --- Clients that do not know yet that it is over

using HTTPRefusals = HTTPConversations;

TEST_F(HTTPRefusals, AreSeenByAClientThatGoesOn) {
  serve();
  for (const std::string& request :
       {get(""), post("Content-Length: -1\r\n"), post("Content-Length: 10000000\r\n"),
        chunked("-5\r\n"), line("CONNECT a:80 HTTP/1.1"), connection("close"),
        line("GET / HTTP/1.0")}) {
    RawClient& client = say(request);
    for (int i = 0; i < 10; ++i) {
      turn_a_few_times();
      client.send(std::string(10'000, 'x'));
    }
    EXPECT_TRUE(ends(client));
    EXPECT_FALSE(client.was_reset());
    const std::string told = told_by_answers(client.received());
    EXPECT_TRUE(told.ends_with(" close") && told.find(';') == told.npos) << told;
  }
  leave();
}

// --- Requests that do not come to their end

const std::string kUnfinished[] = {
    "",
    "\r\n",
    "GET",
    "GET / HTTP/1.1\r\nHost: a\r",
    "GET / HTTP/1.1\r\nHost: a\r\n",
    post("Content-Length: 3\r\n"),
    post("Content-Length: 3\r\n", "ab"),
    post("Content-Length: 3\r\nExpect: 100-continue\r\n"),
    chunked(""),
    chunked("5"),
    chunked("5\r\nab"),
    chunked("1\r\na\r\n"),
    chunked("1\r\na\r\n0\r\n"),
    chunked("1\r\na\r\n0\r\nX: y\r\n"),
};

class HTTPUnfinished : public HTTPConversations {
 public:
  HTTPUnfinished() { serve(); }

  void say_all() {
    for (const std::string& request : kUnfinished) say(request);
    run_until_heard();
  }
};

// Nothing is answered but that the body may come: RFC 9112, section 8.
TEST_F(HTTPUnfinished, LeavesNothingWhenItsClientEndsItsSide) {
  say_all();
  for (RawClient& client : clients) {
    client.end();
    EXPECT_TRUE(ends(client));
    EXPECT_FALSE(client.was_reset());
    EXPECT_EQ(told_by_answers(client.received()).find("200"), std::string::npos);
  }
  leave();
}

TEST_F(HTTPUnfinished, LeavesNothingWhenItsClientCloses) {
  say_all();
  clients.clear();
  leave();
}

TEST_F(HTTPUnfinished, LeavesNothingWhenItsClientResets) {
  say_all();
  leave();  // by a reset each
}

TEST_F(HTTPUnfinished, IsToldSoWhenItsTimeIsUp) {
  RawClient& head = say("GET / HTTP/1.1\r\n");
  RawClient& body = say(post("Content-Length: 3\r\n", "ab"));
  RawClient& chunk = say(chunked("5\r\nab"));
  RawClient& asked = say(post("Content-Length: 3\r\nExpect: 100-continue\r\n"));
  EXPECT_TRUE(hears(asked, "100"));
  turn_a_few_times();
  pass(60s);
  EXPECT_TRUE(hears(head, "408 close"));
  EXPECT_TRUE(hears(body, "408 close"));
  EXPECT_TRUE(hears(chunk, "408 close"));
  EXPECT_TRUE(hears(asked, "100; 408 close"));
  for (RawClient& client : clients) EXPECT_TRUE(ends(client));
  leave();
}

}  // namespace
}  // namespace eddy
