// What an operator types at the terminal of a server, here of chat.

#include <gtest/gtest.h>
#include <pty.h>
#include <signal.h>
#include <unistd.h>

#include <string>
#include <system_error>
#include <thread>

#include "chat_server.h"

namespace eddy {
namespace {

struct Terminal {
  UniqueFd operators;
  UniqueFd programs;
  Terminal() {
    int both[2];
    if (::openpty(&both[0], &both[1], nullptr, nullptr, nullptr) < 0)
      throw std::system_error(errno, std::generic_category(), "openpty");
    operators = UniqueFd(both[0]);
    programs = UniqueFd(both[1]);
  }
  void type(std::string_view keys) const {
    if (::write(operators.get(), keys.data(), keys.size()) != static_cast<ssize_t>(keys.size()))
      throw std::system_error(errno, std::generic_category(), "write to the terminal");
  }
};

class ConsoleTest : public testing::Test {
 protected:
  bool eventually_says(const std::string& text) {
    return eventually([&] { return server_.err().text() == text; }, Seconds(10));
  }

  const Terminal terminal_;
  ChatServer server_{{"--log-level", "off"}, {.terminal = terminal_.programs.get()}};
};

TEST_F(ConsoleTest, PromptsOnStandardError) {
  EXPECT_TRUE(eventually_says(">>> "));
  terminal_.type("\n  \n");
  EXPECT_TRUE(eventually_says(">>> >>> >>> ")) << server_.err().text();
  EXPECT_TRUE(server_.out().text().starts_with("listening on "));
}

TEST_F(ConsoleTest, ClientsListsTheConnections) {
  terminal_.type("clients\n");
  EXPECT_TRUE(eventually_says(">>> none\n>>> ")) << server_.err().text();
  const auto anna = server_.join();
  const auto bert = server_.join();
  terminal_.type(" clients \n");
  EXPECT_TRUE(eventually_says(">>> none\n>>> " + anna->name() + '\n' + bert->name() + "\n>>> "))
      << server_.err().text();
}

TEST_F(ConsoleTest, ThreadsListsTheWorkersOfWhichChatHasNone) {
  terminal_.type("threads\n");
  EXPECT_TRUE(eventually_says(">>> none\n>>> ")) << server_.err().text();
}

TEST_F(ConsoleTest, SaysWhatItKnowsWhenACommandIsUnknown) {
  terminal_.type("bo\xffgus\n");
  EXPECT_TRUE(eventually_says(">>> unknown command 'bo\\xffgus': clients, threads or quit\n>>> "))
      << server_.err().text();
}

TEST_F(ConsoleTest, QuitStopsTheServerAsSigtermDoes) {
  const auto anna = server_.join();
  terminal_.type("quit\n");
  EXPECT_EQ(anna->read_to_end(), "");
  EXPECT_EQ(server_.wait(), 0);
  EXPECT_EQ(server_.err().wait_to_end(), ">>> ");
}

TEST_F(ConsoleTest, SeveralCommandsMayBeTypedAhead) {
  terminal_.type("threads\nclients\nquit\n");
  EXPECT_EQ(server_.wait(), 0);
  EXPECT_EQ(server_.err().wait_to_end(), ">>> none\n>>> none\n>>> ");
}

TEST_F(ConsoleTest, TheEndOfStandardInputIsNoCommand) {
  terminal_.type("\x04");  // Ctrl-D
  terminal_.type("threads\n");
  EXPECT_TRUE(eventually_says(">>> none\n>>> ")) << server_.err().text();
}

TEST(Console, ATerminalThatHangsUpCostsNothing) {
  Terminal terminal;
  const std::string program = DemoProcess::path_of("chat");
  const std::string script = "trap '' HUP; exec " + program + " --port 0";
  DemoProcess server("/bin/sh", {"-c", script}, {.terminal = terminal.programs.get()});
  ASSERT_TRUE(server.err().wait_for(">>> "));
  terminal.programs.reset();
  terminal.operators.reset();
  const Seconds before = server.cpu_time();
  std::this_thread::sleep_for(Seconds(0.5));  // in which it would spin
  EXPECT_LT(server.cpu_time() - before, Seconds(0.25));
  server.kill(SIGTERM);
  EXPECT_EQ(server.wait(), 0);
}

TEST(Console, AJobInTheBackgroundTakesNothingFromTheShellAndIsNotStopped) {
  const Terminal terminal;
  const std::string script =
      "set -m; \"$0\" --port 0 & pid=$!; read line; "
      "echo \"shell: $line, job: $(cut -d ' ' -f 3 /proc/$pid/stat)\"; fg";
  DemoProcess shell("/bin/sh", {"-c", script, DemoProcess::path_of("chat")},
                    {.terminal = terminal.programs.get()});
  ASSERT_TRUE(shell.out().wait_for("listening on "));
  terminal.type("quit\n");
  EXPECT_TRUE(shell.out().wait_for("shell: quit, job: ")) << shell.out().text();
  EXPECT_FALSE(shell.out().wait_for("job: T", Seconds(0))) << shell.out().text();
  EXPECT_EQ(shell.err().text(), "");
  terminal.type("threads\nquit\n");  // the job is in the foreground now
  EXPECT_EQ(shell.wait(), 0);
  EXPECT_NE(shell.err().wait_to_end().find("none\n>>> "), std::string::npos);
}

TEST(Console, WithoutATerminalStandardInputIsLeftAlone) {
  ChatServer server({"--log-level", "off"});
  const auto anna = server.join();
  EXPECT_EQ(server.err().text(), "");
}

}  // namespace
}  // namespace eddy
