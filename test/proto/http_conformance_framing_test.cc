#include "../support/http_conformance.h"

namespace eddy {
namespace {

using namespace std::string_literals;

using HTTPFraming = HTTPConformance;

TEST_P(HTTPFraming, Row) { check(GetParam()); }

std::string with(const std::string& request_line, const std::string& fields,
                 const std::string& body) {
  return http_request(request_line, "Host: a\r\n" + fields) + body;
}

const HTTPRow kLengths[] = {
    {"9112 6.3", post(""), "200 POST /"},
    {"9112 6.3", post("Content-Length: 0\r\n"), "200 POST /"},
    {"9112 6.2", post("Content-Length: 3\r\n", "abc"), "200 POST / 'abc'"},
    {"9112 6.2", post("content-length:3\r\n", "abc"), "200 POST / 'abc'"},
    {"9112 6.2", post("Content-Length:\t 3 \t\r\n", "abc"), "200 POST / 'abc'"},
    {"9110 8.6", post("Content-Length: 00\r\n"), "200 POST /"},
    {"9110 8.6", post("Content-Length: 003\r\n", "abc"), "200 POST / 'abc'"},
    {"9110 8.6", post("Content-Length: 000000000000000000000000000003\r\n", "abc"),
     "200 POST / 'abc'"},
    {"9112 6.2", post("Content-Length: 4\r\n", "\r\n\r\n"), "200 POST / '\r\n\r\n'"},
    {"9112 6.2", post("Content-Length: 18\r\n", "GET / HTTP/1.1\r\n\r\n"),
     "200 POST / 'GET / HTTP/1.1\r\n\r\n'"},
    {"9112 6.2", post("Content-Length: 3\r\n", "abc\r\n"), "200 POST / 'abc'"},
    {"9112 6.2", post("Content-Length: 1\r\n", "a "), "200 POST / 'a'; 400 close"},
    {"9112 6.3", post("Content-Length: 0\r\n", " "), "200 POST /; 400 close"},
    {"9112 6.2", with("GET / HTTP/1.1", "Content-Length: 3\r\n", "abc"), "200 GET / 'abc'"},
    {"9112 6.2", with("HEAD / HTTP/1.1", "Content-Length: 3\r\n", "abc"), "200"},
    {"9112 6.2", with("PUT /put HTTP/1.1", "Content-Length: 3\r\n", "abc"), "200 PUT /put 'abc'"},
    {"9112 6.2", with("DELETE / HTTP/1.1", "Content-Length: 3\r\n", "abc"), "405 GET, HEAD, POST"},
    {"9112 6.2", with("OPTIONS / HTTP/1.1", "Content-Length: 3\r\n", "abc"), "405 GET, HEAD, POST"},
    {"9112 6.2", with("TRACE / HTTP/1.1", "Content-Length: 3\r\n", "abc"), "405 GET, HEAD, POST"},
    {"9112 6.2", with("BREW / HTTP/1.1", "Content-Length: 3\r\n", "abc"), "501"},
    {"9112 6.2", with("POST / HTTP/1.0", "Content-Length: 3\r\n", "abc"), "200 POST / 'abc' close"},
    {"9110 15.5.14", post("Content-Length: 1048577\r\n"), "413 close"},
    {"9110 15.5.14", post("Content-Length: 10737418240\r\n", "abc"), "413 close"},
    {"9110 15.5.14", post("Content-Length: 18446744073709551615\r\n", "abc"), "413 close"},
};
INSTANTIATE_TEST_SUITE_P(Lengths, HTTPFraming, testing::ValuesIn(kLengths));

const HTTPRow kBadLengths[] = {
    {"9112 6.3", post("Content-Length: 3\r\nContent-Length: 3\r\n", "abc"), "400 close"},
    {"9112 6.3", post("Content-Length: 3\r\nX: y\r\ncontent-length: 4\r\n", "abc"), "400 close"},
    {"9112 6.3", post("Content-Length: 0\r\nContent-Length: 3\r\n", "abc"), "400 close"},
    {"9112 6.3", post("Content-Length:\r\nContent-Length: 3\r\n", "abc"), "400 close"},
    {"9112 6.3", post("Content-Length: 3, 3\r\n", "abc"), "400 close"},
    {"9112 6.3", post("Content-Length: 3,4\r\n", "abc"), "400 close"},
    {"9112 6.3", post("Content-Length: 3,\r\n", "abc"), "400 close"},
    {"9112 6.3", post("Content-Length: ,3\r\n", "abc"), "400 close"},
    {"9112 6.3", post("Content-Length: 3;\r\n", "abc"), "400 close"},
    {"9110 8.6", post("Content-Length:\r\n", "abc"), "400 close"},
    {"9110 8.6", post("Content-Length: \r\n"), "400 close"},
    {"9110 8.6", post("Content-Length: +3\r\n", "abc"), "400 close"},
    {"9110 8.6", post("Content-Length: -3\r\n", "abc"), "400 close"},
    {"9110 8.6", post("Content-Length: -0\r\n"), "400 close"},
    {"9110 8.6", post("Content-Length: 0x3\r\n", "abc"), "400 close"},
    {"9110 8.6", post("Content-Length: 0o3\r\n", "abc"), "400 close"},
    {"9110 8.6", post("Content-Length: 1_0\r\n", "0123456789"), "400 close"},
    {"9110 8.6", post("Content-Length: 1 0\r\n", "0123456789"), "400 close"},
    {"9110 8.6", post("Content-Length: 3.0\r\n", "abc"), "400 close"},
    {"9110 8.6", post("Content-Length: 3e0\r\n", "abc"), "400 close"},
    {"9110 8.6", post("Content-Length: a\r\n", "0123456789"), "400 close"},
    {"9110 8.6", post("Content-Length: \"3\"\r\n", "abc"), "400 close"},
    {"9110 8.6", post("Content-Length: 3\0\r\n"s, "abc"), "400 close"},
    {"9110 8.6", post("Content-Length: \v3\r\n", "abc"), "400 close"},
    {"9110 8.6", post("Content-Length: \xd9\xa3\r\n", "abc"), "400 close"},
    {"9110 8.6", post("Content-Length: 18446744073709551619\r\n", "abc"), "400 close"},
    {"9110 8.6", post("Content-Length: 99999999999999999999\r\n", "abc"), "400 close"},
    {"9112 5.1", post("Content-Length : 3\r\n", "abc"), "400 close"},
    {"9112 5.2", post("Content-Length:\r\n 3\r\n", "abc"), "400 close"},
    {"9112 5.2", post("Content-Length: 1\r\n 0\r\n", "0123456789"), "400 close"},
};
INSTANTIATE_TEST_SUITE_P(BadLengths, HTTPFraming, testing::ValuesIn(kBadLengths));

const std::string kBody = "3\r\nabc\r\n0\r\n\r\n";

const HTTPRow kEncodings[] = {
    {"9112 6.1", post("Transfer-Encoding: chunked\r\n", kBody), "200 POST / 'abc'"},
    {"9112 7", post("Transfer-Encoding: Chunked\r\n", kBody), "200 POST / 'abc'"},
    {"9112 7", post("transfer-encoding:CHUNKED\r\n", kBody), "200 POST / 'abc'"},
    {"9112 5.1", post("Transfer-Encoding: \tchunked \t\r\n", kBody), "200 POST / 'abc'"},
    {"9112 6.1", with("GET / HTTP/1.1", "Transfer-Encoding: chunked\r\n", kBody),
     "200 GET / 'abc'"},
    {"9112 6.1", with("HEAD / HTTP/1.1", "Transfer-Encoding: chunked\r\n", kBody), "200"},
    {"9112 6.1", with("PUT /put HTTP/1.1", "Transfer-Encoding: chunked\r\n", kBody),
     "200 PUT /put 'abc'"},
    {"9112 6.1", with("BREW / HTTP/1.1", "Transfer-Encoding: chunked\r\n", kBody), "501"},
    {"9112 6.1", post("Transfer-Encoding: gzip, chunked\r\n", kBody), "501 close"},
    {"9112 6.1", post("Transfer-Encoding: gzip,chunked\r\n", kBody), "501 close"},
    {"9112 6.1", post("Transfer-Encoding: x;y=z, chunked\r\n", kBody), "501 close"},
    {"9112 6.3", post("Transfer-Encoding: gzip\r\n", kBody), "400 close"},
    {"9112 6.3", post("Transfer-Encoding: chunked, gzip\r\n", kBody), "400 close"},
    {"9112 6.3", post("Transfer-Encoding: identity\r\n", kBody), "400 close"},
    {"9112 6.3", post("Transfer-Encoding: chunked, identity\r\n", kBody), "400 close"},
    {"9112 6.3", post("Transfer-Encoding: xchunked\r\n", kBody), "400 close"},
    {"9112 6.3", post("Transfer-Encoding: chunkedx\r\n", kBody), "400 close"},
    {"9112 6.3", post("Transfer-Encoding: chunk\r\n", kBody), "400 close"},
    {"9112 6.3", post("Transfer-Encoding: chunked;q=1\r\n", kBody), "400 close"},
    {"9112 6.3", post("Transfer-Encoding: \"chunked\"\r\n", kBody), "400 close"},
    {"9112 6.3", post("Transfer-Encoding: chunked chunked\r\n", kBody), "400 close"},
    {"9112 6.3", post("Transfer-Encoding: gzip chunked\r\n", kBody), "400 close"},
    {"9112 7.1", post("Transfer-Encoding: chunked, chunked\r\n", kBody), "400 close"},
    {"9112 6.3", post("Transfer-Encoding: chunked,\r\n", kBody), "400 close"},
    {"9112 6.3", post("Transfer-Encoding: , chunked\r\n", kBody), "400 close"},
    {"9112 6.3", post("Transfer-Encoding:\r\n", kBody), "400 close"},
    {"9112 6.3", post("Transfer-Encoding: ,\r\n", kBody), "400 close"},
    {"9112 6.3", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", kBody),
     "400 close"},
    {"9112 6.3", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", kBody),
     "400 close"},
    {"9112 6.3", post("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n", kBody),
     "400 close"},
    {"9112 6.3", post("Transfer-Encoding:\r\nTransfer-Encoding: chunked\r\n", kBody), "400 close"},
    {"9112 5.1", post("Transfer-Encoding : chunked\r\n", kBody), "400 close"},
    {"9112 5.2", post("Transfer-Encoding:\r\n chunked\r\n", kBody), "400 close"},
    {"9112 2.2", post("Transfer-Encoding: chunked\r\r\n", kBody), "400 close"},
    {"9112 2.2", post("X: y\rTransfer-Encoding: chunked\r\n", kBody), "400 close"},
    {"9110 5.5", post("Transfer-Encoding: \vchunked\r\n", kBody), "400 close"},
    {"9110 5.5", post("Transfer-Encoding: \fchunked\r\n", kBody), "400 close"},
    {"9110 5.5", post("Transfer-Encoding: chunked\0\r\n"s, kBody), "400 close"},
    {"9112 6.3",
     post("Transfer-Encoding: \xef\xbb\xbf"
          "chunked\r\n",
          kBody),
     "400 close"},
    {"9112 6.1", with("POST / HTTP/1.0", "Transfer-Encoding: chunked\r\n", kBody), "400 close"},
    {"9112 6.1", with("GET / HTTP/1.0", "Transfer-Encoding: identity\r\n", ""), "400 close"},
    {"9112 6.1",
     with("POST / HTTP/1.0", "Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n", kBody),
     "400 close"},
};
INSTANTIATE_TEST_SUITE_P(Encodings, HTTPFraming, testing::ValuesIn(kEncodings));

const HTTPRow kBoth[] = {
    {"9112 6.1", post("Content-Length: 13\r\nTransfer-Encoding: chunked\r\n", kBody), "400 close"},
    {"9112 6.1", post("Transfer-Encoding: chunked\r\nContent-Length: 13\r\n", kBody), "400 close"},
    {"9112 6.1", post("Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\nX"),
     "400 close"},
    {"9112 6.1", post("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", kBody), "400 close"},
    {"9112 6.1", post("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", kBody), "400 close"},
    {"9112 6.1", post("Content-Length: x\r\nTransfer-Encoding: chunked\r\n", kBody), "400 close"},
    {"9112 6.1", post("Content-Length: 13\r\nTransfer-Encoding: xchunked\r\n", kBody), "400 close"},
    {"9112 6.1", post("Content-Length: 13\r\nTransfer-Encoding: identity\r\n", kBody), "400 close"},
    {"9112 6.1", post("Content-Length: 13\r\nTransfer-Encoding:\r\n", kBody), "400 close"},
    {"9112 6.1", post("Content-Length: 13\r\nTransfer-Encoding: , chunked\r\n", kBody),
     "400 close"},
    {"9112 6.1", post("Content-Length: 13\r\nTransfer-Encoding: gzip, chunked\r\n", kBody),
     "400 close"},
    {"9112 6.1",
     with("POST / HTTP/1.0", "Content-Length: 13\r\nTransfer-Encoding: chunked\r\n", kBody),
     "400 close"},
};
INSTANTIATE_TEST_SUITE_P(Both, HTTPFraming, testing::ValuesIn(kBoth));

}  // namespace
}  // namespace eddy
