#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <string>

#include <eddy/stream/read_condition.h>

namespace eddy {
namespace {

ReadCondition read_bytes(std::size_t count, bool partial) {
  ReadCondition condition;
  condition.set_bytes(count, partial);
  return condition;
}

ReadCondition read_until(std::string_view delimiter, std::size_t max_bytes = SIZE_MAX,
                         OnLimit on_limit = OnLimit::close) {
  ReadCondition condition;
  condition.set_until(delimiter, max_bytes, on_limit);
  return condition;
}

ReadCondition read_until_regex(std::string_view pattern, std::size_t max_bytes = SIZE_MAX,
                               OnLimit on_limit = OnLimit::close) {
  ReadCondition condition;
  condition.set_until_regex(pattern, max_bytes, on_limit);
  return condition;
}

ReadCondition read_until_close() {
  ReadCondition condition;
  condition.set_until_close();
  return condition;
}

std::size_t end_in(ReadCondition condition, std::string_view buffered) {
  return find_end(condition, buffered, false);
}

TEST(ReadCondition, WaitsForSoManyBytes) {
  EXPECT_EQ(end_in(read_bytes(3, false), "ab"), kNotYet);
  EXPECT_EQ(end_in(read_bytes(3, false), "abc"), 3U);
  EXPECT_EQ(end_in(read_bytes(3, false), "abcd"), 3U);
  EXPECT_EQ(end_in(read_bytes(0, false), ""), 0U);
}

TEST(ReadCondition, TakesAnyBytesThereAreWhenAPartWillDo) {
  EXPECT_EQ(end_in(read_bytes(3, true), ""), kNotYet);
  EXPECT_EQ(end_in(read_bytes(3, true), "a"), 1U);
  EXPECT_EQ(end_in(read_bytes(3, true), "abcd"), 3U);
  EXPECT_EQ(end_in(read_bytes(0, true), ""), 0U);
}

TEST(ReadCondition, EndsBehindTheDelimiter) {
  EXPECT_EQ(end_in(read_until("\n"), ""), kNotYet);
  EXPECT_EQ(end_in(read_until("\n"), "abc"), kNotYet);
  EXPECT_EQ(end_in(read_until("\n"), "abc\ndef\n"), 4U);
  EXPECT_EQ(end_in(read_until("\r\n"), "a\rb\nc\r\n"), 7U);
  EXPECT_EQ(end_in(read_until(std::string_view("\0\0", 2)), std::string_view("a\0b\0\0", 5)), 5U);
}

TEST(ReadCondition, TakesADelimiterOfAnyLengthOneAfterTheOther) {
  ReadCondition condition;
  for (const std::size_t length : {1U, 7U, 8U, 1000U, 2U}) {
    const std::string delimiter(length, '=');
    condition.set_until(delimiter, SIZE_MAX, OnLimit::close);
    EXPECT_EQ(find_end(condition, "body" + delimiter + "rest", false), 4 + length);
    EXPECT_EQ(condition.delimiter.view(), delimiter);
  }
}

TEST(ReadCondition, RefusesAnEmptyDelimiter) {
  EXPECT_THROW(read_until("", SIZE_MAX, OnLimit::close), std::invalid_argument);
}

TEST(ReadCondition, FindsADelimiterThatComesByteAfterByte) {
  const std::string text = "\r\r\n\r\r\n\r\n";
  auto condition = read_until("\r\n\r\n", SIZE_MAX, OnLimit::close);
  for (std::size_t size = 0; size < text.size(); ++size)
    EXPECT_EQ(find_end(condition, text.substr(0, size), false), kNotYet) << size;
  EXPECT_EQ(find_end(condition, text, false), text.size());
}

TEST(ReadCondition, LooksAtEachByteOnceHoweverTheyDribble) {
  auto condition = read_until("\r\n", SIZE_MAX, OnLimit::close);
  const std::string text(60'000, 'x');
  std::size_t looked_at = 0;
  for (std::size_t size = 1; size <= text.size(); ++size) {
    looked_at += size - condition.searched;
    find_end(condition, {text.data(), size}, false);
  }
  EXPECT_LT(looked_at, 3 * text.size());
}

TEST(ReadCondition, EndsBehindTheFirstMatch) {
  EXPECT_EQ(end_in(read_until_regex("[.!?]"), "Who goes there? Me. "), 15U);
  EXPECT_EQ(end_in(read_until_regex("[.!?]"), "nobody"), kNotYet);
  EXPECT_THROW(read_until_regex("("), std::invalid_argument);
}

TEST(ReadCondition, NeverEndsBeforeThePeerWhenAllIsWanted) {
  EXPECT_EQ(end_in(read_until_close(), "abc"), kNotYet);
}

TEST(ReadCondition, ReachesItsLimitButDoesNotPassIt) {
  auto until = read_until("\n", 4, OnLimit::close);
  EXPECT_FALSE(passes_limit(until, 4, kNotYet));
  EXPECT_TRUE(passes_limit(until, 5, kNotYet));
  EXPECT_FALSE(passes_limit(until, 100, 4));
  EXPECT_TRUE(passes_limit(until, 5, 5)) << "the delimiter is there, but too late";
  const auto bytes = read_bytes(4, false);
  EXPECT_FALSE(passes_limit(bytes, 100, 4));
}

TEST(ReadCondition, NamesItsLimit) {
  const auto until = read_until("\n", 4096, OnLimit::close);
  EXPECT_EQ(limit_text(until), "delimiter not found within max_bytes = 4096");
  const auto regex = read_until_regex("x", 17, OnLimit::close);
  EXPECT_EQ(limit_text(regex), "regex not found within max_bytes = 17");
}

TEST(ReadCondition, SearchesAtOnceWhatIsOverItsLimit) {
  auto condition = read_until_regex("b", 20'000, OnLimit::close);
  std::string text(20'000, 'a');
  EXPECT_EQ(find_end(condition, text, false), kNotYet);
  text += 'b';
  EXPECT_EQ(find_end(condition, text, false), 20'001U) << "not put off";
}

}  // namespace
}  // namespace eddy
