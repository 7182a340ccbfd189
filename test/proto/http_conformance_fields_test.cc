#include "../support/http_conformance.h"

namespace eddy {
namespace {

using namespace std::string_literals;

using HTTPFields = HTTPConformance;

TEST_P(HTTPFields, Row) { check(GetParam()); }

std::string with(const std::string& fields) { return get("Host: a\r\n" + fields); }

const HTTPRow kValues[] = {
    {"9110 5.5", with("X: y\r\n"), "200 GET / X=y"},
    {"9110 5.5", with("X:y\r\n"), "200 GET / X=y"},
    {"9110 5.1", with("x: y\r\n"), "200 GET / X=y"},
    {"9112 5.1", with("X: \t y \t \r\n"), "200 GET / X=y"},
    {"9110 5.5", with("X: y z\r\n"), "200 GET / X=y z"},
    {"9110 5.5", with("X: y\tz\r\n"), "200 GET / X=y\tz"},
    {"9110 5.5", with("X: y  z\r\n"), "200 GET / X=y  z"},
    {"9110 5.5", with("X:\r\n"), "200 GET / X="},
    {"9110 5.5", with("X: \t\r\n"), "200 GET / X="},
    {"9110 5.5", with("X: :\r\n"), "200 GET / X=:"},
    {"9110 5.5", with("X: \"(<@,;:\\>)\"\r\n"), "200 GET / X=\"(<@,;:\\>)\""},
    {"9110 5.5", with("X: \x80\xc3\xa9\xff\r\n"), "200 GET / X=\x80\xc3\xa9\xff"},
    {"9110 5.3", with("X: y\r\nx: z\r\n"), "200 GET / X=y, z"},
    {"9110 5.3", with("X:\r\nX: z\r\n"), "200 GET / X=, z"},
    {"9110 5.5", with("X: y\0z\r\n"s), "400 close"},
    {"9110 5.5", with("X: \0\r\n"s), "400 close"},
    {"9110 5.5", with("X: y\x01\r\n"), "400 close"},
    {"9110 5.5", with("X: \x08y\r\n"), "400 close"},
    {"9110 5.5", with("X: y\vz\r\n"), "400 close"},
    {"9110 5.5", with("X: y\fz\r\n"), "400 close"},
    {"9110 5.5", with("X: y\x1bz\r\n"), "400 close"},
    {"9110 5.5", with("X: y\x1f\r\n"), "400 close"},
    {"9110 5.5", with("X: y\x7f\r\n"), "400 close"},
};
INSTANTIATE_TEST_SUITE_P(Values, HTTPFields, testing::ValuesIn(kValues));

const HTTPRow kNames[] = {
    {"9110 5.6.2", with("!#$%&'*+-.^_`|~09azAZ: y\r\n"), "200 GET /"},
    {"9110 5.1", with("Transfer_Encoding: chunked\r\n"), "200 GET /"},
    {"9110 5.1", with("Content_Length: 100\r\n"), "200 GET /"},
    {"9110 5.1", with("Content-Lengt: 100\r\n"), "200 GET /"},
    {"9112 5", with(": y\r\n"), "400 close"},
    {"9112 5", with(":\r\n"), "400 close"},
    {"9112 5", with("X\r\n"), "400 close"},
    {"9112 5", with("X y\r\n"), "400 close"},
    {"9112 5", with("=y\r\n"), "400 close"},
    {"9112 5", with("GET / HTTP/1.1\r\n"), "400 close"},
    {"9112 5.1", with("X : y\r\n"), "400 close"},
    {"9112 5.1", with("X\t: y\r\n"), "400 close"},
    {"9112 5.1", with("X :y\r\nX: z\r\n"), "400 close"},
    {"9110 5.6.2", with("X Y: z\r\n"), "400 close"},
    {"9110 5.6.2", with("X\tY: z\r\n"), "400 close"},
    {"9110 5.6.2", with("X\": y\r\n"), "400 close"},
    {"9110 5.6.2", with("X(: y\r\n"), "400 close"},
    {"9110 5.6.2", with("X): y\r\n"), "400 close"},
    {"9110 5.6.2", with("X,: y\r\n"), "400 close"},
    {"9110 5.6.2", with("X/: y\r\n"), "400 close"},
    {"9110 5.6.2", with("X;: y\r\n"), "400 close"},
    {"9110 5.6.2", with("X<: y\r\n"), "400 close"},
    {"9110 5.6.2", with("X=: y\r\n"), "400 close"},
    {"9110 5.6.2", with("X>: y\r\n"), "400 close"},
    {"9110 5.6.2", with("X?: y\r\n"), "400 close"},
    {"9110 5.6.2", with("X@: y\r\n"), "400 close"},
    {"9110 5.6.2", with("X[: y\r\n"), "400 close"},
    {"9110 5.6.2", with("X\\: y\r\n"), "400 close"},
    {"9110 5.6.2", with("X]: y\r\n"), "400 close"},
    {"9110 5.6.2", with("X{: y\r\n"), "400 close"},
    {"9110 5.6.2", with("X}: y\r\n"), "400 close"},
    {"9110 5.6.2", with("X\0: y\r\n"s), "400 close"},
    {"9110 5.6.2", with("\0X: y\r\n"s), "400 close"},
    {"9110 5.6.2", with("X\x01: y\r\n"), "400 close"},
    {"9110 5.6.2", with("X\v: y\r\n"), "400 close"},
    {"9110 5.6.2", with("X\x7f: y\r\n"), "400 close"},
    {"9110 5.6.2", with("X\xa0: y\r\n"), "400 close"},
    {"9110 5.6.2", with("X\xc3\xab: y\r\n"), "400 close"},
};
INSTANTIATE_TEST_SUITE_P(Names, HTTPFields, testing::ValuesIn(kNames));

const HTTPRow kLines[] = {
    {"9112 2.2", with("X: y\n"), "400 close"},
    {"9112 2.2", with("X: y\r"), "400 close"},
    {"9112 2.2", with("X: y\r\r\n"), "400 close"},
    {"9112 2.2", with("X: y\n\r\n"), "400 close"},
    {"9112 2.2", with("X: y\n\nGET /b HTTP/1.1\r\nHost: b\r\n"), "400 close"},
    {"9112 2.2", with("X: y\rZ: z\r\n"), "400 close"},
    {"9112 2.2", with("X: y\nZ: z\r\n"), "400 close"},
    {"9112 2.2", with("X: y\r z\r\n"), "400 close"},
    {"9112 2.2", with("X:\ry\r\n"), "400 close"},
    {"9112 2.2", with("X\r: y\r\n"), "400 close"},
    {"9112 2.2", with("X\n: y\r\n"), "400 close"},
    {"9112 2.2", "GET / HTTP/1.1\r\nHost: a\r\n\n", "400 close"},
    {"9112 2.2", "GET / HTTP/1.1\r\nHost: a\r\n\r\r\n", "400 close"},
    {"9112 2.2", "GET / HTTP/1.1\r\nHost: a\r\n\rX: y\r\n\r\n", "400 close"},
    {"9112 5.2", with("X: y\r\n z\r\n"), "400 close"},
    {"9112 5.2", with("X: y\r\n\tz\r\n"), "400 close"},
    {"9112 5.2", with("X:\r\n y\r\n"), "400 close"},
    {"9112 5.2", with("X: y\r\n \r\n"), "400 close"},
    {"9112 5.2", with("X: y\r\n \r\n z\r\n"), "400 close"},
    {"9112 5.2", with("X\r\n : y\r\n"), "400 close"},
    {"9112 2.2", "GET / HTTP/1.1\r\n X: y\r\nHost: a\r\n\r\n", "400 close"},
    {"9112 2.2", "GET / HTTP/1.1\r\n \r\nHost: a\r\n\r\n", "400 close"},
    {"9112 2.2", "GET / HTTP/1.1\r\n\tHost: a\r\n\r\n", "400 close"},
};
INSTANTIATE_TEST_SUITE_P(Lines, HTTPFields, testing::ValuesIn(kLines));

// Fields that a server without these features passes over.
const HTTPRow kIgnored[] = {
    {"9110 7.8", with("Connection: Upgrade\r\nUpgrade: websocket\r\n"), "200 GET /"},
    {"9110 7.8", with("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"), "200 GET /"},
    {"9110 7.8", with("Upgrade: a/1.0, , b\r\n"), "200 GET /"},
    {"9110 7.8", post("Connection: Upgrade\r\nUpgrade: x\r\nContent-Length: 1\r\n", "y"),
     "200 POST / 'y'"},
    {"9110 14.2", with("Range: bytes=x-y\r\n"), "200 GET /"},
    {"9110 12.5.1", with("Accept: nonsense\r\n"), "200 GET /"},
    {"9110 10.1.4", with("TE: trailers, deflate;q=0.5\r\n"), "200 GET /"},
    {"9110 6.6.2", with("Trailer: X\r\n"), "200 GET /"},
    {"9110 7.6.3", with("Via: 1.0 a, 1.1 b\r\n"), "200 GET /"},
    {"9110 7.6.2", with("Max-Forwards: 0\r\n"), "200 GET /"},
};
INSTANTIATE_TEST_SUITE_P(Ignored, HTTPFields, testing::ValuesIn(kIgnored));

}  // namespace
}  // namespace eddy
