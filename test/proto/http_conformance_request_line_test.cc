#include "../support/http_conformance.h"

namespace eddy {
namespace {

using namespace std::string_literals;

using HTTPRequestLine = HTTPConformance;

TEST_P(HTTPRequestLine, Row) { check(GetParam()); }

const HTTPRow kWell[] = {
    {"9112 3", line("GET / HTTP/1.1"), "200 GET /"},
    {"9112 3", line("GET /a?b=c HTTP/1.1"), "200 GET /a?b=c"},
    {"9112 2.2", "\r\n" + line("GET / HTTP/1.1"), "200 GET /"},
    {"9112 2.2", "\r\n\r\n\r\n" + line("GET / HTTP/1.1"), "200 GET /"},
};
INSTANTIATE_TEST_SUITE_P(Well, HTTPRequestLine, testing::ValuesIn(kWell));

const HTTPRow kBlanks[] = {
    {"9112 3", line("GET  / HTTP/1.1"), "400 close"},
    {"9112 3", line("GET /  HTTP/1.1"), "400 close"},
    {"9112 3", line("GET / HTTP/1.1 "), "400 close"},
    {"9112 3", line("GET / HTTP/1.1\t"), "400 close"},
    {"9112 3", line(" GET / HTTP/1.1"), "400 close"},
    {"9112 3", line("\tGET / HTTP/1.1"), "400 close"},
    {"9112 3", line("GET\t/ HTTP/1.1"), "400 close"},
    {"9112 3", line("GET /\tHTTP/1.1"), "400 close"},
    {"9112 3", line("GET\v/ HTTP/1.1"), "400 close"},
    {"9112 3", line("GET\f/ HTTP/1.1"), "400 close"},
    {"9112 3", line("GET\xa0/ HTTP/1.1"), "400 close"},
    {"9112 3", line("GET /a b HTTP/1.1"), "400 close"},
    {"9112 3", line("GET/ HTTP/1.1"), "400 close"},
    {"9112 3", line("GET /HTTP/1.1"), "400 close"},
    {"9112 3", line("GET HTTP/1.1"), "400 close"},
    {"9112 3", line("GET  HTTP/1.1"), "400 close"},
    {"9112 3", line("/ HTTP/1.1"), "400 close"},
    {"9112 3", line("GET"), "400 close"},
    {"9112 3", line("GET / HTTP/1.1 HTTP/1.1"), "400 close"},
    {"9112 3", " \r\n" + line("GET / HTTP/1.1"), "400 close"},
};
INSTANTIATE_TEST_SUITE_P(Blanks, HTTPRequestLine, testing::ValuesIn(kBlanks));

const HTTPRow kLineEnds[] = {
    {"9112 2.2", "GET / HTTP/1.1\nHost: a\n\n", "400 close"},
    {"9112 2.2", "GET / HTTP/1.1\nHost: a\r\n\r\n", "400 close"},
    {"9112 2.2", "GET / HTTP/1.1\rHost: a\r\n\r\n", "400 close"},
    {"9112 2.2", "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", "400 close"},
    {"9112 2.2", "GET / HTTP/1.1\n\rHost: a\r\n\r\n", "400 close"},
    {"9112 2.2", "\n" + line("GET / HTTP/1.1"), "400 close"},
    {"9112 2.2", "\r" + line("GET / HTTP/1.1"), "400 close"},
    {"9112 2.2", "\r\n\n" + line("GET / HTTP/1.1"), "400 close"},
    {"9112 2.2", "\r\n\r" + line("GET / HTTP/1.1"), "400 close"},
    {"9112 2.2", line("GET /a\rb HTTP/1.1"), "400 close"},
    {"9112 2.2", line("GET /a\nb HTTP/1.1"), "400 close"},
    {"9112 2.2", line("GET\r/ HTTP/1.1"), "400 close"},
};
INSTANTIATE_TEST_SUITE_P(LineEnds, HTTPRequestLine, testing::ValuesIn(kLineEnds));

const HTTPRow kMethods[] = {
    {"9110 9.1", line("get / HTTP/1.1"), "501"},
    {"9110 9.1", line("GETS / HTTP/1.1"), "501"},
    {"9110 5.6.2", line("!#$%&'*+-.^_`|~09azAZ / HTTP/1.1"), "501"},
    {"9110 5.6.2", line("G(T / HTTP/1.1"), "400 close"},
    {"9110 5.6.2", line("G)T / HTTP/1.1"), "400 close"},
    {"9110 5.6.2", line("G,T / HTTP/1.1"), "400 close"},
    {"9110 5.6.2", line("G/T / HTTP/1.1"), "400 close"},
    {"9110 5.6.2", line("G:T / HTTP/1.1"), "400 close"},
    {"9110 5.6.2", line("G;T / HTTP/1.1"), "400 close"},
    {"9110 5.6.2", line("G<T / HTTP/1.1"), "400 close"},
    {"9110 5.6.2", line("G=T / HTTP/1.1"), "400 close"},
    {"9110 5.6.2", line("G>T / HTTP/1.1"), "400 close"},
    {"9110 5.6.2", line("G?T / HTTP/1.1"), "400 close"},
    {"9110 5.6.2", line("G@T / HTTP/1.1"), "400 close"},
    {"9110 5.6.2", line("G[T / HTTP/1.1"), "400 close"},
    {"9110 5.6.2", line("G\\T / HTTP/1.1"), "400 close"},
    {"9110 5.6.2", line("G]T / HTTP/1.1"), "400 close"},
    {"9110 5.6.2", line("G{T / HTTP/1.1"), "400 close"},
    {"9110 5.6.2", line("G}T / HTTP/1.1"), "400 close"},
    {"9110 5.6.2", line("\"GET\" / HTTP/1.1"), "400 close"},
    {"9110 5.6.2", line("\0GET / HTTP/1.1"s), "400 close"},
    {"9110 5.6.2", line("G\x01T / HTTP/1.1"), "400 close"},
    {"9110 5.6.2", line("G\x7fT / HTTP/1.1"), "400 close"},
    {"9110 5.6.2", line("G\xe9T / HTTP/1.1"), "400 close"},
    {"9110 5.6.2", line("\xef\xbb\xbfGET / HTTP/1.1"), "400 close"},
    {"9110 5.6.2", line("\x16\x03\x01\x02\x01\x01\xfc\x03\x03 of TLS"), "400 close"},
};
INSTANTIATE_TEST_SUITE_P(Methods, HTTPRequestLine, testing::ValuesIn(kMethods));

const HTTPRow kVersions[] = {
    {"9112 9.3", line("GET / HTTP/1.0"), "200 GET / close"},
    {"9110 2.5", line("GET / HTTP/1.2"), "200 GET /"},
    {"9110 2.5", line("GET / HTTP/1.9"), "200 GET /"},
    {"9110 15.6.6", line("GET / HTTP/2.0"), "505 close"},
    {"9110 15.6.6", line("GET / HTTP/3.1"), "505 close"},
    {"9110 15.6.6", line("GET / HTTP/9.9"), "505 close"},
    {"9110 15.6.6", line("GET / HTTP/0.9"), "505 close"},
    {"9110 15.6.6", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505 close"},
    {"9112 2.3", line("GET /"), "400 close"},
    {"9112 2.3", line("GET / "), "400 close"},
    {"9112 2.3", line("GET / HTTP"), "400 close"},
    {"9112 2.3", line("GET / HTTP/"), "400 close"},
    {"9112 2.3", line("GET / HTTP/1"), "400 close"},
    {"9112 2.3", line("GET / HTTP/2"), "400 close"},
    {"9112 2.3", line("GET / HTTP/1."), "400 close"},
    {"9112 2.3", line("GET / HTTP/.1"), "400 close"},
    {"9112 2.3", line("GET / HTTP/11"), "400 close"},
    {"9112 2.3", line("GET / HTTP/1.10"), "400 close"},
    {"9112 2.3", line("GET / HTTP/1.01"), "400 close"},
    {"9112 2.3", line("GET / HTTP/01.1"), "400 close"},
    {"9112 2.3", line("GET / HTTP/11.1"), "400 close"},
    {"9112 2.3", line("GET / HTTP/1.1.1"), "400 close"},
    {"9112 2.3", line("GET / HTTP/1,1"), "400 close"},
    {"9112 2.3", line("GET / HTTP/+1.1"), "400 close"},
    {"9112 2.3", line("GET / HTTP/1.-1"), "400 close"},
    {"9112 2.3", line("GET / HTTP/a.b"), "400 close"},
    {"9112 2.3", line("GET / HTTP/1.1x"), "400 close"},
    {"9112 2.3", line("GET / HTTP/ 1.1"), "400 close"},
    {"9112 2.3", line("GET / HTTP /1.1"), "400 close"},
    {"9112 2.3", line("GET / http/1.1"), "400 close"},
    {"9112 2.3", line("GET / Http/1.1"), "400 close"},
    {"9112 2.3", line("GET / HTTPS/1.1"), "400 close"},
    {"9112 2.3", line("GET / XHTTP/1.1"), "400 close"},
    {"9112 2.3", line("GET / HTTP\\1.1"), "400 close"},
    {"9112 2.3", line("GET / HTTP/1.1\0"s), "400 close"},
    {"9112 2.3", line("GET / ICY/1.1"), "400 close"},
    {"9112 2.3", line("GET / HTTP/1.\xb1"), "400 close"},
};
INSTANTIATE_TEST_SUITE_P(Versions, HTTPRequestLine, testing::ValuesIn(kVersions));

}  // namespace
}  // namespace eddy
