#include <gtest/gtest.h>

#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <eddy/proto/rpc_message.h>
#include <eddy/proto/telnet_codec.h>

namespace eddy {
namespace {

using std::string_literals::operator""s;
using Words = std::vector<std::string>;
using Kind = RpcAnswer::Kind;

Words words_of(std::string_view line) {
  const RpcWords split = split_words(line);
  EXPECT_EQ(split.error, "") << line;
  return split.words;
}

std::string error_of(std::string_view line) {
  const RpcWords split = split_words(line);
  EXPECT_TRUE(split.words.empty()) << line;
  return split.error;
}

TEST(SplitWords, SeparatesBySpacesAndTabs) {
  EXPECT_EQ(words_of("add 1 2"), (Words{"add", "1", "2"}));
  EXPECT_EQ(words_of(" \t add\t1  2\t "), (Words{"add", "1", "2"}));
  EXPECT_EQ(words_of(""), Words{});
  EXPECT_EQ(words_of(" \t "), Words{});
}

TEST(SplitWords, LeavesOtherBytesAlone) {
  EXPECT_EQ(words_of("a\0b \xff\xfe \x1b[2J a\rb"s),
            (Words{"a\0b"s, "\xff\xfe", "\x1b[2J", "a\rb"}));
}

TEST(SplitWords, OpensAQuoteOnlyAtTheStartOfAWord) {
  EXPECT_EQ(words_of(R"(say "two words" x)"), (Words{"say", "two words", "x"}));
  EXPECT_EQ(words_of(R"("")"), (Words{""}));
  EXPECT_EQ(words_of(R"("" "")"), (Words{"", ""}));
  EXPECT_EQ(words_of(R"(a"b" c")"), (Words{R"(a"b")", R"(c")"}));
}

TEST(SplitWords, KnowsTwoEscapesInsideQuotesAndNoneOutside) {
  EXPECT_EQ(words_of(R"("\"" "\\" "a\b" "\n")"), (Words{"\"", "\\", R"(a\b)", R"(\n)"}));
  EXPECT_EQ(words_of(R"(\" \\ a\ b)"), (Words{R"(\")", R"(\\)", R"(a\)", "b"}));
  EXPECT_EQ(words_of(R"("\\" x)"), (Words{"\\", "x"}));
}

TEST(SplitWords, RefusesAQuoteThatIsNotClosed) {
  for (const char* open : {R"(")", R"(say "hello)", R"("\")", R"("\)", R"(a "b\\\")"})
    EXPECT_EQ(error_of(open), "a quote is not closed") << open;
}

TEST(SplitWords, WantsABlankBehindAClosingQuote) {
  for (const char* close : {R"("a"b)", R"("""")", R"("a""b")", R"(x "a"\)"})
    EXPECT_EQ(error_of(close), "a blank must follow a closing quote") << close;
}

TEST(QuoteWord, QuotesOnlyWhatMustBeQuoted) {
  EXPECT_EQ(quote_word("plain"), "plain");
  EXPECT_EQ(quote_word(R"(a"b\)"), R"(a"b\)");
  EXPECT_EQ(quote_word(""), R"("")");
  EXPECT_EQ(quote_word("two words"), R"("two words")");
  EXPECT_EQ(quote_word("a\tb"), "\"a\tb\"");
  EXPECT_EQ(quote_word(R"("x)"), R"("\"x")");
  EXPECT_EQ(quote_word(R"(a \ "b")"), R"("a \\ \"b\"")");
}

TEST(QuoteWord, RefusesALineEnd) {
  for (const char* word : {"\n", "a\r\nb", "a\rb", "a\n"})
    EXPECT_THROW(quote_word(word), std::invalid_argument) << word;
}

TEST(QuoteWord, IsUndoneBySplitWords) {
  std::mt19937 random(3);
  const std::string bytes = "ab \t\"\\\xff\0n"s;
  for (int round = 0; round < 3000; ++round) {
    Words words(1 + random() % 4);
    std::string line;
    for (std::string& word : words) {
      for (auto size = random() % 6; size > 0; --size) word += bytes[random() % bytes.size()];
      line += quote_word(word) + (random() % 2 == 0 ? " " : "\t");
    }
    ASSERT_EQ(words_of(line), words) << line;
  }
}

TEST(JoinWords, PutsSingleSpacesBetween) {
  const Words words = words_of("hello   big \t world");
  EXPECT_EQ(join_words(words), "hello big world");
  EXPECT_EQ(join_words(std::span(words).subspan(1)), "big world");
  EXPECT_EQ(join_words({}), "");
}

TEST(FormatAnswer, WritesTheNumberOfTheCallAndEndsTheLineAsTelnetDoes) {
  EXPECT_EQ(format_ok(3, "42"), "[3] ok 42\r\n");
  EXPECT_EQ(format_ok(3), "[3] ok\r\n");
  EXPECT_EQ(format_error(3, "division by zero"), "[3] error division by zero\r\n");
  EXPECT_EQ(format_row(18446744073709551615u, "one line"), "[18446744073709551615] | one line\r\n");
  EXPECT_EQ(format_row(1, ""), "[1] |\r\n");
}

TEST(FormatAnswer, WritesAResultOfSeveralLinesAsRows) {
  EXPECT_EQ(format_result(3, "42"), "[3] ok 42\r\n");
  EXPECT_EQ(format_result(3, "42\n"), "[3] ok 42\r\n");
  EXPECT_EQ(format_result(3, ""), "[3] ok\r\n");
  EXPECT_EQ(format_result(3, "a\nb"), "[3] | a\r\n[3] | b\r\n[3] ok\r\n");
  EXPECT_EQ(format_result(3, "a\n\n"), "[3] | a\r\n[3] |\r\n[3] ok\r\n");
  EXPECT_EQ(format_result(3, "a\n\nb\n"), "[3] | a\r\n[3] |\r\n[3] | b\r\n[3] ok\r\n");
}

TEST(FormatAnswer, NeverLetsATextBreakTheLine) {
  EXPECT_EQ(format_error(1, "bad\r\n[2] ok"), "[1] error bad\\r\\n[2] ok\r\n");
  EXPECT_EQ(format_row(1, "a\nb"), "[1] | a\\nb\r\n");
}

TEST(FormatAnswer, Doubles255) { EXPECT_EQ(format_ok(1, "a\xff"), "[1] ok a\xff\xff\r\n"); }

TEST(PrintableName, IsCutTo64BytesAndThenEscaped) {
  EXPECT_EQ(printable_name("math"), "math");
  EXPECT_EQ(printable_name(std::string(100, 'x')), std::string(64, 'x'));
  EXPECT_EQ(printable_name("\x1b[2J"), R"(\x1b[2J)");
  EXPECT_EQ(printable_name(std::string(63, 'x') + "é"), std::string(63, 'x') + R"(\xc3)");
}

void expect_answer(std::string_view line, Kind kind, std::uint64_t number, std::string_view text) {
  const RpcAnswer answer = parse_answer(line);
  EXPECT_EQ(answer.kind, kind) << line;
  EXPECT_EQ(answer.number, number) << line;
  EXPECT_EQ(answer.text, text) << line;
}

TEST(ParseAnswer, TellsNumberKindAndText) {
  expect_answer("[3] ok 42", Kind::ok, 3, "42");
  expect_answer("[3] ok", Kind::ok, 3, "");
  expect_answer("[3] ok ", Kind::ok, 3, "");
  expect_answer("[3] ok  a ", Kind::ok, 3, " a ");
  expect_answer("[12] error division by zero", Kind::error, 12, "division by zero");
  expect_answer("[3] | one line", Kind::row, 3, "one line");
  expect_answer("[3] |", Kind::row, 3, "");
}

TEST(ParseAnswer, TakesAnythingElseForANotice) {
  for (const char* line :
       {"error line too long", "[yes]", "type help, or quit", "", "[", "[3]", "[3] ", "[3] okay",
        "[3]ok", "[-1] ok", "[] ok", "[3 ] ok", "[3] |x", "[99999999999999999999] ok"})
    expect_answer(line, Kind::notice, 0, line);
}

TEST(ParseAnswer, UndoesFormatAnswerThroughTheTelnetCodec) {
  const std::string wire = format_row(7, "a \xff b") + format_ok(7, " x");
  TelnetCodec codec(1000);
  std::string_view input = wire;
  ASSERT_EQ(codec.next(input), TelnetCodec::Event::line);
  expect_answer(codec.line(), Kind::row, 7, "a \xff b");
  ASSERT_EQ(codec.next(input), TelnetCodec::Event::line);
  expect_answer(codec.line(), Kind::ok, 7, " x");
}

}  // namespace
}  // namespace eddy
