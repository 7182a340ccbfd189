#include <gtest/gtest.h>

#include <ostream>
#include <string>

#include <eddy/proto/http_conditions.h>

namespace eddy {
namespace {

constexpr std::time_t kModified = 784111777;  // Sun, 06 Nov 1994 08:49:37 GMT
const HTTPValidators kCurrent{"\"v2\"", kModified};

HTTPRequest asking(const std::string& fields) {
  HTTPRequest request;
  request.method = "GET";
  for (std::size_t at = 0; at < fields.size();) {
    const std::size_t colon = fields.find(": ", at);
    const std::size_t end = std::min(fields.find('|', at), fields.size());
    request.headers.add(fields.substr(at, colon - at), fields.substr(colon + 2, end - colon - 2));
    at = end + 1;
  }
  return request;
}

TEST(HTTPDate, IsReadInItsThreeForms) {
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), kModified);
  EXPECT_EQ(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT"), kModified);
  EXPECT_EQ(parse_http_date("Sun Nov  6 08:49:37 1994"), kModified);
  for (const char* const text :
       {"", "Sun", "06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 GMT x",
        "Sun, 06 Nov 1994 08:49:37 CET", "784111777"})
    EXPECT_EQ(parse_http_date(text), std::nullopt) << text;
}

struct Condition {
  const char* section;
  const char* fields;
  int outcome;  // 0: they hold
};
void PrintTo(const Condition& condition, std::ostream* out) { *out << condition.fields; }
class HTTPCondition : public testing::TestWithParam<Condition> {};

TEST_P(HTTPCondition, LeadsTo) {
  EXPECT_EQ(check_conditions(asking(GetParam().fields), kCurrent).value_or(0), GetParam().outcome)
      << "RFC 9110, section " << GetParam().section;
}

INSTANTIATE_TEST_SUITE_P(
    RFC9110, HTTPCondition,
    testing::Values(Condition{"13.1.1", "If-Match: \"v2\"", 0},
                    Condition{"13.1.1", "If-Match: \"v1\", \"v2\"", 0},
                    Condition{"13.1.1", "If-Match: *", 0},
                    Condition{"13.1.1", "If-Match: \"v1\"", 412},
                    Condition{"13.1.1", "If-Match: W/\"v2\"", 412},
                    Condition{"13.1.2", "If-None-Match: \"v2\"", 304},
                    Condition{"13.1.2", "If-None-Match: W/\"v2\"", 304},
                    Condition{"13.1.2", "If-None-Match: \"v1\" ,\"v2\"", 304},
                    Condition{"13.1.2", "If-None-Match: \"v1\"|If-None-Match: \"v2\"", 304},
                    Condition{"13.1.2", "If-None-Match: *", 304},
                    Condition{"13.1.2", "If-None-Match: \"v1\"", 0},
                    Condition{"13.1.3", "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT", 304},
                    Condition{"13.1.3", "If-Modified-Since: Sun, 06 Nov 1994 08:49:38 GMT", 304},
                    Condition{"13.1.3", "If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT", 0},
                    Condition{"13.1.3", "If-Modified-Since: yesterday", 0},
                    Condition{"13.1.3",
                              "If-None-Match: \"v1\"|"
                              "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT",
                              0},
                    Condition{"13.1.4", "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT", 0},
                    Condition{"13.1.4", "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT", 412},
                    Condition{"13.1.4", "If-Unmodified-Since: never", 0},
                    Condition{"13.2.2", "If-Match: \"v1\"|If-None-Match: \"v2\"", 412}));

struct Range {
  const char* section;
  const char* fields;
  const char* outcome;  // of 100 bytes; empty: none such
};
void PrintTo(const Range& range, std::ostream* out) { *out << range.fields; }
class HTTPRanges : public testing::TestWithParam<Range> {};

TEST_P(HTTPRanges, Are) {
  const auto range = requested_range(asking(GetParam().fields), 100, kCurrent);
  const std::string told =
      range ? std::to_string(range->begin) + ".." + std::to_string(range->end) : "";
  EXPECT_EQ(told, GetParam().outcome) << "RFC 9110, section " << GetParam().section;
}

INSTANTIATE_TEST_SUITE_P(
    RFC9110, HTTPRanges,
    testing::Values(
        Range{"14.2", "", "0..100"}, Range{"14.1.2", "Range: bytes=0-9", "0..10"},
        Range{"14.1", "Range: Bytes=0-9", "0..10"}, Range{"14.1.2", "Range: bytes=10-", "10..100"},
        Range{"14.1.2", "Range: bytes=-10", "90..100"},
        Range{"14.1.2", "Range: bytes=-1000", "0..100"},
        Range{"14.1.2", "Range: bytes=99-99", "99..100"},
        Range{"14.1.2", "Range: bytes=0-1000", "0..100"},
        Range{"14.1.2", "Range: bytes=0-99999999999999999999999", "0..100"},
        Range{"14.1.2", "Range: bytes=100-", ""},
        Range{"14.1.2", "Range: bytes=99999999999999999999999-", ""},
        Range{"14.1.2", "Range: bytes=-0", ""}, Range{"14.1.2", "Range: bytes=5-4", "0..100"},
        Range{"14.2", "Range: bytes=0-1,5-6", "0..100"}, Range{"14.2", "Range: bytes=-", "0..100"},
        Range{"14.2", "Range: bytes=", "0..100"}, Range{"14.2", "Range: bytes=+1-2", "0..100"},
        Range{"14.2", "Range: bytes=1-2-3", "0..100"}, Range{"14.2", "Range: lines=0-9", "0..100"},
        Range{"13.1.5", "Range: bytes=0-9|If-Range: \"v2\"", "0..10"},
        Range{"13.1.5", "Range: bytes=0-9|If-Range: \"v1\"", "0..100"},
        Range{"13.1.5", "Range: bytes=0-9|If-Range: W/\"v2\"", "0..100"},
        Range{"13.1.5", "Range: bytes=0-9|If-Range: Sun, 06 Nov 1994 08:49:37 GMT", "0..10"},
        Range{"13.1.5", "Range: bytes=0-9|If-Range: Sun, 06 Nov 1994 08:49:38 GMT", "0..100"}));

TEST(HTTPRanges, AreOfAGetAlone) {
  HTTPRequest head = asking("Range: bytes=0-9");
  head.method = "HEAD";
  EXPECT_EQ(requested_range(head, 100, kCurrent)->end, 100U);
}

TEST(HTTPRanges, OfNothingAreNone) {
  EXPECT_FALSE(requested_range(asking("Range: bytes=-5"), 0, kCurrent));
  EXPECT_FALSE(requested_range(asking("Range: bytes=0-"), 0, kCurrent));
}

}  // namespace
}  // namespace eddy
