#include <gtest/gtest.h>

#include <eddy/proto/http_characters.h>

namespace eddy {
namespace {

TEST(CharacterSet, HasItsMembersAndNoOtherByte) {
  constexpr CharacterSet kSome("a\xff");
  for (int byte = 0; byte < 256; ++byte)
    EXPECT_EQ(kSome.contains(static_cast<char>(byte)), byte == 'a' || byte == 0xff) << byte;
}

TEST(CharacterSet, GrowsIntoAnother) {
  constexpr CharacterSet kMore = kDigits.with("-");
  EXPECT_TRUE(kMore.contains_all("2026-11"));
  EXPECT_FALSE(kDigits.contains_all("2026-11"));
}

TEST(CharacterSet, CountsItsMembersAtTheFront) {
  EXPECT_EQ(kHexDigits.leading("1aFg0"), 3U);
  EXPECT_EQ(kHexDigits.leading("g"), 0U);
  EXPECT_TRUE(kHexDigits.contains_all(""));
}

}  // namespace
}  // namespace eddy
