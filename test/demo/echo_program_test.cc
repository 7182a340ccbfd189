// The program around echo: its command line, its threads and its children.

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "echo_server.h"

namespace eddy {
namespace {

using Words = DemoProcess::Words;

TEST(EchoProgram, RefusesWhatCannotBeTogether) {
  const Words refused[] = {
      {"--transport", "carrier-pigeon"},
      {"--transport", "unix"},
      {"--transport", "unix-dgram"},
      {"--transport", "tcp", "--unix", "@eddy-echo"},
      {"--transport", "udp", "--unix", "@eddy-echo"},
      {"--threads", "2", "--fork"},
      {"--transport", "udp", "--threads", "2"},
      {"--transport", "udp", "--fork"},
      {"--transport", "unix-dgram", "--unix", "@eddy-echo", "--fork"},
      {"--transport", "udp", "--tls-cert", "cert.pem", "--tls-key", "key.pem"},
      {"--threads", "0"},
      {"--max-children", "0"},
      {"--max-line", "0"},
      {"surplus"},
  };
  for (const Words& flags : refused) {
    DemoProcess program(DemoProcess::path_of("echo"), flags);
    EXPECT_EQ(program.wait(), 2) << flags.back();
    const std::string said = program.err().wait_to_end();
    EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
    EXPECT_EQ(program.out().wait_to_end(), "");
  }
}

TEST(EchoProgram, SaysWhereItListensForDatagramsToo) {
  EchoServer server(kEchoDatagramWays[1]);
  EXPECT_EQ(server.process().out().text(), "listening on unix:" + server.path() + "\n");
  server.process().kill(SIGTERM);
  EXPECT_EQ(server.process().wait(), 0);
  EXPECT_NE(::access(server.path().c_str(), F_OK), 0);
}

TEST(EchoProgram, LogsMessagesWithoutTheirControlCharacters) {
  EchoServer server(kEchoStreamWays[0]);
  const auto peer = server.stream();
  EXPECT_TRUE(peer->is_answered("\x1b[2J"));
  EXPECT_TRUE(server.process().err().wait_for("message of " + peer->name() + ": \\x1b[2J"));
}

TEST(EchoProgram, APeerThatStallsDoesNotGrowTheServer) {
  EchoServer server(kEchoStreamWays[0], {"--log-level", "off"});
  const auto stalled = server.stream();
  ASSERT_TRUE(stalled->is_answered("hello"));
  stalled->client().send_until_blocked(std::string(60'000, 'x'), 200 << 20);
  EXPECT_LT(server.process().resident_bytes(), allowance(64 << 20));
  EXPECT_TRUE(server.stream()->is_answered("hello"));
}

TEST(EchoThreads, ServeMoreClientsThanThereAreThreads) {
  EchoServer server({.name = "", .flags = {"--threads", "2"}});
  std::vector<std::unique_ptr<StreamPeer>> peers(50);
  for (auto& peer : peers) peer = server.stream();
  for (const auto& peer : peers) EXPECT_TRUE(peer->is_answered("hello"));
}

TEST(EchoFork, TheNextClientWaitsForAChildToEnd) {
  EchoServer server({.name = "", .flags = {"--fork", "--max-children", "2"}});
  const auto first = server.stream();
  const auto second = server.stream();
  EXPECT_TRUE(first->is_answered("hello"));
  EXPECT_TRUE(second->is_answered("hello"));
  const auto third = server.stream();
  third->send("hello");
  EXPECT_TRUE(second->is_answered("is anybody there?"));
  first->client().close();
  EXPECT_EQ(third->receive(third->name().size() + 6), third->name() + " hello");
}

TEST(EchoFork, ChildrenEndWithTheirServer) {
  EchoServer server({.name = "", .flags = {"--fork"}});
  const auto peer = server.stream();
  EXPECT_TRUE(peer->is_answered("hello"));
  server.process().kill(SIGKILL);
  EXPECT_EQ(peer->client().read_to_end(), "");
}

TEST(EchoFork, ASecondSignalEndsTheChildrenToo) {
  EchoServer server({.name = "", .flags = {"--fork"}});
  const auto stalled = server.stream();
  ASSERT_TRUE(stalled->is_answered("hello"));
  stalled->client().send_until_blocked(std::string(60'000, 'x'), 100 << 20);
  server.process().kill(SIGTERM);
  EXPECT_TRUE(server.process().err().wait_for("draining 1 connection"));
  server.process().kill(SIGTERM);
  EXPECT_EQ(server.process().wait(), 128 + SIGTERM);
}

}  // namespace
}  // namespace eddy
