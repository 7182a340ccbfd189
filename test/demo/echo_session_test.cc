// What echo answers, the same over each transport and wherever a request runs.

#include <signal.h>

#include <memory>
#include <string>
#include <vector>

#include "echo_server.h"

namespace eddy {
namespace {

class EchoEverywhere : public testing::TestWithParam<EchoWay> {};
class EchoStreams : public testing::TestWithParam<EchoWay> {};
class EchoDatagrams : public testing::TestWithParam<EchoWay> {};
INSTANTIATE_TEST_SUITE_P(Streams, EchoEverywhere, testing::ValuesIn(kEchoStreamWays), name_of_way);
INSTANTIATE_TEST_SUITE_P(Datagrams, EchoEverywhere, testing::ValuesIn(kEchoDatagramWays),
                         name_of_way);
INSTANTIATE_TEST_SUITE_P(Over, EchoStreams, testing::ValuesIn(kEchoStreamWays), name_of_way);
INSTANTIATE_TEST_SUITE_P(Over, EchoDatagrams, testing::ValuesIn(kEchoDatagramWays), name_of_way);

TEST_P(EchoEverywhere, EachMessageComesBackBehindItsClientsName) {
  EchoServer server(GetParam());
  std::vector<std::unique_ptr<EchoPeer>> peers;
  for (int i = 0; i < 3; ++i) {
    peers.push_back(server.join());
    EXPECT_TRUE(peers.back()->is_answered("hello"));
  }
  for (const std::string& message :
       {std::string("two words"), std::string("\xff\x01\0 bytes\r\n", 10), std::string(2000, 'x'),
        std::string("quitter"), std::string(" quit")})
    for (const auto& peer : peers) EXPECT_TRUE(peer->is_answered(message)) << message;
}

TEST_P(EchoEverywhere, EndsWhenItIsAsked) {
  EchoServer server(GetParam());
  const auto peer = server.join();
  EXPECT_TRUE(peer->is_answered("hello"));
  server.process().kill(SIGTERM);
  EXPECT_EQ(server.process().wait(), 0);
  EXPECT_EQ(server.process().err().wait_to_end().find("cut"), std::string::npos);
}

TEST_P(EchoStreams, QuitClosesWhateverBlanksFollowIt) {
  EchoServer server(GetParam());
  for (const std::string quit : {"quit", "quit\n", "quit\r\n", "quit \t \r\n"}) {
    const auto peer = server.stream();
    EXPECT_TRUE(peer->is_answered("hello"));
    peer->send(quit);
    EXPECT_EQ(peer->client().read_to_end(), "") << quit;
  }
}

TEST_P(EchoStreams, AClientThatEndsIsSeenOff) {
  EchoServer server(GetParam());
  const auto peer = server.stream();
  peer->send("hello");
  peer->client().half_close();
  EXPECT_EQ(peer->client().read_to_end(), peer->name() + " hello");
}

TEST_P(EchoStreams, LinesAreTheSameHoweverTheyAreCut) {
  EchoServer server(GetParam(), {"--lines"});
  const std::string lines = "one\r\n\n two \nquit\r\nnever\n";
  for (std::size_t cut = 0; cut < lines.find("\nnever"); ++cut) {
    const auto peer = server.stream();
    peer->send(lines.substr(0, cut));
    const std::string first = peer->name() + " one\n";
    const bool early = cut >= 5;
    if (early) {
      EXPECT_EQ(peer->client().read_until("\n"), first);  // the server has read so far
    }
    peer->send(lines.substr(cut));
    EXPECT_EQ(peer->client().read_to_end(),
              (early ? "" : first) + peer->name() + " \n" + peer->name() + "  two \n")
        << "cut at " << cut;
  }
}

TEST_P(EchoStreams, AnUnfinishedLineIsDropped) {
  EchoServer server(GetParam(), {"--lines"});
  const auto peer = server.stream();
  peer->send("one\nunfinished");
  peer->client().half_close();
  EXPECT_EQ(peer->client().read_to_end(), peer->name() + " one\n");
  EXPECT_TRUE(server.process().err().wait_for("dropped an unfinished line of " + peer->name()));
}

TEST_P(EchoStreams, ALineBeyondTheLimitClosesTheConnection) {
  EchoServer server(GetParam(), {"--lines", "--max-line", "10"});
  const auto peer = server.stream();
  EXPECT_TRUE(peer->is_answered("1234567890\n"));
  peer->send("12345678901\nnever\n");
  EXPECT_EQ(peer->client().read_to_end(), "");
  EXPECT_TRUE(
      server.process().err().wait_for("message longer than --max-line = 10 from " + peer->name()));
  EXPECT_TRUE(server.stream()->is_answered("next\n"));
}

TEST_P(EchoStreams, WhatHasArrivedIsAnsweredWhenItIsAskedToStop) {
  EchoServer server(GetParam(), {"--lines"});
  const auto idle = server.stream();
  EXPECT_TRUE(idle->is_answered("hello\n"));
  server.process().kill(SIGSTOP);
  ASSERT_TRUE(eventually([&] { return server.process().is_stopped(); }));
  std::vector<std::unique_ptr<StreamPeer>> late;
  for (int i = 0; i < 5; ++i) {
    late.push_back(server.stream());  // not accepted yet
    late.back()->send("one\ntwo\nunfi");
  }
  server.process().kill(SIGTERM);
  server.process().kill(SIGCONT);
  for (const auto& peer : late)
    EXPECT_EQ(peer->client().read_to_end(), peer->name() + " one\n" + peer->name() + " two\n");
  EXPECT_EQ(idle->client().read_to_end(), "");
  EXPECT_EQ(server.process().wait(), 0);
}

TEST_P(EchoStreams, ADrainHasItsPatienceAndSaysWhatItCut) {
  EchoServer server(GetParam(), {"--drain-timeout", "0.2", "--log-level", "off"});
  const auto stalled = server.stream();
  ASSERT_TRUE(stalled->is_answered("hello"));
  stalled->client().send_until_blocked(std::string(60'000, 'x'), 100 << 20);
  server.process().kill(SIGTERM);
  EXPECT_EQ(server.process().wait(), 0);
  const std::string said = server.process().err().wait_to_end();
  EXPECT_TRUE(said.ends_with(" drain timeout: cut 1 connection and 1 request\n")) << said;
}

TEST_P(EchoDatagrams, AnEmptyOneIsAMessageAndQuitHasNoMeaning) {
  EchoServer server(GetParam());
  const auto peer = server.join();
  EXPECT_TRUE(peer->is_answered(""));
  EXPECT_TRUE(peer->is_answered("quit"));
  EXPECT_TRUE(peer->is_answered("hello"));
}

TEST_P(EchoDatagrams, OneBeyondTheLimitIsDroppedAndLogged) {
  EchoServer server(GetParam(), {"--max-line", "10"});
  const auto peer = server.join();
  peer->send("12345678901");
  EXPECT_TRUE(peer->is_answered("1234567890"));
  EXPECT_TRUE(
      server.process().err().wait_for("message longer than --max-line = 10 from " + peer->name()));
}

TEST_P(EchoDatagrams, ALineLosesItsEndAndTheAnswerHasOne) {
  EchoServer server(GetParam(), {"--lines"});
  const auto peer = server.join();
  peer->send("hello\r\n");
  EXPECT_EQ(peer->receive(0), peer->name() + " hello\n");
}

TEST(EchoUDP, AnAnswerThatDoesNotFitIsDroppedAndLogged) {
  EchoServer server(kEchoDatagramWays[0]);
  const auto peer = server.join();
  peer->send(std::string(65'507, 'x'));  // the most that UDP takes
  EXPECT_TRUE(peer->is_answered("hello"));
  EXPECT_TRUE(server.process().err().wait_for("dropped an answer: "));
}

TEST(EchoUnixDatagrams, ANamelessClientCannotBeAnsweredWhichIsLogged) {
  EchoServer server(kEchoDatagramWays[1]);
  DatagramPeer nameless(UniqueFd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)),
                        SocketAddress::unix_path(server.path()));
  nameless.send("hello");
  EXPECT_TRUE(server.process().err().wait_for("dropped an answer: "));
  EXPECT_TRUE(server.join()->is_answered("hello"));
}

}  // namespace
}  // namespace eddy
