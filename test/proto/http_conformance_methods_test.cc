#include "../support/http_conformance.h"

namespace eddy {
namespace {

using HTTPMethods = HTTPConformance;

TEST_P(HTTPMethods, Row) { check(GetParam()); }

const HTTPRow kMethods[] = {
    {"9110 9.3.1", line("GET /a HTTP/1.1"), "200 GET /a"},
    {"9110 9.3.2", line("HEAD /a HTTP/1.1"), "200"},
    {"9110 9.3.2", http_request("HEAD /a HTTP/1.0", ""), "200 close"},
    {"9110 9.3.3", line("POST /a HTTP/1.1"), "200 POST /a"},
    {"9110 9.3.4", line("PUT /put HTTP/1.1"), "200 PUT /put"},
    {"9110 15.5.6", line("PUT /a HTTP/1.1"), "405 GET, HEAD, POST"},
    {"9110 15.5.6", line("DELETE /a HTTP/1.1"), "405 GET, HEAD, POST"},
    {"9110 15.5.6", line("DELETE /put HTTP/1.1"), "405 PUT, GET, HEAD, POST"},
    {"9110 15.5.6", line("PATCH /a HTTP/1.1"), "405 GET, HEAD, POST"},
    {"9110 15.5.6", line("OPTIONS /a HTTP/1.1"), "405 GET, HEAD, POST"},
    {"9110 15.5.6", line("OPTIONS /* HTTP/1.1"), "405 GET, HEAD, POST"},
    {"9110 15.5.6", line("TRACE /a HTTP/1.1"), "405 GET, HEAD, POST"},
    {"9110 15.6.2", line("BREW /a HTTP/1.1"), "501"},
    {"9110 15.6.2", line("head /a HTTP/1.1"), "501"},
    {"9110 15.6.2", line("Post /a HTTP/1.1"), "501"},
    {"9110 15.6.2", http_request("BREW /a HTTP/1.0", ""), "501 close"},
};
INSTANTIATE_TEST_SUITE_P(Methods, HTTPMethods, testing::ValuesIn(kMethods));

std::string expecting(const std::string& expectation, const std::string& version = "1.1") {
  return http_request("POST / HTTP/" + version,
                      "Host: a\r\nExpect: " + expectation + "\r\nContent-Length: 3\r\n") +
         "abc";
}
const std::string kChunks = "Transfer-Encoding: chunked\r\n";

const HTTPRow kExpectations[] = {
    {"9110 10.1.1", expecting("100-continue"), "100; 200 POST / 'abc'"},
    {"9110 10.1.1", expecting("100-Continue"), "100; 200 POST / 'abc'"},
    {"9110 10.1.1", expecting(" \t100-continue\t"), "100; 200 POST / 'abc'"},
    {"9110 10.1.1", post("Expect: 100-continue\r\n" + kChunks, "1\r\na\r\n0\r\n\r\n"),
     "100; 200 POST / 'a'"},
    {"9110 10.1.1", post("Expect: 100-continue\r\n"), "200 POST /"},
    {"9110 10.1.1", post("Expect: 100-continue\r\nContent-Length: 0\r\n"), "200 POST /"},
    {"9110 10.1.1", get("Host: a\r\nExpect: 100-continue\r\n"), "200 GET /"},
    {"9110 10.1.1", expecting("100-continue", "1.0"), "200 POST / 'abc' close"},
    {"9110 10.1.1", expecting("100-continue", "1.0\r\nConnection: keep-alive"), "200 POST / 'abc'"},
    {"9110 5.6.1", expecting(",100-continue ,"), "100; 200 POST / 'abc'"},
    {"9110 5.6.1", expecting(""), "200 POST / 'abc'"},
    {"9110 5.3", expecting("\r\nExpect: 100-continue"), "100; 200 POST / 'abc'"},
    {"9110 5.3", expecting("100-continue\r\nExpect: 100-continue"), "100; 200 POST / 'abc'"},
    {"9110 10.1.1", expecting("200-ok"), "417 close"},
    {"9110 10.1.1", expecting("100-continues"), "417 close"},
    {"9110 10.1.1", expecting("100 continue"), "417 close"},
    {"9110 10.1.1", expecting("100-continue;a=b"), "417 close"},
    {"9110 10.1.1", expecting("100-continue, x"), "417 close"},
    {"9110 10.1.1", expecting("100-continue\r\nExpect: x"), "417 close"},
    {"9110 10.1.1", get("Host: a\r\nExpect: x=\"y\"\r\n"), "417 close"},
    {"9110 10.1.1", post("Expect: 100-continue\r\nContent-Length: 1048577\r\n"), "413 close"},
    {"9110 10.1.1", post("Expect: 100-continue\r\n" + kChunks, "-1\r\n"), "100; 400 close"},
};
INSTANTIATE_TEST_SUITE_P(Expectations, HTTPMethods, testing::ValuesIn(kExpectations));

}  // namespace
}  // namespace eddy
