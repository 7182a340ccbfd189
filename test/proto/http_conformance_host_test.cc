#include "../support/http_conformance.h"

namespace eddy {
namespace {

using namespace std::string_literals;

using HTTPHost = HTTPConformance;

TEST_P(HTTPHost, Row) { check(GetParam()); }

const HTTPRow kWell[] = {
    {"9110 7.2", get("Host: a\r\n"), "200 GET /"},
    {"9110 7.2", get("hOsT: a\r\n"), "200 GET /"},
    {"9110 7.2", get("X: y\r\nHost:a\r\n"), "200 GET / X=y"},
    {"9110 7.2", get("Host: \t a \t \r\n"), "200 GET /"},
    {"9110 7.2", get("Host: example.org\r\n"), "200 GET /"},
    {"9110 7.2", get("Host: a:8012\r\n"), "200 GET /"},
    {"3986 3.2.3", get("Host: a:\r\n"), "200 GET /"},
    {"3986 3.2.3", get("Host: a:65535\r\n"), "200 GET /"},
    {"3986 3.2.3", get("Host: a:000080\r\n"), "200 GET /"},
    {"3986 3.2.2", get("Host: 127.0.0.1:80\r\n"), "200 GET /"},
    {"3986 3.2.2", get("Host: 999.1\r\n"), "200 GET /"},
    {"3986 3.2.2", get("Host: [::1]\r\n"), "200 GET /"},
    {"3986 3.2.2", get("Host: [::1]:80\r\n"), "200 GET /"},
    {"3986 3.2.2", get("Host: [::1]:\r\n"), "200 GET /"},
    {"3986 3.2.2", get("Host: [2001:DB8::a:127.0.0.1]:80\r\n"), "200 GET /"},
    {"3986 3.2.2", get("Host: [1:2:3:4:5:6:7:8]\r\n"), "200 GET /"},
    {"3986 3.2.2", get("Host: -._~!$&'()*+,;=\r\n"), "200 GET /"},
    {"3986 3.2.2", get("Host: a%41%c3%A9\r\n"), "200 GET /"},
    {"3986 3.2.2", get("Host: a.\r\n"), "200 GET /"},
    {"9112 3.2", http_request("GET / HTTP/1.0", ""), "200 GET / close"},
    {"9112 3.2", http_request("GET / HTTP/1.0", "Host: a\r\n"), "200 GET / close"},
};
INSTANTIATE_TEST_SUITE_P(Well, HTTPHost, testing::ValuesIn(kWell));

const HTTPRow kHowMany[] = {
    {"9112 3.2", get(""), "400 close"},
    {"9112 3.2", get("X-Host: a\r\n"), "400 close"},
    {"9112 3.2", get("Host: a\r\nHost: a\r\n"), "400 close"},
    {"9112 3.2", get("Host: a\r\nX: y\r\nhost: b\r\n"), "400 close"},
    {"9112 3.2", get("Host: a\r\nHost:\r\n"), "400 close"},
    {"9112 3.2", http_request("GET / HTTP/1.0", "Host: a\r\nHost: a\r\n"), "400 close"},
    {"9112 3.2", http_request("GET / HTTP/1.0", "Host: a b\r\n"), "400 close"},
    {"9112 3.2", get("Host : a\r\n"), "400 close"},
    {"9112 3.2", get(" Host: a\r\n"), "400 close"},
};
INSTANTIATE_TEST_SUITE_P(HowMany, HTTPHost, testing::ValuesIn(kHowMany));

const HTTPRow kMalformed[] = {
    {"9112 3.3", get("Host:\r\n"), "400 close"},
    {"9112 3.3", get("Host: \t \r\n"), "400 close"},
    {"9110 4.2.1", get("Host: :80\r\n"), "400 close"},
    {"9110 7.2", get("Host: u@a\r\n"), "400 close"},
    {"9110 7.2", get("Host: u:p@a\r\n"), "400 close"},
    {"9110 7.2", get("Host: @a\r\n"), "400 close"},
    {"9110 7.2", get("Host: a/b\r\n"), "400 close"},
    {"9110 7.2", get("Host: a/\r\n"), "400 close"},
    {"9110 7.2", get("Host: /\r\n"), "400 close"},
    {"9110 7.2", get("Host: a?b\r\n"), "400 close"},
    {"9110 7.2", get("Host: a#b\r\n"), "400 close"},
    {"9110 7.2", get("Host: http://a\r\n"), "400 close"},
    {"9110 7.2", get("Host: //a\r\n"), "400 close"},
    {"9110 7.2", get("Host: a, b\r\n"), "400 close"},
    {"9110 7.2", get("Host: a b\r\n"), "400 close"},
    {"9110 7.2", get("Host: a\tb\r\n"), "400 close"},
    {"9110 7.2", get("Host: a :80\r\n"), "400 close"},
    {"9110 7.2", get("Host: a: 80\r\n"), "400 close"},
    {"3986 3.2.2", get("Host: a\\b\r\n"), "400 close"},
    {"3986 3.2.2", get("Host: <a>\r\n"), "400 close"},
    {"3986 3.2.2", get("Host: \"a\"\r\n"), "400 close"},
    {"3986 3.2.2", get("Host: {a}\r\n"), "400 close"},
    {"3986 3.2.2", get("Host: a|b\r\n"), "400 close"},
    {"3986 3.2.2", get("Host: a^b\r\n"), "400 close"},
    {"3986 3.2.2", get("Host: a`b\r\n"), "400 close"},
    {"3986 2.1", get("Host: a%\r\n"), "400 close"},
    {"3986 2.1", get("Host: a%2\r\n"), "400 close"},
    {"3986 2.1", get("Host: a%zz\r\n"), "400 close"},
    {"3986 3.2.2", get("Host: a\xc3\xa9\r\n"), "400 close"},
    {"9110 5.5", get("Host: a\0b\r\n"s), "400 close"},
    {"9110 5.5", get("Host: a\x01\r\n"), "400 close"},
    {"9110 5.5", get("Host: a\x7f\r\n"), "400 close"},
    {"9112 5.2", get("Host: a\r\n b\r\n"), "400 close"},
};
INSTANTIATE_TEST_SUITE_P(Malformed, HTTPHost, testing::ValuesIn(kMalformed));

const HTTPRow kPortsAndAddresses[] = {
    {"3986 3.2.3", get("Host: a:b\r\n"), "400 close"},
    {"3986 3.2.3", get("Host: a:80b\r\n"), "400 close"},
    {"3986 3.2.3", get("Host: a:-1\r\n"), "400 close"},
    {"3986 3.2.3", get("Host: a:+80\r\n"), "400 close"},
    {"3986 3.2.3", get("Host: a:0x50\r\n"), "400 close"},
    {"3986 3.2.3", get("Host: a:80:80\r\n"), "400 close"},
    {"3986 3.2.3", get("Host: a::80\r\n"), "400 close"},
    {"3986 3.2.3", get("Host: a:65536\r\n"), "400 close"},
    {"3986 3.2.3", get("Host: a:99999999999999999999\r\n"), "400 close"},
    {"3986 3.2.2", get("Host: ::1\r\n"), "400 close"},
    {"3986 3.2.2", get("Host: [::1\r\n"), "400 close"},
    {"3986 3.2.2", get("Host: ::1]\r\n"), "400 close"},
    {"3986 3.2.2", get("Host: []\r\n"), "400 close"},
    {"3986 3.2.2", get("Host: [a]\r\n"), "400 close"},
    {"3986 3.2.2", get("Host: [1.2.3.4]\r\n"), "400 close"},
    {"3986 3.2.2", get("Host: [::1]a\r\n"), "400 close"},
    {"3986 3.2.2", get("Host: a[::1]\r\n"), "400 close"},
    {"3986 3.2.2", get("Host: [::1]80\r\n"), "400 close"},
    {"3986 3.2.2", get("Host: [::1]:x\r\n"), "400 close"},
    {"3986 3.2.2", get("Host: [[::1]]\r\n"), "400 close"},
    {"3986 3.2.2", get("Host: [::1::2]\r\n"), "400 close"},
    {"3986 3.2.2", get("Host: [:::1]\r\n"), "400 close"},
    {"3986 3.2.2", get("Host: [::12345]\r\n"), "400 close"},
    {"3986 3.2.2", get("Host: [::g]\r\n"), "400 close"},
    {"3986 3.2.2", get("Host: [1:2:3:4:5:6:7:8:9]\r\n"), "400 close"},
    {"3986 3.2.2", get("Host: [1:2:3:4:5:6:7]\r\n"), "400 close"},
    {"3986 3.2.2", get("Host: [::1.2.3]\r\n"), "400 close"},
    {"3986 3.2.2", get("Host: [::1.2.3.256]\r\n"), "400 close"},
    {"3986 3.2.2", get("Host: [fe80::1%25eth0]\r\n"), "400 close"},
    {"3986 3.2.2", get("Host: [fe80::1%lo]\r\n"), "400 close"},
    {"3986 3.2.2", get("Host: [v1.a]\r\n"), "400 close"},
};
INSTANTIATE_TEST_SUITE_P(PortsAndAddresses, HTTPHost, testing::ValuesIn(kPortsAndAddresses));

}  // namespace
}  // namespace eddy
