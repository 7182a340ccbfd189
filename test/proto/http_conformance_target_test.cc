#include "../support/http_conformance.h"

namespace eddy {
namespace {

using namespace std::string_literals;

using HTTPTarget = HTTPConformance;

TEST_P(HTTPTarget, Row) { check(GetParam()); }

const HTTPRow kOriginForm[] = {
    {"3986 3.3", line("GET /-._~!$&'()*+,;=:@ HTTP/1.1"), "200 GET /-._~!$&'()*+,;=:@"},
    {"3986 2.1", line("GET /%41%7e%C3%a9%00 HTTP/1.1"), "200 GET /%41%7e%C3%a9%00"},
    {"3986 2.1", line("GET /%0d%0aX:%20y HTTP/1.1"), "200 GET /%0d%0aX:%20y"},
    {"9112 3.2.1", line("GET //a//b HTTP/1.1"), "200 GET //a//b"},
    {"9112 3.2.1", line("GET /./../b HTTP/1.1"), "200 GET /./../b"},
    {"9112 3.2.1", line("GET /http://b/ HTTP/1.1"), "200 GET /http://b/"},
    {"3986 3.4", line("GET /? HTTP/1.1"), "200 GET /"},
    {"3986 3.4", line("GET /a?/b?c HTTP/1.1"), "200 GET /a?/b?c"},
    {"3986 3.4", line("GET /a?b[]={c|d}&e=100% HTTP/1.1"), "200 GET /a?b[]={c|d}&e=100%"},
    {"3986 2.1", line("GET /% HTTP/1.1"), "400 close"},
    {"3986 2.1", line("GET /%4 HTTP/1.1"), "400 close"},
    {"3986 2.1", line("GET /%zz HTTP/1.1"), "400 close"},
    {"3986 2.1", line("GET /%%41 HTTP/1.1"), "400 close"},
    {"3986 2.1", line("GET /%4?1 HTTP/1.1"), "400 close"},
    {"3986 3.3", line("GET /\" HTTP/1.1"), "400 close"},
    {"3986 3.3", line("GET /<a> HTTP/1.1"), "400 close"},
    {"3986 3.3", line("GET /a\\b HTTP/1.1"), "400 close"},
    {"3986 3.3", line("GET /^ HTTP/1.1"), "400 close"},
    {"3986 3.3", line("GET /` HTTP/1.1"), "400 close"},
    {"3986 3.3", line("GET /{a} HTTP/1.1"), "400 close"},
    {"3986 3.3", line("GET /a|b HTTP/1.1"), "400 close"},
    {"3986 3.3", line("GET /[a] HTTP/1.1"), "400 close"},
    {"3986 3.4", line("GET /?\" HTTP/1.1"), "400 close"},
    {"3986 3.4", line("GET /?<a> HTTP/1.1"), "400 close"},
    {"9112 3.2", line("GET /a#b HTTP/1.1"), "400 close"},
    {"9112 3.2", line("GET /?a#b HTTP/1.1"), "400 close"},
    {"9112 3.2", line("GET # HTTP/1.1"), "400 close"},
    {"9112 3.2", line("GET /\xc3\xa9 HTTP/1.1"), "400 close"},
    {"9112 3.2", line("GET /\xc0\xaf HTTP/1.1"), "400 close"},
    {"9112 3.2", line("GET /?\xff HTTP/1.1"), "400 close"},
    {"9112 3.2", line("GET /\0 HTTP/1.1"s), "400 close"},
    {"9112 3.2", line("GET /\x01 HTTP/1.1"), "400 close"},
    {"9112 3.2", line("GET /\x1f HTTP/1.1"), "400 close"},
    {"9112 3.2", line("GET /?\x7f HTTP/1.1"), "400 close"},
    {"9112 3.2", line("GET a HTTP/1.1"), "400 close"},
    {"9112 3.2", line("GET a/b HTTP/1.1"), "400 close"},
    {"9112 3.2", line("GET ?a HTTP/1.1"), "400 close"},
    {"9112 3.2", line("GET ../a HTTP/1.1"), "400 close"},
    {"9112 3.2", line("GET %2Fa HTTP/1.1"), "400 close"},
    {"9112 3.2", line("GET \\a HTTP/1.1"), "400 close"},
};
INSTANTIATE_TEST_SUITE_P(OriginForm, HTTPTarget, testing::ValuesIn(kOriginForm));

const HTTPRow kAbsoluteForm[] = {
    {"9112 3.2.2", line("GET http://a/b?c HTTP/1.1"), "200 GET /b?c"},
    {"9112 3.2.2", line("GET http://a HTTP/1.1"), "200 GET /"},
    {"9112 3.2.2", line("GET http://a?b HTTP/1.1"), "200 GET /?b"},
    {"9112 3.2.2", line("GET https://a/b HTTP/1.1"), "200 GET /b"},
    {"3986 3.1", line("GET HTTP://a/b HTTP/1.1"), "200 GET /b"},
    {"3986 3.2.3", line("GET http://a:/ HTTP/1.1"), "200 GET /"},
    {"3986 3.2.2", line("GET http://[::1]:8012/ HTTP/1.1"), "200 GET /"},
    {"9112 3.2.2", line("GET http://b/host HTTP/1.1"), "200 b"},
    {"9112 3.2.2", line("GET http://b:80/host HTTP/1.1"), "200 b:80"},
    {"9112 3.2.2", http_request("GET http://b/host HTTP/1.0", ""), "200 b close"},
    {"9112 3.2", http_request("GET http://a/ HTTP/1.1", ""), "400 close"},
    {"9112 3.2", http_request("GET http://a/ HTTP/1.1", "Host: a\r\nHost: a\r\n"), "400 close"},
    {"9112 3.2", http_request("GET http://a/ HTTP/1.1", "Host: a b\r\n"), "400 close"},
    {"9110 4.2.1", line("GET http:/// HTTP/1.1"), "400 close"},
    {"9110 4.2.1", line("GET http:// HTTP/1.1"), "400 close"},
    {"9110 4.2.1", line("GET http://?a HTTP/1.1"), "400 close"},
    {"9110 4.2.1", line("GET http://:80/ HTTP/1.1"), "400 close"},
    {"9110 4.2.4", line("GET http://u@a/ HTTP/1.1"), "400 close"},
    {"9110 4.2.4", line("GET http://u:p@a/ HTTP/1.1"), "400 close"},
    {"3986 3.2.3", line("GET http://a:x/ HTTP/1.1"), "400 close"},
    {"3986 3.2.3", line("GET http://a:65536/ HTTP/1.1"), "400 close"},
    {"3986 3.2.2", line("GET http://[::1/ HTTP/1.1"), "400 close"},
    {"3986 3.2.2", line("GET http://a\\b/ HTTP/1.1"), "400 close"},
    {"3986 3.2.2", line("GET http://a%/ HTTP/1.1"), "400 close"},
    {"3986 3.3", line("GET http://a/% HTTP/1.1"), "400 close"},
    {"9112 3.2", line("GET http://a/#b HTTP/1.1"), "400 close"},
    {"9112 3.2.2", line("GET http:/a HTTP/1.1"), "400 close"},
    {"9112 3.2.2", line("GET http:a HTTP/1.1"), "400 close"},
    {"9112 3.2.2", line("GET ://a/ HTTP/1.1"), "400 close"},
    {"9112 3.2.2", line("GET ftp://a/ HTTP/1.1"), "400 close"},
    {"9112 3.2.2", line("GET urn:a:b HTTP/1.1"), "400 close"},
};
INSTANTIATE_TEST_SUITE_P(AbsoluteForm, HTTPTarget, testing::ValuesIn(kAbsoluteForm));

const HTTPRow kOtherForms[] = {
    {"9112 3.2.4", line("OPTIONS * HTTP/1.1"), "200 GET, HEAD, PUT, POST"},
    {"9112 3.2.4", line("GET * HTTP/1.1"), "400 close"},
    {"9112 3.2.4", line("HEAD * HTTP/1.1"), "400 close"},
    {"9112 3.2.4", line("POST * HTTP/1.1"), "400 close"},
    {"9112 3.2.4", line("TRACE * HTTP/1.1"), "400 close"},
    {"9112 3.2.4", line("OPTIONS ** HTTP/1.1"), "400 close"},
    {"9112 3.2.4", line("OPTIONS *?a HTTP/1.1"), "400 close"},
    {"9112 3.2.3", line("CONNECT a:80 HTTP/1.1"), "501 close"},
    {"9112 3.2.3", line("CONNECT [::1]:80 HTTP/1.1"), "501 close"},
    {"9112 3.2", http_request("CONNECT a:80 HTTP/1.1", ""), "400 close"},
    {"9110 9.3.6", line("CONNECT a: HTTP/1.1"), "400 close"},
    {"9110 9.3.6", line("CONNECT a HTTP/1.1"), "400 close"},
    {"9110 9.3.6", line("CONNECT [::1] HTTP/1.1"), "400 close"},
    {"9110 9.3.6", line("CONNECT :80 HTTP/1.1"), "400 close"},
    {"9110 9.3.6", line("CONNECT a:65536 HTTP/1.1"), "400 close"},
    {"9110 9.3.6", line("CONNECT a:x HTTP/1.1"), "400 close"},
    {"9112 3.2.3", line("CONNECT u@a:80 HTTP/1.1"), "400 close"},
    {"9112 3.2.3", line("CONNECT a:80/ HTTP/1.1"), "400 close"},
    {"9112 3.2.3", line("CONNECT / HTTP/1.1"), "400 close"},
    {"9112 3.2.3", line("CONNECT * HTTP/1.1"), "400 close"},
    {"9112 3.2.3", line("CONNECT http://a:80/ HTTP/1.1"), "400 close"},
    {"9112 3.2.3", line("GET a:80 HTTP/1.1"), "400 close"},
};
INSTANTIATE_TEST_SUITE_P(OtherForms, HTTPTarget, testing::ValuesIn(kOtherForms));

}  // namespace
}  // namespace eddy
