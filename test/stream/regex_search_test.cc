#include <gtest/gtest.h>
#include <re2/re2.h>

#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <eddy/loop/platform.h>
#include <eddy/stream/regex_search.h>
#include <eddy/stream/viable_pattern.h>

namespace eddy {
namespace {

using std::string_literals::operator""s;
using Found = std::optional<std::size_t>;

// The plain way, as the measure: one search of everything that has arrived.
Found search_from_the_start(const RE2& regex, const std::string& text) {
  re2::StringPiece match;
  if (!regex.Match(text, 0, text.size(), RE2::UNANCHORED, &match, 1)) return std::nullopt;
  return static_cast<std::size_t>(match.data() - text.data()) + match.size();
}

RE2::Options latin1() {
  RE2::Options options;
  options.set_encoding(RE2::Options::EncodingLatin1);
  options.set_log_errors(false);
  return options;
}

class PatternMaker {
 public:
  std::string pattern() {
    std::string made = pick(flags_);
    for (unsigned atoms = 1 + below(5); atoms > 0; --atoms) made += atom() + pick(repeats_);
    return below(4) == 0 ? made + "|" + atom() + atom() : made;
  }

  std::string text() {
    std::string made;
    for (unsigned bytes = 1 + below(14); bytes > 0; --bytes) made += pick(bytes_);
    return made;
  }

  unsigned below(unsigned limit) { return static_cast<unsigned>(random_()) % limit; }

 private:
  std::string atom() {
    if (below(6) > 0) return pick(atoms_);
    return "(?P<n" + std::to_string(++groups_) + ">" + pick(atoms_) + pick(atoms_) + ")";
  }

  const std::string& pick(const std::vector<std::string>& from) {
    return from[below(static_cast<unsigned>(from.size()))];
  }

  std::mt19937 random_{20240607};
  int groups_ = 0;
  const std::vector<std::string> flags_ = {"", "", "", "(?i)", "(?s)", "(?m)", "(?U)"};
  const std::vector<std::string> repeats_ = {"",  "",   "",   "",    "",      "*",     "+",
                                             "?", "*?", "+?", "{2}", "{1,2}", "{1,}?", "{0,2}"};
  const std::vector<std::string> bytes_ = {"a", "b", "c", "A", "\n", "\r", "\0"s, "\xff", ".", " "};
  const std::vector<std::string> atoms_ = {
      "a",         "b",      "c",          ".",         "[ab]",      "[^a]",        R"(\n)",
      R"(\r)",     R"(\b)",  R"(\B)",      "^",         "$",         "(?m:^)",      "(?m:$)",
      "(?:ab|c)",  R"(\w)",  "(?:a|)",     "[]a]",      "[^]b]",     "[[:alpha:]]", "[[:]",
      R"(\Qb.\E)", R"(\pL)", R"(\p{Lu})",  R"([\]c])",  R"(\x61)",   R"(\x{62})",   R"(\141)",
      R"(\0)",     R"(\01)", "\0"s,        "\xff",      "(?i:B)",    "(?i-s:c)",    R"(\.)",
      "{",         "}",      R"([\Q\E]*)", R"(\Qa{\E)", R"([a\-c])", R"(\A)",       R"(\z)",
      R"(\C)"};
};

TEST(RegexSearch, FindsWhatASearchFromTheStartFindsHoweverTheBytesArrive) {
  PatternMaker make;
  int compared = 0;
  for (int round = 0; round < 6000; ++round) {
    const std::string pattern = make.pattern();
    const RE2 plain(pattern, latin1());
    if (!plain.ok()) continue;
    RegexSearch search(pattern);
    Found found;
    for (std::string arrived; !found && arrived.size() < 24; ++compared) {
      arrived += make.text();
      found = search.find_end_now(arrived);
      ASSERT_EQ(found, search_from_the_start(plain, arrived))
          << "pattern " << pattern << " text " << testing::PrintToString(arrived);
    }
  }
  EXPECT_GT(compared, 8000);
}

TEST(RegexSearch, RefusesABadPatternWithItsTextAndTheReason) {
  for (const char* bad : {"(", "[a", "a**", "a{1001}", R"((a)\1)", "(?=a)", R"(\)"}) {
    try {
      RegexSearch search(bad);
      FAIL() << bad << " was taken";
    } catch (const std::invalid_argument& error) {
      EXPECT_NE(std::string(error.what()).find("'"s + bad + "': "), std::string::npos)
          << error.what();
    }
  }
}

TEST(RegexSearch, MatchesBytesAndNotCharacters) {
  EXPECT_EQ(RegexSearch(R"(\x00\xff)").find_end("a\0\xff\0"s), 3u);
  EXPECT_EQ(RegexSearch("\x80.\xc3"s).find_end("\x80\x81\xc3"), 3u);
  EXPECT_EQ(RegexSearch("[\x80-\xff]{3}"s).find_end("\xff\xfe\xfd"), 3u);
  EXPECT_EQ(RegexSearch("a\0b"s).find_end("a\0b"s), 3u);
}

TEST(RegexSearch, MatchesWhatHasArrivedWithoutWaitingForMore) {
  EXPECT_EQ(RegexSearch(R"(\n\r?)").find_end("look\n"), 5u);
  EXPECT_EQ(RegexSearch(R"(\n\r?)").find_end("look\n\r"), 6u);
  EXPECT_EQ(RegexSearch("").find_end(""), 0u);
}

TEST(RegexSearch, TakesTheFirstMatchAndOfItTheAlternativeWrittenFirst) {
  EXPECT_EQ(RegexSearch("a|ab").find_end("xabab"), 2u);
  EXPECT_EQ(RegexSearch("a+?").find_end("aaa"), 1u);
  EXPECT_EQ(RegexSearch("a+").find_end("aaa"), 3u);
}

TEST(RegexSearch, KnowsDotAndAnchorsAsPythonDoes) {
  EXPECT_EQ(RegexSearch("a.b").find_end("a\nb"), std::nullopt);
  EXPECT_EQ(RegexSearch("(?s)a.b").find_end("a\nb"), 3u);
  EXPECT_EQ(RegexSearch("^b").find_end("a\nb"), std::nullopt);
  EXPECT_EQ(RegexSearch("(?m)^b").find_end("a\nb"), 3u);
  EXPECT_EQ(RegexSearch("(?m)a$").find_end("a\nb"), 1u);
}

TEST(RegexSearch, FindsATerminatorThatIsSplitOverManyArrivals) {
  RegexSearch search(R"(\r?\n\r?\n)");
  EXPECT_EQ(search.find_end("GET /\r"), std::nullopt);
  EXPECT_EQ(search.find_end("GET /\r\n\r"), std::nullopt);
  EXPECT_EQ(search.find_end("GET /\r\n\r\nbody"), 9u);
}

TEST(RegexSearch, SearchesWhatIsBehindAMatchOnlyWhenAskedAgain) {
  RegexSearch search("[0-9]+;");
  EXPECT_EQ(search.find_end("12;34"), 3u);
  EXPECT_EQ(search.find_end("34"), std::nullopt);
  EXPECT_EQ(search.find_end("34;"), 3u);
}

TEST(RegexSearch, SeesAnotherBeginningOnceBytesHaveLeftTheBuffer) {
  RegexSearch search("^b");
  EXPECT_EQ(search.find_end("ab"), std::nullopt);
  search.restart();
  EXPECT_EQ(search.find_end("b"), 1u);
}

TEST(RegexSearch, PutsOffALargeTextThatHardlyGrewAndFindsTheMatchLater) {
  RegexSearch search("a[^z]*b");
  std::string text(64 * 1024, 'a');
  EXPECT_EQ(search.find_end(text), std::nullopt);
  EXPECT_FALSE(search.put_off());
  text += 'b';
  EXPECT_EQ(search.find_end(text), std::nullopt);
  EXPECT_TRUE(search.put_off());
  EXPECT_EQ(search.find_end_now(text), text.size());
  EXPECT_FALSE(search.put_off());
}

TEST(RegexSearch, SearchesALargeTextAgainWhenItGrewByASixteenth) {
  RegexSearch search("a[^z]*b");
  EXPECT_EQ(search.find_end(std::string(16 * 1024, 'a')), std::nullopt);
  EXPECT_EQ(search.find_end(std::string(18 * 1024, 'a') + "b"), 18u * 1024 + 1);
  EXPECT_FALSE(search.put_off());
}

// A clock that moves by `step` whenever somebody looks.
class TickingClock : public Platform {
 public:
  explicit TickingClock(Duration step) : step_(step) {}
  TimePoint now() override { return now_ += step_; }
  TimePoint last() const { return now_; }

 private:
  Duration step_;
  TimePoint now_{};
};

TEST(RegexSearch, WaitsTwentyTimesAsLongAsTheLastSearchTook) {
  TickingClock clock(std::chrono::milliseconds(3));
  const ScopedPlatform installed(clock);
  RegexSearch search("a[^z]*b");
  EXPECT_EQ(search.retry_delay(), std::chrono::milliseconds(2));
  search.find_end(std::string(4096, 'a'));
  EXPECT_EQ(search.retry_delay(), std::chrono::milliseconds(60));
}

TEST(RegexSearch, LooksAtNoClockForASmallText) {
  TickingClock clock(std::chrono::milliseconds(1));
  const ScopedPlatform installed(clock);
  RegexSearch search("a[^z]*b");
  search.find_end(std::string(2048, 'a'));
  EXPECT_EQ(clock.last(), TimePoint{});
}

// Feeds `text` byte by byte and says how many bytes were looked at for each byte of it.
std::uint64_t cost_per_byte(std::string_view pattern, const std::string& text) {
  RegexSearch search(pattern);
  for (std::size_t size = 1; size < text.size(); ++size)
    EXPECT_EQ(search.find_end(std::string_view(text).substr(0, size)), std::nullopt);
  EXPECT_EQ(search.find_end_now(text), text.size());
  return search.bytes_searched() / text.size();
}

TEST(RegexSearch, LooksAtEachByteOfADrippedHeaderAFewTimes) {
  std::string header;
  while (header.size() < 64 * 1024) header += "X-Name: value\r\n";
  EXPECT_LE(cost_per_byte(R"(\r?\n\r?\n)", header + "\r\n"), 4u);
}

TEST(RegexSearch, KeepsTheWorkLinearWhenAMatchMayHaveBegunLongAgo) {
  const std::string text = std::string(64 * 1024, 'a') + "b";
  const std::string twice = std::string(128 * 1024, 'a') + "b";
  EXPECT_LE(cost_per_byte("a[^z]*b", text), 128u);
  EXPECT_LE(cost_per_byte("a[^z]*b", twice), 128u);
}

TEST(RegexSearch, IsNotTakenHostageByACatastrophicPattern) {
  const std::string text(64 * 1024, 'a');
  EXPECT_EQ(RegexSearch("(a+)+$").find_end(text), text.size());
  EXPECT_EQ(RegexSearch("(a+)+$").find_end(text + "!"), std::nullopt);
  EXPECT_EQ(RegexSearch("(.*a){20}").find_end(text), text.size());
  EXPECT_EQ(RegexSearch("(.*a){20}b").find_end(text), std::nullopt);
}

TEST(RegexSearch, ForgetsPatternsThatWereNotUsedForLongButNotThoseInUse) {
  RegexSearch search("first[0-9]");
  for (int i = 0; i < 100; ++i) RegexSearch("other" + std::to_string(i));
  EXPECT_EQ(search.find_end("first7"), 6u);
}

TEST(ViablePattern, LetsEveryAtomAndAssertionBeTheEndOfWhatHasArrived) {
  EXPECT_EQ(viable_pattern("ab*"), R"((?:a|\z)(?:b|\z)*)");
  EXPECT_EQ(viable_pattern("^[]x]{2,}?$"), R"((?:^|\z)(?:[]x]|\z){2,}?(?:$|\z))");
  EXPECT_EQ(viable_pattern(R"((?P<n>\d|\b))"), R"((?P<n>(?:\d|\z)|(?:\b|\z)))");
  EXPECT_EQ(viable_pattern(R"((?i)\Q.\E+)"), R"((?i)(?:\x2e|\z)+)");
}

TEST(ViablePattern, DoesNotGuessAtWhatItDoesNotKnow) {
  for (const char* strange : {R"(\y)", R"(\9)", R"(\E)", R"(a\Q\E*)", "a{01}", "[[:alpha:]", "(?x"})
    EXPECT_EQ(viable_pattern(strange), std::nullopt) << strange;
}

}  // namespace
}  // namespace eddy
