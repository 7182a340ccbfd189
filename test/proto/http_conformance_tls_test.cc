#include <algorithm>

#include "../support/http_conformance.h"
#include "../support/tls_test.h"

namespace eddy {
namespace {

// The same conversations in records: a sample, for the bytes are the same once they are read.
class HTTPOverTLS : public HTTPConversations, public testing::WithParamInterface<HTTPRow> {
 public:
  HTTPOverTLS() { options.tls = TLSContext::for_server(server_options()); }

  void check_in_records_of(std::size_t size, const std::string& bytes,
                           const std::string& expected) {
    RawClient wire(address);
    TLSPeer peer = TLSPeer::client();
    std::size_t fed = 0;
    const auto exchange = [&] {
      peer.feed(wire.received().substr(fed));
      fed = wire.received().size();
      wire.send(peer.take());
    };
    ASSERT_TRUE(run_until([&] {
      exchange();
      return peer.established();
    }));
    for (std::size_t sent = 0; sent < bytes.size() && !peer.heard_goodbye(); sent += size) {
      peer.write(bytes.substr(sent, size));
      exchange();
      turn_a_few_times();
      exchange();
    }
    EXPECT_TRUE(run_until([&] {
      exchange();
      return peer.heard_goodbye() || peer.received().ends_with("GET /after");
    }));
    EXPECT_EQ(told_by_answers(peer.received()), expected);
    EXPECT_EQ(peer.heard_goodbye(), expected.ends_with("close")) << "a truncation";
    EXPECT_FALSE(wire.was_reset());
  }
};

TEST_P(HTTPOverTLS, Row) {
  serve();
  const std::string outcome = GetParam().outcome;
  const std::string bytes = GetParam().bytes + line("GET /after HTTP/1.1");
  const std::string expected = outcome.ends_with("close") ? outcome : outcome + "; 200 GET /after";
  for (const std::size_t size : {bytes.size(), bytes.size() / 2, std::size_t{1}})
    check_in_records_of(size, bytes, expected);
  leave();
}

const HTTPRow kRows[] = {
    {"9112 3", line("GET /a HTTP/1.1"), "200 GET /a"},
    {"9112 9.3.2", line("GET /1 HTTP/1.1") + line("HEAD /2 HTTP/1.1"), "200 GET /1; 200"},
    {"9112 9.3", line("GET / HTTP/1.0"), "200 GET / close"},
    {"9112 6.2", post("Content-Length: 3\r\n", "abc"), "200 POST / 'abc'"},
    {"9112 7.1", chunked("3;x\r\nabc\r\n0\r\nX: y\r\n\r\n"), "200 POST / 'abc'"},
    {"9110 10.1.1", post("Expect: 100-continue\r\nContent-Length: 1\r\n", "a"),
     "100; 200 POST / 'a'"},
    {"9110 15.5.6", line("DELETE / HTTP/1.1"), "405 GET, HEAD, POST"},
    {"9112 2.2", "GET / HTTP/1.1\nHost: a\n\n", "400 close"},
    {"9112 3.2", get(""), "400 close"},
    {"9112 6.3", post("Content-Length: 3\r\nContent-Length: 3\r\n", "abc"), "400 close"},
    {"9112 7.1", chunked("-5\r\nabc"), "400 close"},
    {"9110 15.5.14", post("Content-Length: 10737418240\r\n", "abc"), "413 close"},
    {"9110 15.6.6", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505 close"},
};
INSTANTIATE_TEST_SUITE_P(Sample, HTTPOverTLS, testing::ValuesIn(kRows));

}  // namespace
}  // namespace eddy
