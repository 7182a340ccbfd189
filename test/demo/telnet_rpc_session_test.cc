// What a person at a socket sees: calls, answers, numbers, telnet's commands, and the end.

#include <string>

#include "telnet_rpc_server.h"

namespace eddy {
namespace {

using namespace std::string_literals;

class TelnetRpcSession : public testing::Test {
 protected:
  // Everything that comes back when this is sent and the sending side is then closed.
  std::string transcript(std::string_view sent) const {
    Client client(server_.port());
    client.send(sent);
    client.half_close();
    return client.read_to_end();
  }

  TelnetRpcServer server_;
};

TEST_F(TelnetRpcSession, SaysNothingFirstAndAnswersACallOfTwoLines) {
  Client client(server_.port());
  client.send("math\r\nadd 20 22\r\n");
  EXPECT_EQ(client.read_line(), "[1] ok 42");
}

TEST_F(TelnetRpcSession, TakesBothLinesAsOne) {
  EXPECT_EQ(transcript("math.add 1 2\nmath add 1 2\n"), "[1] ok 3\r\n[2] ok 3\r\n");
}

TEST_F(TelnetRpcSession, NumbersEveryCallOfAConnectionFromOne) {
  EXPECT_EQ(transcript("echo.say a\nnobody\nhelp math\nmath\nwhat\necho.upper b\n"),
            "[1] ok a\r\n[2] error unknown handler 'nobody'\r\n"
            "[3] | math.add A B…\r\n[3] | math.mul A B…\r\n[3] | math.div A B\r\n"
            "[3] | math.fib N\r\n[3] ok\r\n"
            "[4] error handler 'math' has no method 'what'\r\n[5] ok B\r\n");
}

TEST_F(TelnetRpcSession, KnowsFourLineEnds) {
  for (const std::string& end : {"\n"s, "\r\n"s, "\n\r"s, "\r\0"s})
    EXPECT_EQ(transcript("math" + end + "add 1 2" + end), "[1] ok 3\r\n")
        << testing::PrintToString(end);
}

TEST_F(TelnetRpcSession, ReadsOnWhileACallRunsAndLetsAnswersOvertake) {
  EXPECT_EQ(transcript("time\nsleep 0.2\nmath\nadd 20 22\n"), "[2] ok 42\r\n[1] ok slept 0.2\r\n");
}

TEST_F(TelnetRpcSession, MixesTheRowsOfSeveralCallsLineByLine) {
  const std::string all = transcript("time.count 3 0.05\ntime.count 2 0.05\n");
  EXPECT_EQ(all.substr(0, all.find("[2] ok")).find("[1] | 3"), std::string::npos) << all;
  for (const char* line : {"[1] | 1\r\n", "[1] | 2\r\n", "[1] | 3\r\n", "[1] ok\r\n", "[2] | 1\r\n",
                           "[2] | 2\r\n", "[2] ok\r\n"})
    EXPECT_NE(all.find(line), std::string::npos) << line << " in " << all;
}

TEST_F(TelnetRpcSession, HintsAtHelpOnABlankFirstLineOnly) {
  EXPECT_EQ(transcript("\r\n\r\n  \r\nmath\r\n\r\nadd 1 2\r\n"),
            "type help, or quit\r\n[1] ok 3\r\n");
  EXPECT_EQ(transcript("echo.say x\n\n"), "[1] ok x\r\n");
}

TEST_F(TelnetRpcSession, HelpListsEveryHandler) {
  const std::string help = transcript("?\n");
  EXPECT_EQ(help, transcript("help\n"));
  for (const char* usage : {"echo.say TEXT…", "echo.upper TEXT…", "math.add A B…", "math.mul A B…",
                            "math.div A B", "math.fib N", "time.now", "time.sleep SECONDS",
                            "time.count N SECONDS", "sys.stats", "sys.tasks"})
    EXPECT_NE(help.find("[1] | "s + usage + "\r\n"), std::string::npos) << usage;
  EXPECT_TRUE(help.ends_with("[1] ok\r\n"));
  EXPECT_EQ(transcript("help nobody\n"), "[1] error unknown handler 'nobody'\r\n");
}

TEST_F(TelnetRpcSession, NoWordIsSpecialWhereAMethodIsExpected) {
  EXPECT_EQ(transcript("math\nhelp\nmath\nquit\nmath\n?\n"),
            "[1] error handler 'math' has no method 'help'\r\n"
            "[2] error handler 'math' has no method 'quit'\r\n"
            "[3] error handler 'math' has no method '?'\r\n");
}

TEST_F(TelnetRpcSession, RefusesAnUnknownHandlerRightAfterItsLine) {
  Client client(server_.port());
  EXPECT_EQ(client.ask("nobody"), "[1] error unknown handler 'nobody'");
  EXPECT_EQ(client.ask("math.add 1 2"), "[2] ok 3");  // a handler was expected next
}

TEST_F(TelnetRpcSession, CutsAndEscapesTheNamesOfStrangers) {
  const std::string answer = transcript(std::string(100, 'x') + "\n\x1b[2J\n");
  EXPECT_NE(answer.find("'" + std::string(64, 'x') + "'"), std::string::npos) << answer;
  EXPECT_EQ(answer.find('\x1b'), std::string::npos);
  EXPECT_NE(answer.find("\\x1b[2J"), std::string::npos) << answer;
}

TEST_F(TelnetRpcSession, TellsTheUsageWhenTheArgumentsAreWrong) {
  for (const char* line : {"math.div 1", "math.div 1 2 3", "math.div 1 x", "math.add 1.5 2"}) {
    const std::string answer = transcript(line + "\n"s);
    EXPECT_TRUE(answer.starts_with("[1] error ")) << answer;
    EXPECT_NE(answer.find("usage: math."), std::string::npos) << answer;
  }
}

TEST_F(TelnetRpcSession, AFailingCallLeavesTheConnectionAlone) {
  EXPECT_EQ(transcript("math.div 1 0\nmath.add 9223372036854775807 1\nmath.div 7 -2\n"),
            "[1] error division by zero\r\n[2] error 64-bit overflow\r\n[3] ok -3\r\n");
}

TEST_F(TelnetRpcSession, QuotesHoldAnArgumentTogether) {
  EXPECT_EQ(transcript("echo.say \"a  b\" c\necho.say \"open\n"),
            "[1] ok a  b c\r\n[2] error a quote is not closed\r\n");
}

TEST_F(TelnetRpcSession, QuitEndsAsTheEndOfSendingDoes) {
  Client client(server_.port());
  client.send("time.sleep 0.1\r\nquit\r\necho.say never\r\n");
  EXPECT_EQ(client.read_to_end(), "[1] ok slept 0.1\r\n");
  EXPECT_EQ(transcript("quit now\n"), "[1] error unknown handler 'quit'\r\n");
}

TEST_F(TelnetRpcSession, WhatFollowsQuitDoesNotMakeAReset) {
  Client client(server_.port());
  client.send("echo.say bye\r\nquit\r\n");
  EXPECT_EQ(client.read_line(), "[1] ok bye");
  client.send(std::string(200'000, 'x'));
  EXPECT_EQ(client.read_to_end(), "");
}

TEST_F(TelnetRpcSession, EotAndTelnetsEofQuitOnAnEmptyLine) {
  for (const char* end : {"\x04", "\xff\xec"}) {
    Client client(server_.port());
    client.send("math.add 1 2\r\n"s + end + "echo.say never\r\n");
    EXPECT_EQ(client.read_to_end(), "[1] ok 3\r\n");
  }
  EXPECT_EQ(transcript("echo.say a\x04z\n"), "[1] ok a\x04z\r\n");
}

TEST_F(TelnetRpcSession, EotDropsAHandlersLineAndQuits) {
  Client client(server_.port());
  client.send("math\r\n\x04");
  EXPECT_EQ(client.read_to_end(), "");
  EXPECT_TRUE(server_.err().wait_for("dropped an unfinished call of " + client.name()));
}

TEST_F(TelnetRpcSession, InterruptDropsTheLineAndTheHandlerButNoCall) {
  EXPECT_EQ(transcript("time.sleep 0.1\r\nmath\r\nadd 1 \xff\xf4"
                       "echo.say x\r\n"),
            "[2] ok x\r\n[1] ok slept 0.1\r\n");
}

TEST_F(TelnetRpcSession, ErasesACharacterOrTheLine) {
  EXPECT_EQ(transcript("echo.say a\xc3\xa4\xff\xf7"
                       "b\r\n"),
            "[1] ok ab\r\n");
  EXPECT_EQ(transcript("rubbish\xff\xf8"
                       "echo.say x\r\n"),
            "[1] ok x\r\n");
}

TEST_F(TelnetRpcSession, SaysYesToAreYouThere) {
  EXPECT_EQ(transcript("echo.say \xff\xf6x\r\n"), "[yes]\r\n[1] ok x\r\n");
}

TEST_F(TelnetRpcSession, DeclinesEachOptionOnceAndTimingMarkEveryTime) {
  EXPECT_EQ(transcript("\xff\xfd\x01\xff\xfd\x01\xff\xfb\x01"), "\xff\xfc\x01\xff\xfe\x01");
  EXPECT_EQ(transcript("\xff\xfd\x06\xff\xfd\x06"), "\xff\xfc\x06\xff\xfc\x06");
}

TEST_F(TelnetRpcSession, Answers256OptionsOnce) {
  std::string offers;
  for (int option = 0; option < 256; ++option)
    offers += "\xff\xfb"s + static_cast<char>(option) + "\xff\xfe"s + static_cast<char>(option);
  EXPECT_EQ(transcript(offers + offers).size(), 3U * 256);
}

TEST_F(TelnetRpcSession, TakesCommandsOutOfTheMiddleOfALine) {
  EXPECT_EQ(transcript("ma\xff\xf1th.a\xff\xfa\x18\x01\xff\xff\xff\xf0"
                       "dd 1 \xff\xfe\x01"
                       "2\r\n"),
            "[1] ok 3\r\n");
}

TEST_F(TelnetRpcSession, SendsAByte255Twice) {
  EXPECT_EQ(transcript("echo.say a\xff\xff"
                       "b\r\n"),
            "[1] ok a\xff\xff"
            "b\r\n");
}

TEST_F(TelnetRpcSession, MeansTheSameWhereverItIsCut) {
  const std::string sent =
      "ma\xff\xf1th\r\nadd \xff\xff\xff\xf7"
      "1 2\r\n\xff\xfd\x06\xff\xfa\x18\xff\xf0time\r\n";
  for (std::size_t cut = 0; cut <= sent.size(); ++cut) {
    Client client(server_.port());
    client.send(sent.substr(0, cut));
    if (cut % 2 == 0) {
      EXPECT_TRUE(server_.is_healthy());  // so that it has been read
    }
    client.send(sent.substr(cut));
    client.half_close();
    EXPECT_EQ(client.read_to_end(), "[1] ok 3\r\n\xff\xfc\x06") << "cut at " << cut;
    Client ending(server_.port());
    ending.send(sent.substr(0, cut));
    ending.half_close();
    ending.read_to_end();
  }
  EXPECT_TRUE(server_.is_healthy());
}

TEST_F(TelnetRpcSession, UrgentDataIsReadInItsPlace) {
  Client client(server_.port());
  client.send("math.add 1 ");
  client.send_urgent('2');
  client.send("3\r\n");
  EXPECT_EQ(client.read_line(), "[1] ok 24");
}

TEST_F(TelnetRpcSession, HalfCloseLetsEveryCallFinish) {
  EXPECT_EQ(transcript("time.sleep 0.2\ntime.sleep 0.1\n"),
            "[2] ok slept 0.1\r\n[1] ok slept 0.2\r\n");
}

TEST_F(TelnetRpcSession, DropsAndLogsWhatIsUnfinished) {
  Client client(server_.port());
  client.send("math.add 1 2\nmath.add 3 4");
  client.half_close();
  EXPECT_EQ(client.read_to_end(), "[1] ok 3\r\n");
  EXPECT_TRUE(server_.err().wait_for("dropped an unfinished call of " + client.name()));
}

TEST_F(TelnetRpcSession, AResetCancelsTheCalls) {
  Client client(server_.port());
  client.send("time.sleep 3600\ntime.count 1000000 0.001\nmath.add 1 2\n");
  client.read_until("[3] ok 3\r\n");
  EXPECT_TRUE(server_.eventually_in_flight(2));
  client.reset();
  EXPECT_TRUE(server_.eventually_in_flight(0));
}

TEST_F(TelnetRpcSession, AResetAfterAHalfCloseCancelsThemToo) {
  Client client(server_.port());
  client.send("time.sleep 3600\nmath.add 1 2\n");
  client.half_close();
  client.read_until("[2] ok 3\r\n");
  client.reset();
  EXPECT_TRUE(server_.eventually_in_flight(0));
}

TEST_F(TelnetRpcSession, TellsWhatItIsDoing) {
  Client client(server_.port());
  client.send("time.sleep 3600\nsys.tasks\n");
  const std::string tasks = client.read_until("[2] ok");
  EXPECT_NE(tasks.find("rpc_handlers.cc"), std::string::npos) << tasks;
  EXPECT_EQ(server_.statistic("connections"), 2);
}

TEST_F(TelnetRpcSession, LogsNoControlByteOfAStranger) {
  Client client(server_.port());
  client.send("\x1b[31m\r\n\x07\x9b\r\nmath\r\n\x1b]0;owned\x07");
  client.half_close();
  client.read_to_end();
  EXPECT_TRUE(server_.err().wait_for("dropped an unfinished call"));
  for (const char byte : server_.err().text())
    EXPECT_TRUE(byte == '\n' || static_cast<unsigned char>(byte) >= 0x20);
}

}  // namespace
}  // namespace eddy
