#include <cstddef>

#include "../support/http_conformance.h"

namespace eddy {
namespace {

// What is too long to be sent cut at each of its bytes.
class HTTPSizes : public HTTPConversations {
 public:
  HTTPSizes() { serve(); }

  std::string outcome_of(const std::string& bytes) {
    RawClient& client = connect();
    for (std::size_t sent = 0; sent < bytes.size(); sent += kPiece) {
      client.send(bytes.substr(sent, kPiece));
      turn_a_few_times();
    }
    client.send(line("GET /after HTTP/1.1"));
    EXPECT_TRUE(
        run_until([&] { return client.over() || client.received().ends_with("GET /after"); }));
    EXPECT_FALSE(client.was_reset());
    std::string told = told_by_answers(client.received());
    leave();
    return told;
  }

 private:
  static constexpr std::size_t kPiece = 10'000;
};

std::string many(std::size_t number, const std::string& text) {
  std::string all;
  for (std::size_t i = 0; i < number; ++i) all += text;
  return all;
}
std::string long_of(std::size_t size) { return many(size, "x"); }
std::string with(const std::string& fields) { return get("Host: a\r\n" + fields); }

TEST_F(HTTPSizes, ARequestLineOfEightThousandBytesIsTaken) {  // RFC 9112, section 3
  EXPECT_EQ(outcome_of(line("GET /" + long_of(8000) + " HTTP/1.1")),
            "200 GET /" + long_of(8000) + "; 200 GET /after");
}

TEST_F(HTTPSizes, ALongerOneThanTheLimitIs414) {
  EXPECT_EQ(outcome_of(line("GET /" + long_of(100'000) + " HTTP/1.1")), "414 close");
  EXPECT_EQ(outcome_of(line("GET http://" + long_of(100'000) + "/ HTTP/1.1")), "414 close");
  EXPECT_EQ(outcome_of(line(long_of(100'000) + " / HTTP/1.1")), "414 close");
}

TEST_F(HTTPSizes, FieldsTooLongOrTooManyAre431) {
  EXPECT_EQ(outcome_of(with("Y: " + long_of(60'000) + "\r\n")), "200 GET /; 200 GET /after");
  EXPECT_EQ(outcome_of(with("Y: " + long_of(1'000'000) + "\r\n")), "431 close");
  EXPECT_EQ(outcome_of(with(long_of(100'000) + ": y\r\n")), "431 close");
  EXPECT_EQ(outcome_of(with(many(99, "Y: y\r\n"))), "200 GET /; 200 GET /after");
  EXPECT_EQ(outcome_of(with(many(100, "Y: y\r\n"))), "431 close");
  EXPECT_EQ(outcome_of(with(many(10'000, "Y: y\r\n"))), "431 close");
  EXPECT_EQ(outcome_of(many(10, "\r\n") + with(many(10'000, "Y:\r\n"))), "431 close");
}

TEST_F(HTTPSizes, ABodyIsTakenUpToItsLimitHoweverItIsFramed) {
  constexpr std::size_t kMost = 1 << 20;
  const std::string body = " '" + long_of(kMost) + "'; 200 GET /after";
  EXPECT_EQ(outcome_of(post("Content-Length: 1048576\r\n", long_of(kMost))), "200 POST /" + body);
  EXPECT_EQ(outcome_of(chunked("100000\r\n" + long_of(kMost) + "\r\n0\r\n\r\n")),
            "200 POST /" + body);
  EXPECT_EQ(outcome_of(chunked("ffff0\r\n" + long_of(0xffff0) + "\r\n11\r\n")), "413 close");
}

TEST_F(HTTPSizes, AHundredThousandChunksOfOneByteAreOneBody) {
  constexpr std::size_t kChunks = 100'000;
  EXPECT_EQ(outcome_of(chunked(many(kChunks, "1\r\nx\r\n") + "0\r\n\r\n")),
            "200 POST / '" + long_of(kChunks) + "'; 200 GET /after");
}

TEST_F(HTTPSizes, ExtensionsAndTrailersAreBounded) {
  EXPECT_EQ(outcome_of(chunked("1;" + long_of(1000) + "\r\na\r\n0\r\n\r\n")),
            "200 POST / 'a'; 200 GET /after");
  EXPECT_EQ(outcome_of(chunked("1;" + long_of(65'536) + "\r\na\r\n0\r\n\r\n")), "400 close");
  EXPECT_EQ(outcome_of(chunked("0;" + long_of(65'536))), "400 close");
  EXPECT_EQ(outcome_of(chunked("0\r\nX: " + long_of(100'000) + "\r\n\r\n")), "431 close");
  EXPECT_EQ(outcome_of(chunked("0\r\n" + many(101, "X: y\r\n") + "\r\n")), "431 close");
}

}  // namespace
}  // namespace eddy
