#include "../support/http_conformance.h"

namespace eddy {
namespace {

using namespace std::string_literals;

using HTTPChunks = HTTPConformance;

TEST_P(HTTPChunks, Row) { check(GetParam()); }

const std::string kLast = "\r\na\r\n0\r\n\r\n";  // behind the line of a chunk of one byte

const HTTPRow kWell[] = {
    {"9112 7.1", chunked("0\r\n\r\n"), "200 POST /"},
    {"9112 7.1", chunked("1\r\na\r\n2\r\nbc\r\n0\r\n\r\n"), "200 POST / 'abc'"},
    {"9112 7.1", chunked("a\r\n0123456789\r\n0\r\n\r\n"), "200 POST / '0123456789'"},
    {"9112 7.1", chunked("A\r\n0123456789\r\n0\r\n\r\n"), "200 POST / '0123456789'"},
    {"9112 7.1", chunked("000a\r\n0123456789\r\n0\r\n\r\n"), "200 POST / '0123456789'"},
    {"9112 7.1", chunked("0000000000000001" + kLast), "200 POST / 'a'"},
    {"9112 7.1", chunked("1\r\na\r\n0000\r\n\r\n"), "200 POST / 'a'"},
    {"9112 7.1", chunked("4\r\n\r\n\r\n\r\n0\r\n\r\n"), "200 POST / '\r\n\r\n'"},
    {"9112 7.1", chunked("7\r\n0\r\n\r\nab\r\n0\r\n\r\n"), "200 POST / '0\r\n\r\nab'"},
};
INSTANTIATE_TEST_SUITE_P(Well, HTTPChunks, testing::ValuesIn(kWell));

const HTTPRow kSizes[] = {
    {"9112 7.1", chunked("-5\r\nabcde\r\n0\r\n\r\n"), "400 close"},
    {"9112 7.1", chunked("-1" + kLast), "400 close"},
    {"9112 7.1", chunked("-0\r\n\r\n"), "400 close"},
    {"9112 7.1", chunked("+1" + kLast), "400 close"},
    {"9112 7.1", chunked("+0\r\n\r\n"), "400 close"},
    {"9112 7.1", chunked("0x1" + kLast), "400 close"},
    {"9112 7.1", chunked("0X1" + kLast), "400 close"},
    {"9112 7.1", chunked("0x0\r\n\r\n"), "400 close"},
    {"9112 7.1", chunked("1h" + kLast), "400 close"},
    {"9112 7.1", chunked("g" + kLast), "400 close"},
    {"9112 7.1", chunked("1_0\r\n0123456789abcdef\r\n0\r\n\r\n"), "400 close"},
    {"9112 7.1", chunked("1,0\r\n0123456789abcdef\r\n0\r\n\r\n"), "400 close"},
    {"9112 7.1", chunked("1.0" + kLast), "400 close"},
    {"9112 7.1", chunked("1 0" + kLast), "400 close"},
    {"9112 7.1", chunked(" 1" + kLast), "400 close"},
    {"9112 7.1", chunked("\t1" + kLast), "400 close"},
    {"9112 7.1", chunked("1 " + kLast), "400 close"},
    {"9112 7.1", chunked("1\t" + kLast), "400 close"},
    {"9112 7.1", chunked("0 \r\n\r\n"), "400 close"},
    {"9112 7.1", chunked(" 0\r\n\r\n"), "400 close"},
    {"9112 7.1", chunked("\v1" + kLast), "400 close"},
    {"9112 7.1", chunked("1\0"s + kLast), "400 close"},
    {"9112 7.1", chunked("\0"s + kLast), "400 close"},
    {"9112 7.1", chunked("\xef\xbc\x91" + kLast), "400 close"},
    {"9112 7.1", chunked(kLast), "400 close"},
    {"9112 7.1", chunked("\r\n\r\n"), "400 close"},
    {"9112 7.1", chunked("\r\n1" + kLast), "400 close"},
    {"9112 7.1", chunked("00000000000000001" + kLast), "400 close"},
    {"9112 7.1", chunked("10000000000000001" + kLast), "400 close"},
    {"9112 7.1", chunked("FFFFFFFFFFFFFFFF0" + kLast), "400 close"},
    {"9112 7.1", chunked("FFFFFFFFFFFFFFFF" + kLast), "413 close"},
    {"9112 7.1", chunked("8000000000000000" + kLast), "413 close"},
    {"9112 7.1", chunked("1\r\na\r\nffffffffffffffff\r\nb"), "413 close"},
    {"9112 7.1", chunked("100001\r\n"), "413 close"},
};
INSTANTIATE_TEST_SUITE_P(Sizes, HTTPChunks, testing::ValuesIn(kSizes));

const HTTPRow kLineEnds[] = {
    {"9112 7.1", chunked("1\na\r\n0\r\n\r\n"), "400 close"},
    {"9112 7.1", chunked("1\ra\r\n0\r\n\r\n"), "400 close"},
    {"9112 7.1", chunked("1\r\r\na\r\n0\r\n\r\n"), "400 close"},
    {"9112 7.1", chunked("1\n\r\na\r\n0\r\n\r\n"), "400 close"},
    {"9112 7.1", chunked("1\r\na\n0\r\n\r\n"), "400 close"},
    {"9112 7.1", chunked("1\r\na\r0\r\n\r\n"), "400 close"},
    {"9112 7.1", chunked("1\r\na0\r\n\r\n"), "400 close"},
    {"9112 7.1", chunked("1\r\naXX0\r\n\r\n"), "400 close"},
    {"9112 7.1", chunked("1\r\na\r\n\r\n0\r\n\r\n"), "400 close"},
    {"9112 7.1", chunked("1\r\nab\r\n0\r\n\r\n"), "400 close"},
    {"9112 7.1", chunked("2\r\na\r\n0\r\n\r\n"), "400 close"},
    {"9112 7.1", chunked("0\n\r\n"), "400 close"},
    {"9112 7.1", chunked("0\r\r\n"), "400 close"},
    {"9112 7.1", chunked("0\r\n\n"), "400 close"},
    {"9112 7.1", chunked("0\n\n"), "400 close"},
    {"9112 7.1", chunked("0\r\n\r\r\n"), "400 close"},
    {"9112 7.1", chunked("0\r\n\rX"), "400 close"},
    {"9112 7.1", chunked("0\r\n"), "400 close"},
    {"9112 7.1", chunked("0\r\n0\r\n\r\n"), "400 close"},
};
INSTANTIATE_TEST_SUITE_P(LineEnds, HTTPChunks, testing::ValuesIn(kLineEnds));

const HTTPRow kExtensions[] = {
    {"9112 7.1.1", chunked("1;b" + kLast), "200 POST / 'a'"},
    {"9112 7.1.1", chunked("1;b=c" + kLast), "200 POST / 'a'"},
    {"9112 7.1.1", chunked("1;b=c;d;e=f" + kLast), "200 POST / 'a'"},
    {"9112 7.1.1", chunked("1;b=\"c;d\"" + kLast), "200 POST / 'a'"},
    {"9112 7.1.1", chunked("1;b=\"\"" + kLast), "200 POST / 'a'"},
    {"9112 7.1.1", chunked("1;b=\"\\\"\\\\ \t\"" + kLast), "200 POST / 'a'"},
    {"9112 7.1.1", chunked("1;b=\"\xc3\xa9\"" + kLast), "200 POST / 'a'"},
    {"9112 7.1.1", chunked("1; b" + kLast), "200 POST / 'a'"},
    {"9112 7.1.1", chunked("1 ;b" + kLast), "200 POST / 'a'"},
    {"9112 7.1.1", chunked("1\t;\tb\t=\tc ; d" + kLast), "200 POST / 'a'"},
    {"9112 7.1.1", chunked("1\r\na\r\n0;b=c\r\n\r\n"), "200 POST / 'a'"},
    {"9112 7.1.1", chunked("1\r\na\r\n0 ;b\r\n\r\n"), "200 POST / 'a'"},
    {"9112 7.1.1", chunked("1;" + kLast), "400 close"},
    {"9112 7.1.1", chunked("0;\r\n\r\n"), "400 close"},
    {"9112 7.1.1", chunked("1;;b" + kLast), "400 close"},
    {"9112 7.1.1", chunked("1;b;" + kLast), "400 close"},
    {"9112 7.1.1", chunked("1;=c" + kLast), "400 close"},
    {"9112 7.1.1", chunked("1;b=" + kLast), "400 close"},
    {"9112 7.1.1", chunked("1;b=c=d" + kLast), "400 close"},
    {"9112 7.1.1", chunked("1;b c" + kLast), "400 close"},
    {"9112 7.1.1", chunked("1;b " + kLast), "400 close"},
    {"9112 7.1.1", chunked("1;b[=c" + kLast), "400 close"},
    {"9112 7.1.1", chunked("1;b=\"c" + kLast), "400 close"},
    {"9112 7.1.1", chunked("1;b=\"c\"d" + kLast), "400 close"},
    {"9112 7.1.1", chunked(R"(1;b="c\")" + kLast), "400 close"},
    {"9112 7.1.1", chunked("1;b=\"\x01\"" + kLast), "400 close"},
    {"9112 7.1.1", chunked("1;\0"s + kLast), "400 close"},
    {"9112 7.1.1", chunked("1;b\x01" + kLast), "400 close"},
    {"9112 7.1.1", chunked("1;b\x7f" + kLast), "400 close"},
    {"9112 7.1.1", chunked("1;b\xe9" + kLast), "400 close"},
    {"9112 7.1.1", chunked("1b=c;d" + kLast), "400 close"},
    {"9112 7.1.1", chunked("1,b" + kLast), "400 close"},
    {"9112 7.1.1", chunked("1;\na\r\n0\r\n\r\n"), "400 close"},
    {"9112 7.1.1", chunked("1;b\na\r\n0\r\n\r\n"), "400 close"},
    {"9112 7.1.1", chunked("1;b\ra\r\n0\r\n\r\n"), "400 close"},
    {"9112 7.1.1", chunked("1;b=\"\n\"" + kLast), "400 close"},
    {"9112 7.1.1", chunked("1;b=\"\r\n\"" + kLast), "400 close"},
    {"9112 7.1.1", chunked("0;b\n\r\n"), "400 close"},
};
INSTANTIATE_TEST_SUITE_P(Extensions, HTTPChunks, testing::ValuesIn(kExtensions));

std::string trailers(const std::string& fields) {
  return chunked("1\r\na\r\n0\r\n" + fields + "\r\n");
}

const HTTPRow kTrailers[] = {
    {"9112 7.1.2", trailers("X: y\r\n"), "200 POST / 'a'"},
    {"9112 7.1.2", trailers("X: y\r\nX:\r\n"), "200 POST / 'a'"},
    {"9112 7.1.2", trailers("X: \xc3\xa9 \r\n"), "200 POST / 'a'"},
    {"9110 6.5.1", trailers("Host: b\r\nHost: c\r\n"), "200 POST / 'a'"},
    {"9110 6.5.1", trailers("Connection: close\r\n"), "200 POST / 'a'"},
    {"9110 6.5.1", trailers("Expect: x\r\n"), "200 POST / 'a'"},
    {"9110 6.5.1", trailers("Content-Length: 50\r\n"), "400 close"},
    {"9110 6.5.1", trailers("Transfer-Encoding: chunked\r\n"), "400 close"},
    {"9112 5", trailers("X\r\n"), "400 close"},
    {"9112 5", trailers(": y\r\n"), "400 close"},
    {"9112 5.1", trailers("X : y\r\n"), "400 close"},
    {"9112 5.1", trailers(" X: y\r\n"), "400 close"},
    {"9112 5.2", trailers("X: y\r\n z\r\n"), "400 close"},
    {"9112 5.2", trailers("X: y\r\n\tz\r\n"), "400 close"},
    {"9112 2.2", trailers("X: y\n"), "400 close"},
    {"9112 2.2", trailers("X: y\r"), "400 close"},
    {"9112 2.2", trailers("X: y\nZ: z\r\n"), "400 close"},
    {"9112 2.2", trailers("X: y\rZ: z\r\n"), "400 close"},
    {"9112 2.2", trailers("X: y\r\r\n"), "400 close"},
    {"9112 2.2", chunked("0\r\nX: y\r\n\n"), "400 close"},
    {"9110 5.5", trailers("X: y\0\r\n"s), "400 close"},
    {"9110 5.5", trailers("X: y\v\r\n"), "400 close"},
    {"9110 5.6.2", trailers("X Y: z\r\n"), "400 close"},
    {"9110 5.6.2", trailers("X\xe9: y\r\n"), "400 close"},
    {"9112 7.1.2", trailers("GET / HTTP/1.1\r\n"), "400 close"},
};
INSTANTIATE_TEST_SUITE_P(Trailers, HTTPChunks, testing::ValuesIn(kTrailers));

}  // namespace
}  // namespace eddy
