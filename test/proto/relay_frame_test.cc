#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <string>

#include <eddy/proto/relay_frame.h>

namespace eddy {
namespace {

using namespace std::string_literals;

std::string numbered_keys(std::size_t count) {
  std::string keys;
  for (std::size_t key = 0; key < count; ++key) keys += (key ? ",k" : "k") + std::to_string(key);
  return keys;
}

TEST(RelayFrame, PutsALengthOf32BitsBigEndianBeforeAString) {
  EXPECT_EQ(format_relay_string(""), "\0\0\0\0"s);
  EXPECT_EQ(format_relay_string("x,y"), "\0\0\0\3x,y"s);
  EXPECT_EQ(format_relay_string(std::string(258, '.')).substr(0, 5), "\0\0\1\2."s);
}

TEST(RelayFrame, ReadsALengthBack) {
  EXPECT_EQ(parse_relay_length("\0\0\0\0"s), 0U);
  EXPECT_EQ(parse_relay_length("\0\0\1\2"s), 258U);
  EXPECT_EQ(parse_relay_length("\x80\0\0\0"s), 1U << 31);
  EXPECT_EQ(parse_relay_length("\xFF\xFF\xFF\xFF"s), std::numeric_limits<std::uint32_t>::max());
}

TEST(RelayFrame, TakesStringsFromOneByteTo4096) {
  EXPECT_EQ(relay_length_problem("UUID", 0), "empty UUID");
  EXPECT_EQ(relay_length_problem("UUID", 1), "");
  EXPECT_EQ(relay_length_problem("UUID", 4096), "");
  EXPECT_EQ(relay_length_problem("UUID", 4097), "UUID of 4097 bytes: at most 4096");
  EXPECT_EQ(relay_length_problem("key list", 0xFFFFFFFF),
            "key list of 4294967295 bytes: at most 4096");
}

TEST(RelayFrame, TakesOneTo256DifferentKeys) {
  for (const std::string& good :
       {"x"s, "x,y"s, " ,x"s, "x,X"s, "k\xC3\xA4se,\0"s, numbered_keys(256)})
    EXPECT_EQ(relay_keys_problem(good), "") << good;
  for (const std::string& bad : {""s, ","s, ",x"s, "x,"s, "x,,y"s})
    EXPECT_EQ(relay_keys_problem(bad), "an empty key") << bad;
  EXPECT_EQ(relay_keys_problem("x,y,x"), "key 'x' twice");
  EXPECT_EQ(relay_keys_problem("\x1B,b,\x1B"), "key '\\x1b' twice");
  EXPECT_EQ(relay_keys_problem(numbered_keys(257)), "257 keys: at most 256");
  EXPECT_EQ(relay_keys_problem(std::string(4096, ',')), "4097 keys: at most 256");
}

TEST(RelayFrame, SplitsKeysAtCommasAlone) {
  const auto keys = split_relay_keys("x, y ,z");
  EXPECT_EQ(keys, (std::vector<std::string_view>{"x", " y ", "z"}));
}

TEST(RelayFrame, WritesFloatsOf32BitsLittleEndian) {
  EXPECT_EQ(format_relay_frame({}), "");
  EXPECT_EQ(format_relay_frame(std::array{1.0F, -2.5F}), "\0\0\x80\x3F\0\0\x20\xC0"s);
}

TEST(RelayFrame, ReadsEveryFloatBack) {
  using Limits = std::numeric_limits<float>;
  const std::array values = {
      0.0F, -0.0F, 1.5F, Limits::max(), Limits::denorm_min(), -Limits::infinity()};
  const std::vector<float> back = parse_relay_frame(format_relay_frame(values));
  ASSERT_EQ(back.size(), values.size());
  for (std::size_t at = 0; at < values.size(); ++at) {
    EXPECT_EQ(back[at], values[at]);
    EXPECT_EQ(std::signbit(back[at]), std::signbit(values[at]));
  }
  EXPECT_TRUE(
      std::isnan(parse_relay_frame(format_relay_frame(std::array{Limits::quiet_NaN()}))[0]));
}

}  // namespace
}  // namespace eddy
