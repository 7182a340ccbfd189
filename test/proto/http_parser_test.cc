#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <eddy/proto/http_parser.h>

#include "../support/http_requests.h"

namespace eddy {
namespace {

using Event = HTTPParser::Event;

// What comes of the bytes, in words: "GET /a, body 'hi', end; 400 no Host".
class Reading {
 public:
  explicit Reading(const HTTPLimits& limits = {}) : parser_(limits) {}

  void feed(std::string_view bytes) {
    const std::string copy(bytes);  // what is read beyond its end is seen by the sanitizer
    std::string_view input = copy;
    for (Event event = parser_.next(input); event != Event::none; event = parser_.next(input))
      tell(event);
    EXPECT_TRUE(input.empty());
  }
  std::string told() const { return told_ + (body_.empty() ? "" : "body '" + body_ + "'"); }
  HTTPParser& parser() { return parser_; }

 private:
  void tell(Event event) {
    if (event == Event::body) {
      EXPECT_FALSE(parser_.body().empty());
      body_ += parser_.body();
      return;
    }
    if (event == Event::request) told_ += parser_.request().method + ' ' + parser_.request().target;
    if (event == Event::end) told_ += (body_.empty() ? "" : ", body '" + body_ + "'") + ", end; ";
    if (event == Event::refused)
      told_ += std::to_string(parser_.refusal().status) + ' ' + parser_.refusal().reason;
    body_.clear();
  }

  HTTPParser parser_;
  std::string told_;
  std::string body_;
};

std::string outcome_of(std::string_view bytes, const HTTPLimits& limits = {}) {
  Reading reading(limits);
  reading.feed(bytes);
  return reading.told();
}

const std::string kHost = "Host: a\r\n";

TEST(HTTPParser, GivesARequestOfItsLineAndItsFields) {
  Reading reading;
  reading.feed(
      "GET /index/?a=1&b HTTP/1.1\r\nHost: example.org:8012\r\nX-Of: one\r\nx-of:two \r\n\r\n");
  EXPECT_EQ(reading.told(), "GET /index/?a=1&b, end; ");
  const HTTPRequest& request = reading.parser().request();
  EXPECT_EQ(request.path(), "/index/");
  EXPECT_EQ(request.query(), "a=1&b");
  EXPECT_EQ(request.headers.get("host"), "example.org:8012");
  EXPECT_EQ(request.headers.get_list("X-Of"), (std::vector<std::string_view>{"one", "two"}));
  EXPECT_TRUE(request.keep_alive);
}

TEST(HTTPParser, GivesABodyOfItsLengthAndThenTheNextRequest) {
  EXPECT_EQ(outcome_of(http_request("POST /a HTTP/1.1", kHost + "Content-Length: 5\r\n") + "hello" +
                       get(kHost)),
            "POST /a, body 'hello', end; GET /, end; ");
}

TEST(HTTPParser, PutsChunksTogether) {
  EXPECT_EQ(outcome_of(chunked("5\r\nhello\r\n1;why=\"not\"\r\n \r\nA\r\n0123456789\r\n0\r\n\r\n") +
                       get(kHost)),
            "POST /, body 'hello 0123456789', end; GET /, end; ");
}

TEST(HTTPParser, PassesTrailersOver) {
  EXPECT_EQ(outcome_of(chunked("1\r\nx\r\n000\r\nX-Sum: 1\r\nHost: b\r\n\r\n")),
            "POST /, body 'x', end; ");
}

TEST(HTTPParser, PassesEmptyLinesBeforeARequestOver) {
  EXPECT_EQ(outcome_of("\r\n\r\n" + get(kHost) + "\r\n" + get(kHost)), "GET /, end; GET /, end; ");
}

// However the bytes are cut, the same comes of them.
const std::string kSessions[] = {
    "\r\n" + get(kHost) + chunked("5;x\r\nhello\r\n0\r\nX: y\r\n\r\n") + get(kHost),
    get(kHost + "Content-Length: 3\r\n") + "abc" + line("GET  / HTTP/1.1"),
    chunked("2\r\nab\r\n2\r\ncdX\r\n"),
    get(kHost + "A: b\r\n c\r\n"),
};

TEST(HTTPParser, GivesTheSameHoweverTheBytesAreCut) {
  for (const std::string& session : kSessions) {
    const std::string expected = outcome_of(session);
    for (std::size_t cut = 0; cut <= session.size(); ++cut) {
      Reading reading;
      reading.feed(std::string_view(session).substr(0, cut));
      reading.feed(std::string_view(session).substr(cut));
      EXPECT_EQ(reading.told(), expected) << "cut at " << cut << " of " << session;
    }
    Reading one_by_one;
    for (const char byte : session) one_by_one.feed(std::string(1, byte));
    EXPECT_EQ(one_by_one.told(), expected) << session;
  }
}

TEST(HTTPParser, KnowsWhetherTheClientMeansToGoOn) {
  const auto goes_on = [](const std::string& fields, const std::string& version) {
    Reading reading;
    reading.feed(http_request("GET / HTTP/" + version, kHost + fields));
    return reading.parser().request().keep_alive;
  };
  EXPECT_TRUE(goes_on("", "1.1"));
  EXPECT_FALSE(goes_on("Connection: Close\r\n", "1.1"));
  EXPECT_FALSE(goes_on("Connection: keep-alive, close\r\n", "1.1"));
  EXPECT_FALSE(goes_on("Connection: x\r\nConnection: close\r\n", "1.1"));
  EXPECT_FALSE(goes_on("", "1.0"));
  EXPECT_TRUE(goes_on("Connection: x, Keep-Alive\r\n", "1.0"));
}

TEST(HTTPParser, KnowsWhoWaitsToBeAskedForTheBody) {
  const auto waits = [](const std::string& request) {
    Reading reading;
    reading.feed(request);
    return reading.parser().request().expects_continue;
  };
  const std::string expect = kHost + "Expect: 100-Continue\r\n";
  EXPECT_TRUE(waits(http_request("PUT / HTTP/1.1", expect + "Content-Length: 3\r\n")));
  EXPECT_TRUE(waits(http_request("PUT / HTTP/1.1", expect + "Transfer-Encoding: chunked\r\n")));
  EXPECT_FALSE(waits(http_request("PUT / HTTP/1.1", expect))) << "there is none";
  EXPECT_FALSE(waits(http_request("PUT / HTTP/1.0", expect + "Content-Length: 3\r\n")));
}

// --- What is refused: a line for each reason. http_conformance_*_test.cc have one for each case.

struct Refused {
  std::string bytes;
  std::string outcome;
};

void PrintTo(const Refused& refused, std::ostream* out) { *out << refused.bytes; }

class HTTPParserRefuses : public testing::TestWithParam<Refused> {};

TEST_P(HTTPParserRefuses, It) {
  const std::string bytes = GetParam().bytes + get(kHost);  // what is behind it is no request
  EXPECT_EQ(outcome_of(bytes), GetParam().outcome) << bytes;
  Reading one_by_one;
  for (const char byte : bytes) one_by_one.feed(std::string(1, byte));
  EXPECT_EQ(one_by_one.told(), GetParam().outcome) << "byte by byte: " << bytes;
}

const Refused kHeads[] = {
    {"GET / HTTP/1.1\nHost: a\n\n", "400 a line must end in CR LF"},
    {"GET / HTTP/1.1\rHost: a\r\n\r\n", "400 a line must end in CR LF"},
    {get(kHost + "X: y\r\n z\r\n"), "400 a line begins with a blank"},
    {line("GET  / HTTP/1.1"), "400 a malformed request"},
    {get(kHost + "X Y: z\r\n"), "400 a malformed request"},
    {get(kHost + "Connection: a b\r\n"), "400 a malformed request"},
    {line("GET / HTTP/2.0"), "505 a version other than HTTP/1.0 and 1.1"},
    {line("GET /#a HTTP/1.1"), "400 a malformed request target"},
    {line("CONNECT a:80 HTTP/1.1"), "501 CONNECT, which is for proxies"},
    {get(""), "400 no Host"},
    {get(kHost + kHost), "400 more than one Host"},
    {get("Host: a/b\r\n"), "400 a malformed Host"},
    {get(kHost + "Expect: 200-ok\r\n"), "417 an unknown expectation"},
};
INSTANTIATE_TEST_SUITE_P(Head, HTTPParserRefuses, testing::ValuesIn(kHeads));

const Refused kFramings[] = {
    {post("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n"), "400 a malformed request"},
    {post("Transfer-Encoding: gzip\r\nContent-Length: 4\r\n"),
     "400 Content-Length and Transfer-Encoding"},
    {post("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"),
     "400 more than one Transfer-Encoding"},
    {post("Transfer-Encoding: gzip, chunked\r\n"), "501 a Transfer-Encoding other than chunked"},
    {post("Transfer-Encoding: chunked, gzip\r\n"), "400 a Transfer-Encoding without an end"},
    {http_request("POST / HTTP/1.0", "Transfer-Encoding: chunked\r\n"),
     "400 Transfer-Encoding in HTTP/1.0"},
    {post("Content-Length: 4\r\nContent-Length: 4\r\n"), "400 more than one Content-Length"},
    {post("Content-Length: 4, 4\r\n"), "400 a malformed Content-Length"},
    {post("Content-Length: +4\r\n"), "400 a malformed request"},
    {post("Content-Length: 1048577\r\n"), "POST /413 max_body = 1048576"},
    {chunked("0x1\r\na\r\n0\r\n\r\n"), "POST /400 a malformed chunk"},
    {chunked("1;=\r\na\r\n0\r\n\r\n"), "POST /400 a malformed chunk"},
    {chunked("0\r\nX : y\r\n\r\n"), "POST /400 a malformed chunk"},
    {chunked("100001\r\n"), "POST /413 max_body = 1048576"},
};
INSTANTIATE_TEST_SUITE_P(Framing, HTTPParserRefuses, testing::ValuesIn(kFramings));

TEST(HTTPParserChunks, MustEndWhereTheySay) {
  EXPECT_EQ(outcome_of(chunked("1\r\nab\r\n0\r\n\r\n")), "POST /400 a malformed chunk");
  EXPECT_EQ(outcome_of(chunked("1\r\na\n0\r\n\r\n")), "POST /400 a malformed chunk");
}

// --- Limits

TEST(HTTPParserLimits, OfTheRequestLine) {
  HTTPLimits limits;
  limits.max_request_line = 20;
  EXPECT_EQ(outcome_of(line("GET /123456 HTTP/1.1"), limits), "GET /123456, end; ");
  EXPECT_EQ(outcome_of(line("GET /1234567 HTTP/1.1"), limits), "414 max_request_line = 20");
  EXPECT_EQ(outcome_of("GET /1234567890123456789", limits), "414 max_request_line = 20")
      << "its end is not waited for";
}

TEST(HTTPParserLimits, OfTheFieldsAndTheirNumber) {
  HTTPLimits limits;
  limits.max_header = 12;
  limits.max_headers = 2;
  EXPECT_EQ(outcome_of(get("Host: a\r\nA: bc\r\n"), limits), "GET /, end; ");
  EXPECT_EQ(outcome_of(get("Host: a\r\nA: bcd\r\n"), limits), "431 max_header = 12");
  EXPECT_EQ(outcome_of("GET / HTTP/1.1\r\nHost: a\r\nA: bcd", limits), "431 max_header = 12");
  EXPECT_EQ(outcome_of(get("Host:a\r\nA:\r\nB:\r\n"), limits), "431 max_headers = 2");
}

TEST(HTTPParserLimits, OfABody) {
  HTTPLimits limits;
  limits.max_body = 3;
  EXPECT_EQ(outcome_of(post("Content-Length: 3\r\n") + "abc", limits), "POST /, body 'abc', end; ");
  EXPECT_EQ(outcome_of(post("Content-Length: 4\r\n"), limits), "POST /413 max_body = 3");
  EXPECT_EQ(outcome_of(chunked("2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"), limits),
            "POST /, body 'abc', end; ");
  EXPECT_EQ(outcome_of(chunked("2\r\nab\r\n2\r\n"), limits), "POST /413 max_body = 3");
}

TEST(HTTPParserLimits, OfAChunksLineAndOfTrailers) {
  HTTPLimits limits;
  limits.max_chunk_line = 8;
  limits.max_header = 40;
  limits.max_headers = 2;
  EXPECT_EQ(outcome_of(chunked("1;abcdef\r\nx\r\n0\r\n\r\n"), limits), "POST /, body 'x', end; ");
  EXPECT_EQ(outcome_of(chunked("1;abcdefg\r\n"), limits), "POST /400 max_chunk_line = 8");
  EXPECT_EQ(outcome_of(chunked("1;abcdefghijkl"), limits), "POST /400 max_chunk_line = 8");
  EXPECT_EQ(outcome_of(chunked("1;abcdef\r"), limits), "POST /") << "its end is no part of it";
  EXPECT_EQ(outcome_of(chunked("0\r\nA:\r\nB:\r\nC:\r\n\r\n"), limits),
            "POST /431 max_headers = 2");
  EXPECT_EQ(outcome_of(chunked("0\r\nA: " + std::string(60, 'x')), limits),
            "POST /431 max_header = 40");
}

TEST(HTTPParserLimits, AMillionChunksOfAByteAreTakenInLinearTime) {
  HTTPParser parser({.max_body = 1 << 20});
  std::string chunks;
  for (int i = 0; i < 1'000'000; ++i) chunks += "1\r\nx\r\n";
  const std::string all = chunked(chunks + "0\r\n\r\n");
  std::size_t pieces = 0;
  for (std::string_view rest = all; !rest.empty();) {
    std::string_view some = rest.substr(0, 65536);
    rest.remove_prefix(some.size());
    for (Event event = parser.next(some); event != Event::none; event = parser.next(some))
      pieces += event == Event::body ? 1 : 0;
  }
  EXPECT_EQ(pieces, 1'000'000U);
}

}  // namespace
}  // namespace eddy
