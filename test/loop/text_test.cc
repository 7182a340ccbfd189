#include <gtest/gtest.h>

#include <random>
#include <string>

#include <eddy/loop/text.h>

namespace eddy {
namespace {

using std::string_literals::operator""s;

TEST(Printable, LeavesTextAsItIs) {
  EXPECT_EQ(printable(""), "");
  EXPECT_EQ(printable(R"(say "a\b" 'c')"), R"(say "a\b" 'c')");
  EXPECT_EQ(printable("Größe 雪 🎿"), "Größe 雪 🎿");
}

TEST(Printable, EscapesControlBytes) {
  EXPECT_EQ(printable("a\r\n\tb\0c\x1b[2J\x07\x7f"s), R"(a\x0d\x0a\x09b\x00c\x1b[2J\x07\x7f)");
}

TEST(Printable, EscapesTheControlsFrom80To9fRawAndInUtf8) {
  EXPECT_EQ(printable("\x9b"s + "2J"), R"(\x9b2J)");
  EXPECT_EQ(printable("\xc2\x9b"), R"(\xc2\x9b)");
  EXPECT_EQ(printable("\xc2\xa0"), "\xc2\xa0");
}

TEST(Printable, EscapesWhatIsNotUtf8) {
  EXPECT_EQ(printable("\xff\xc3"), R"(\xff\xc3)");
  EXPECT_EQ(printable("\xc0\xaf"), R"(\xc0\xaf)") << "an overlong slash";
  EXPECT_EQ(printable("\xe0\x80\xaf"), R"(\xe0\x80\xaf)") << "a longer one";
  EXPECT_EQ(printable("\xed\xa0\x80"), R"(\xed\xa0\x80)") << "a surrogate";
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), R"(\xf4\x90\x80\x80)") << "beyond the last character";
  EXPECT_EQ(printable("\xe9\x9b z"), R"(\xe9\x9b z)") << "a character that stops short";
}

TEST(Printable, EscapesMarksThatTurnTheDirectionOfTheLine) {
  EXPECT_EQ(printable("a\u202eb\u2066c\u2028"), R"(a\xe2\x80\xaeb\xe2\x81\xa6c\xe2\x80\xa8)");
}

TEST(Printable, CutsLongTextAndSaysSo) {
  EXPECT_EQ(printable("abcdef", 6), "abcdef");
  EXPECT_EQ(printable("abcdefg", 6), "abcdef...");
  EXPECT_EQ(printable(std::string(1000, 'x')), std::string(128, 'x') + "...");
  EXPECT_EQ(printable("x", 0), "...");
}

TEST(Printable, NeverCutsACharacterInTwo) {
  EXPECT_EQ(printable("ab雪", 4), "ab...");
  EXPECT_EQ(printable("ab雪", 5), "ab雪");
}

TEST(Printable, NeverShowsARawControlByteWhateverCame) {
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (auto size = random() % 40; size > 0; --size) text += static_cast<char>(random());
    for (const char shown : printable(text)) {
      EXPECT_GE(static_cast<unsigned char>(shown), 0x20);
      EXPECT_NE(shown, '\x7f');
    }
  }
}

}  // namespace
}  // namespace eddy
