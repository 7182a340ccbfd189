#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <eddy/proto/telnet_codec.h>

namespace eddy {
namespace {

using std::string_literals::operator""s;
using Event = TelnetCodec::Event;
using Events = std::vector<std::string>;

// As RFC 854 names them; a telnet command is kIAC and one of these.
const std::string kIAC = "\xff", kWill = "\xff\xfb", kWont = "\xff\xfc", kDo = "\xff\xfd",
                  kDont = "\xff\xfe", kSB = "\xff\xfa", kSE = "\xff\xf0", kNop = "\xff\xf1",
                  kIP = "\xff\xf4", kAYT = "\xff\xf6", kEC = "\xff\xf7", kEL = "\xff\xf8",
                  kEOF = "\xff\xec", kEOT = "\x04", kTimingMark = "\x06";

std::string described(Event event, const TelnetCodec& codec) {
  switch (event) {
    case Event::line: return "line " + std::string(codec.line());
    case Event::reply: return "reply " + std::string(codec.reply());
    case Event::interrupt: return "interrupt";
    case Event::are_you_there: return "are you there";
    case Event::end_of_input: return "end of input";
    case Event::line_too_long: return "line too long";
    default: return "none";
  }
}

void feed(TelnetCodec& codec, std::string_view input, Events& events) {
  for (;;) {
    const Event event = codec.next(input);
    if (event == Event::none) break;
    events.push_back(described(event, codec));
  }
  EXPECT_TRUE(input.empty());
}

constexpr std::size_t kMaxLine = 20;

// What the codec makes of `wire` in one piece, in two pieces cut anywhere, and byte by byte: always
// the same.
Events events_of(const std::string& wire, std::size_t max_line = kMaxLine) {
  Events whole;
  TelnetCodec in_one_piece(max_line);
  feed(in_one_piece, wire, whole);
  for (std::size_t cut = 0; cut <= wire.size(); ++cut) {
    TelnetCodec codec(max_line);
    Events events;
    feed(codec, std::string(wire, 0, cut), events);
    feed(codec, std::string(wire, cut), events);
    EXPECT_EQ(events, whole) << "cut at " << cut;
  }
  TelnetCodec codec(max_line);
  Events events;
  for (const char byte : wire) feed(codec, std::string(1, byte), events);
  EXPECT_EQ(events, whole) << "byte by byte";
  return whole;
}

TEST(TelnetCodec, EndsALineInAnyOfFourWays) {
  EXPECT_EQ(events_of("a\nb\n"), (Events{"line a", "line b"}));
  EXPECT_EQ(events_of("a\r\nb\r\n"), (Events{"line a", "line b"}));
  EXPECT_EQ(events_of("a\n\rb\n\r"), (Events{"line a", "line b"}));
  EXPECT_EQ(events_of("a\r\0b\r\0"s), (Events{"line a", "line b"}));
}

TEST(TelnetCodec, TellsEmptyLines) {
  EXPECT_EQ(events_of("\n\na\n"), (Events{"line ", "line ", "line a"}));
  EXPECT_EQ(events_of("\r\n\r\na\r\n"), (Events{"line ", "line ", "line a"}));
  EXPECT_EQ(events_of("\n\r\n\ra\n\r"), (Events{"line ", "line ", "line a"}));
  EXPECT_EQ(events_of("\r\0\r\0a\r\0"s), (Events{"line ", "line ", "line a"}));
}

TEST(TelnetCodec, TakesMixedLineEndsAsTheyCome) {
  EXPECT_EQ(events_of("a\n\r\nb\n"), (Events{"line a", "line ", "line b"}));
  EXPECT_EQ(events_of("a\n\r\0b\n"s), (Events{"line a", "line ", "line b"}));
  EXPECT_EQ(events_of("a\r\n\nb\n"), (Events{"line a", "line ", "line b"}));
}

TEST(TelnetCodec, TakesACarriageReturnElsewhereForData) {
  EXPECT_EQ(events_of("a\rb\n"), (Events{"line a\rb"}));
  EXPECT_EQ(events_of("a\r\r\nb\n\r\r\n"), (Events{"line a\r", "line b", "line "}));
  EXPECT_EQ(events_of("\ra\n"), (Events{"line \ra"}));
}

TEST(TelnetCodec, TakesNulAndBackspaceForData) {
  EXPECT_EQ(events_of("a\0b\x08\x7f\n"s), (Events{"line a\0b\x08\x7f"s}));
  EXPECT_EQ(events_of("\n\0a\n"s), (Events{"line ", "line \0a"s}));
}

TEST(TelnetCodec, TakesCommandsOutOfTheMiddleOfALineAndOfALineEnd) {
  EXPECT_EQ(events_of("lo" + kNop + "ok\r" + kNop + "\n"), (Events{"line look"}));
  EXPECT_EQ(events_of("a\r" + kNop + "\0b\n"s), (Events{"line a", "line b"}));
  EXPECT_EQ(events_of("a\n" + kNop + "\rb\n"), (Events{"line a", "line b"}));
  EXPECT_EQ(events_of("lo" + kDo + "\x01ok\n"), (Events{"reply " + kWont + "\x01", "line look"}));
}

TEST(TelnetCodec, TakesADoubledIacForOneByteOfData) {
  EXPECT_EQ(events_of("a" + kIAC + kIAC + "b\n"), (Events{"line a\xff"
                                                          "b"}));
  EXPECT_EQ(events_of(kIAC + kIAC + kIAC + kIAC + "\n"), (Events{"line \xff\xff"}));
  EXPECT_EQ(events_of("\r" + kIAC + kIAC + "\n"), (Events{"line \r\xff"}));
}

TEST(TelnetCodec, DeclinesEveryOptionOnce) {
  EXPECT_EQ(
      events_of(kDo + "\x01" + kDo + "\x01" + kWill + "\x01" + kWill + "\x01" + kDo + "\x03"),
      (Events{"reply " + kWont + "\x01", "reply " + kDont + "\x01", "reply " + kWont + "\x03"}));
}

TEST(TelnetCodec, DoesNotAnswerWhatIsAsItIsAlready) {
  EXPECT_EQ(events_of(kWont + "\x01" + kDont + "\x01" + kWont + "\x01"), Events{});
  EXPECT_EQ(events_of(kWill + "\x01" + kWont + "\x01" + kWill + "\x01"),
            (Events{"reply " + kDont + "\x01"}));
}

TEST(TelnetCodec, AnswersATimingMarkEveryTime) {
  const std::string answer = "reply " + kWont + kTimingMark;
  EXPECT_EQ(events_of(kDo + kTimingMark + kDo + kTimingMark + kDo + kTimingMark),
            (Events{answer, answer, answer}));
  EXPECT_EQ(events_of(kWill + kTimingMark + kWill + kTimingMark),
            (Events{"reply " + kDont + kTimingMark}));
}

TEST(TelnetCodec, AnswersEachOf256OptionsAtMostOnceHoweverOftenItIsAsked) {
  std::string wire;
  for (int round = 0; round < 3; ++round)
    for (int option = 0; option < 256; ++option)
      for (const std::string& verb : {kDo, kWill, kDont, kWont})
        if (option != kTimingMark[0]) wire += verb + static_cast<char>(option);
  TelnetCodec codec(kMaxLine);
  Events events;
  feed(codec, wire, events);
  EXPECT_EQ(events.size(), 2u * 255);
}

TEST(TelnetCodec, TakesAnOptionThatLooksLikeIacOrALineEndForAnOption) {
  EXPECT_EQ(events_of(kDo + kIAC + "a\n"), (Events{"reply " + kWont + kIAC, "line a"}));
  EXPECT_EQ(events_of(kWont + "\n" + "a\n"), (Events{"line a"}));
}

TEST(TelnetCodec, PassesOverSubnegotiations) {
  EXPECT_EQ(events_of("a" + kSB + "\x18\0xterm\r\n"s + kSE + "b\n"), (Events{"line ab"}));
  EXPECT_EQ(events_of(kSB + "\x18" + kIAC + kIAC + "\xf0\n" + kSE + "a\n"), (Events{"line a"}));
}

TEST(TelnetCodec, PassesOverASubnegotiationWithoutEndInConstantMemory) {
  TelnetCodec codec(kMaxLine);
  const std::string endless = kIAC + kIAC + "x\n";
  Events events;
  feed(codec, kSB, events);
  for (int i = 0; i < 10000; ++i) feed(codec, endless, events);
  EXPECT_TRUE(events.empty());
  EXPECT_FALSE(codec.holds_unfinished_line());
}

TEST(TelnetCodec, DropsCommandsItDoesNotKnow) {
  EXPECT_EQ(events_of("a" + kIAC + "\x01" + kIAC + "\n" + kIAC + "\xf2" + kSE + "b\n"),
            (Events{"line ab"}));
}

TEST(TelnetCodec, DropsTheLineBeingTypedOnAnInterrupt) {
  EXPECT_EQ(events_of("abc" + kIP + "d\n"), (Events{"interrupt", "line d"}));
  EXPECT_EQ(events_of("abc\r" + kIP + "d\n"), (Events{"interrupt", "line d"}));
  EXPECT_EQ(events_of("abc\n" + kIP + "\rd\n"), (Events{"line abc", "interrupt", "line d"}));
}

TEST(TelnetCodec, GivesTheUsualTelnetBackItsOutputAfterCtrlC) {
  EXPECT_EQ(events_of("abc" + kIP + kDo + kTimingMark + "d\r\n"),
            (Events{"interrupt", "reply " + kWont + kTimingMark, "line d"}));
}

TEST(TelnetCodec, ErasesACharacter) {
  EXPECT_EQ(events_of("ab" + kEC + "c\n"), (Events{"line ac"}));
  EXPECT_EQ(events_of(kEC + "a\n" + kEC + "b\n"), (Events{"line a", "line b"}));
  EXPECT_EQ(events_of("a\r" + kEC + "b\n"), (Events{"line ab"}));
}

TEST(TelnetCodec, ErasesACharacterOfUtf8Whole) {
  EXPECT_EQ(events_of("aé" + kEC + "\n"), (Events{"line a"}));
  EXPECT_EQ(events_of("雪🎿" + kEC + "\n"), (Events{"line 雪"}));
  EXPECT_EQ(events_of("a\x80\x80\x80\x80" + kEC + "\n"), (Events{"line a"}))
      << "not UTF-8, but no more than four bytes go";
}

TEST(TelnetCodec, ErasesTheLine) {
  EXPECT_EQ(events_of("abc" + kEL + "d\n"), (Events{"line d"}));
  EXPECT_EQ(events_of("abc\r" + kEL + "d\n"), (Events{"line d"}));
}

TEST(TelnetCodec, PassesOnTheQuestionWhetherWeAreThere) {
  EXPECT_EQ(events_of("ab" + kAYT + "c\n"), (Events{"are you there", "line abc"}));
}

TEST(TelnetCodec, EndsTheInputAtAnEndOfTransmissionOnAnEmptyLine) {
  EXPECT_EQ(events_of("a\r\n" + kEOT + "b\n"), (Events{"line a", "end of input"}));
  EXPECT_EQ(events_of("a\n\r" + kEOT + "b\n"), (Events{"line a", "end of input"}));
  EXPECT_EQ(events_of("a" + kEC + kEOT + "b\n"), (Events{"end of input"}));
  EXPECT_EQ(events_of(kEOF + "b\n"), (Events{"end of input"}));
}

TEST(TelnetCodec, DoesNotEndTheInputInTheMiddleOfALine) {
  EXPECT_EQ(events_of("a" + kEOT + "b\n"), (Events{"line a\x04"
                                                   "b"}));
  EXPECT_EQ(events_of("a" + kEOF + "b\n"), (Events{"line ab"}));
}

TEST(TelnetCodec, AnswersNothingOnceTheInputHasEnded) {
  EXPECT_EQ(events_of(kEOT + kDo + "\x01" + kAYT + kIP), (Events{"end of input"}));
}

TEST(TelnetCodec, RefusesALineThatIsTooLongAndAllBehindIt) {
  const std::string longest(kMaxLine, 'x');
  EXPECT_EQ(events_of(longest + "\r\na\n"), (Events{"line " + longest, "line a"}));
  EXPECT_EQ(events_of("a\n" + longest + "x\r\na\n"), (Events{"line a", "line too long"}));
  EXPECT_EQ(events_of(longest + "\rx\n"), (Events{"line too long"}));
}

TEST(TelnetCodec, CountsNeitherLineEndNorCommandsNorErasedCharacters) {
  const std::string half(kMaxLine / 2, 'x');
  EXPECT_EQ(events_of(half + kNop + half + "\r\n"), (Events{"line " + half + half}));
  EXPECT_EQ(events_of(half + half + kEC + "y\r\0"s),
            (Events{"line " + half + std::string(kMaxLine / 2 - 1, 'x') + "y"}));
  EXPECT_EQ(events_of(half + kEL + half + half + "\n"), (Events{"line " + half + half}));
  EXPECT_EQ(events_of(half + half + kIAC + kIAC + "\n"), (Events{"line too long"}));
}

TEST(TelnetCodec, TakesLinesOfAnyLengthUpToTheLimit) {
  for (const std::size_t size : {511u, 512u, 513u, 1024u, 3000u}) {
    const std::string line(size, 'x');
    EXPECT_EQ(events_of(line + "\r\n", size), (Events{"line " + line}));
    EXPECT_EQ(events_of(line + "\r\n", size - 1), (Events{"line too long"}));
  }
}

TEST(TelnetCodec, LeavesWhatIsBehindAnEventToTheCaller) {
  TelnetCodec codec(kMaxLine);
  std::string_view input = "first\r\nsecond\r\n";
  EXPECT_EQ(codec.next(input), Event::line);
  EXPECT_EQ(codec.line(), "first");
  EXPECT_EQ(input, "second\r\n");
}

TEST(TelnetCodec, DoesNotCopyALineThatCameInOnePiece) {
  TelnetCodec codec(kMaxLine);
  const std::string wire = "look\r\n";
  std::string_view input = wire;
  codec.next(input);
  EXPECT_EQ(codec.line().data(), wire.data());
}

TEST(TelnetCodec, KnowsWhetherALineIsUnfinished) {
  TelnetCodec codec(kMaxLine);
  Events events;
  feed(codec, "a\nb", events);
  EXPECT_TRUE(codec.holds_unfinished_line());
  feed(codec, "\n", events);
  EXPECT_FALSE(codec.holds_unfinished_line());
}

TEST(TelnetCodec, GivesTheSameEventsOfRandomBytesHoweverTheyAreCut) {
  std::mt19937 random(42);
  const std::string likely =
      "ab\n\r\0\x04\x06\xc3\xa9\xec\xf0\xf4\xf6\xf7\xf8\xfa\xfb\xfd\xff\xff"s;
  for (int round = 0; round < 3000; ++round) {
    std::string wire;
    for (auto size = random() % 60; size > 0; --size) wire += likely[random() % likely.size()];
    TelnetCodec whole(kMaxLine), pieces(kMaxLine);
    Events of_whole, of_pieces;
    feed(whole, wire, of_whole);
    for (std::size_t at = 0, size = 0; at < wire.size(); at += size) {
      size = 1 + random() % 8;
      feed(pieces, wire.substr(at, size), of_pieces);
    }
    ASSERT_EQ(of_pieces, of_whole) << testing::PrintToString(wire);
  }
}

TEST(EscapeIac, DoublesByte255AndNothingElse) {
  EXPECT_EQ(escape_iac("plain"), "plain");
  EXPECT_EQ(escape_iac(""), "");
  EXPECT_EQ(escape_iac("\xff"), "\xff\xff");
  EXPECT_EQ(escape_iac("a\xff\xfe\xff\0b"s), "a\xff\xff\xfe\xff\xff\0b"s);
}

TEST(EscapeIac, IsUndoneByTheCodec) {
  std::string data;
  for (int byte = 0; byte < 256; ++byte)
    if (byte != '\n' && byte != '\r') data += static_cast<char>(byte);
  EXPECT_EQ(events_of(escape_iac(data) + "\r\n", 256), (Events{"line " + data}));
}

}  // namespace
}  // namespace eddy
