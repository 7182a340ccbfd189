#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include <eddy/proto/http_headers.h>
#include <eddy/proto/http_request.h>

namespace eddy {
namespace {

using namespace std::string_literals;
using Values = std::vector<std::string_view>;

TEST(HTTPHeaders, KeepEachValueOfANameWhateverItsCase) {
  HTTPHeaders headers;
  headers.add("Accept", "a");
  headers.add("Host", "h");
  headers.add("accept", "b");
  EXPECT_EQ(headers.get_list("ACCEPT"), (Values{"a", "b"}));
  EXPECT_EQ(headers.get("aCCept"), "a, b");
  EXPECT_EQ(headers.count("accept"), 2U);
  EXPECT_EQ(headers.fields()[2].name, "accept") << "as it was given, and where";
  EXPECT_EQ(headers.get("Accep"), "");
  EXPECT_FALSE(headers.contains("Accept-Encoding"));
}

TEST(HTTPHeaders, SetTakesThePlaceOfAllOfThatName) {
  HTTPHeaders headers;
  headers.add("A", "1");
  headers.add("a", "2");
  headers.set("A", "3");
  EXPECT_EQ(headers.get_list("a"), (Values{"3"}));
  headers.remove("A");
  EXPECT_TRUE(headers.empty());
}

TEST(HTTPHeaders, RefuseWhatWouldEndAFieldAndBeginAnother) {
  HTTPHeaders headers;
  headers.add("A", "1");
  for (const std::string& value : {"x\r\nB: y"s, "x\ny"s, "x\ry"s, "x\0y"s, "x\x7fy"s})
    EXPECT_THROW(headers.add("X", value), std::invalid_argument);
  for (const char* name : {"", "a b", "a:", "a\r\n", "\xe9"})
    EXPECT_THROW(headers.set(name, "x"), std::invalid_argument);
  EXPECT_THROW(headers.set("A", "x\n"), std::invalid_argument);
  EXPECT_EQ(headers.get("A"), "1") << "and nothing else is lost for it";
  headers.add("X", "tab\tand \xe9 are text");
  EXPECT_EQ(headers.size(), 2U);
}

HTTPRequest request_of(const std::string& target) {
  HTTPRequest request;
  request.target = target;
  return request;
}

TEST(HTTPRequest, TellsThePathFromTheQuery) {
  EXPECT_EQ(request_of("/a/b?c=d?e").path(), "/a/b");
  EXPECT_EQ(request_of("/a/b?c=d?e").query(), "c=d?e");
  EXPECT_EQ(request_of("/a%20b").path(), "/a%20b") << "as it was sent";
  EXPECT_EQ(request_of("/").query(), "");
  EXPECT_EQ(request_of("*").path(), "*");
}

TEST(HTTPRequest, HasThePathOfATargetForAProxyToo) {
  EXPECT_EQ(request_of("http://a:80/b?c").path(), "/b");
  EXPECT_EQ(request_of("http://a:80/b?c").query(), "c");
  EXPECT_EQ(request_of("http://a").path(), "/");
  EXPECT_EQ(request_of("http://a?b/c").path(), "/");
  EXPECT_EQ(request_of("http://a?b/c").query(), "b/c");
}

TEST(HTTPRequest, HasCookies) {
  HTTPRequest request;
  request.headers.add("Cookie", "a=b; c = d=e;f;=g; a=h;;");
  request.headers.add("Cookie", "i=");
  const auto cookies = request.cookies();
  EXPECT_EQ(cookies.size(), 3U);
  EXPECT_EQ(cookies.find("a")->second, "b") << "of two alike, the first";
  EXPECT_EQ(cookies.find("c")->second, "d=e");
  EXPECT_EQ(cookies.find("i")->second, "");
}

}  // namespace
}  // namespace eddy
