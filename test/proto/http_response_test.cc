#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>

#include <eddy/proto/http_response.h>

namespace eddy {
namespace {

using namespace std::chrono_literals;

constexpr const char* kDate = "Sun, 06 Nov 1994 08:49:37 GMT";

std::string bytes_of(const HTTPResponse& response, const HTTPAnswerForm& form = {}) {
  return format_response(response, form, kDate);
}
bool has_line(const std::string& bytes, const std::string& line) {
  return bytes.find("\r\n" + line + "\r\n") != bytes.npos;
}

TEST(HTTPResponse, IsALineFieldsAndABody) {
  HTTPResponse response("OK");
  response.headers.add("X-Of", "one");
  EXPECT_EQ(bytes_of(response),
            "HTTP/1.1 200 OK\r\n"
            "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            "Content-Length: 2\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n"
            "X-Of: one\r\n"
            "\r\n"
            "OK");
}

TEST(HTTPResponse, SaysWhetherTheConnectionGoesOn) {
  EXPECT_EQ(bytes_of("x").find("Connection"), std::string::npos);
  EXPECT_TRUE(has_line(bytes_of("x", {.keep_alive = false}), "Connection: close"));
  EXPECT_TRUE(has_line(bytes_of("x", {.minor_version = 0}), "Connection: keep-alive"));
}

TEST(HTTPResponse, ToHEADTellsTheLengthOfWhatIsNotSent) {
  const std::string bytes = bytes_of("hello", {.without_body = true});
  EXPECT_TRUE(has_line(bytes, "Content-Length: 5"));
  EXPECT_TRUE(bytes.ends_with("\r\n\r\n"));
}

TEST(HTTPResponse, OfAStatusWithoutABodyHasNone) {
  for (const int status : {204, 304}) {
    const std::string bytes = bytes_of({status, "hello"});
    EXPECT_TRUE(bytes.ends_with("\r\n\r\n")) << bytes;
    EXPECT_EQ(bytes.find("Content-"), bytes.npos) << bytes;
  }
}

TEST(HTTPResponse, EndsWhereItSaysWhateverTheApplicationSets) {
  HTTPResponse response("hello");
  for (const char* name : {"content-length", "Transfer-Encoding", "Connection", "Date"})
    response.headers.set(name, "9");
  response.headers.set("content-type", "text/html");
  const std::string bytes = bytes_of(response);
  EXPECT_EQ(bytes.find(": 9"), bytes.npos);
  EXPECT_TRUE(has_line(bytes, "Content-Length: 5"));
  EXPECT_TRUE(has_line(bytes, "content-type: text/html"));
  EXPECT_EQ(bytes.find("text/plain"), bytes.npos);
}

TEST(HTTPResponse, RefusesWhatWouldBreakItsLine) {
  HTTPResponse response("x");
  response.reason = "OK\r\nX: y";
  EXPECT_THROW(bytes_of(response), std::invalid_argument);
  for (const int status : {0, 100, 199, 600, -200})
    EXPECT_THROW(bytes_of({status, "x"}), std::invalid_argument) << status;
}

TEST(HTTPResponse, KnowsReasons) {
  EXPECT_EQ(reason_of(404), "Not Found");
  EXPECT_EQ(reason_of(499), "Bad Request");
  HTTPResponse response("x");
  response.reason = "Fine";
  EXPECT_TRUE(bytes_of(response).starts_with("HTTP/1.1 200 Fine\r\n"));
}

TEST(HTTPResponse, SetsCookies) {
  HTTPResponse response;
  response.set_cookie("a", "b");
  response.set_cookie("c", "",
                      {.path = "/x",
                       .domain = "d.e",
                       .max_age = 0s,
                       .secure = true,
                       .http_only = false,
                       .same_site = "Strict"});
  const auto set = response.headers.get_list("Set-Cookie");
  ASSERT_EQ(set.size(), 2U);
  EXPECT_EQ(set[0], "a=b; Path=/; HttpOnly; SameSite=Lax");
  EXPECT_EQ(set[1], "c=; Path=/x; Domain=d.e; Max-Age=0; Secure; SameSite=Strict");
}

TEST(HTTPResponse, RefusesWhatNoCookieCanHold) {
  HTTPResponse response;
  for (const char* name : {"", "a b", "a=b", "a;b"})
    EXPECT_THROW(response.set_cookie(name, "x"), std::invalid_argument) << name;
  for (const char* value : {"a b", "a;b", "a\r\nX: y", "a,b", "\"a\"", "\xe9"})
    EXPECT_THROW(response.set_cookie("a", value), std::invalid_argument) << value;
  EXPECT_THROW(response.set_cookie("a", "b", {.path = "/;Domain=evil"}), std::invalid_argument);
  EXPECT_TRUE(response.headers.empty());
}

TEST(HTTPDate, IsMadeOnceForEachSecond) {
  HTTPDate date;
  const char* const first = date.at(784111777).data();
  EXPECT_EQ(date.at(784111777), kDate);
  EXPECT_EQ(date.at(784111777).data(), first);
  EXPECT_EQ(date.at(784111778), "Sun, 06 Nov 1994 08:49:38 GMT");
  EXPECT_EQ(HTTPDate().at(0), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(format_http_date(951782400), "Tue, 29 Feb 2000 00:00:00 GMT");
}

}  // namespace
}  // namespace eddy
