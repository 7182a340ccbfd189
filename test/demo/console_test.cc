// What an operator types at the terminal of a server: of chat, and of echo, which has workers.

#include <gtest/gtest.h>
#include <pty.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>

#include "chat_server.h"
#include "echo_server.h"

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

class EchoConsole : public testing::TestWithParam<EchoWay> {
 protected:
  // What the terminal shows once a command was answered.
  std::string after(const std::string& command) {
    const std::string before = server_.process().err().text();
    terminal_.type(command + '\n');
    const auto answered = [&] {
      const std::string text = server_.process().err().text();
      return text.size() > before.size() && text.ends_with(">>> ");
    };
    EXPECT_TRUE(eventually(answered, Seconds(10))) << command;
    const std::string answer = server_.process().err().text().substr(before.size());
    return answer.substr(0, answer.size() - std::string_view(">>> ").size());
  }

  const Terminal terminal_;
  EchoServer server_{GetParam(), {"--log-level", "off"}, {.terminal = terminal_.programs.get()}};
};

std::string children_of(const DemoProcess& server) {
  const std::string pid = std::to_string(server.pid());
  std::ifstream file("/proc/" + pid + "/task/" + pid + "/children");
  std::string all;
  std::getline(file, all);
  return all;
}

// The second client may be on another thread than the first, or on the same.
std::size_t connections_on(const std::string& threads) {
  std::size_t sum = 0;
  for (std::size_t at = threads.find(": "); at != threads.npos; at = threads.find(": ", at + 1))
    sum += std::stoul(threads.substr(at + 2));
  return sum;
}

TEST_P(EchoConsole, ListsClientsAndWorkersAndQuits) {
  ASSERT_TRUE(server_.process().err().wait_for(">>> "));
  EXPECT_EQ(after("clients"), "none\n");
  const auto anna = server_.join();
  const auto bert = server_.join();
  ASSERT_TRUE(anna->is_answered("hello") && bert->is_answered("hello"));
  const std::string clients = after("clients");
  EXPECT_NE(clients.find(anna->name() + '\n'), clients.npos) << clients;
  EXPECT_NE(clients.find(bert->name() + '\n'), clients.npos) << clients;
  const std::string workers = after("threads");
  if (std::string_view(GetParam().name) == "TCP") {
    EXPECT_EQ(workers, "none\n");
  } else if (std::string_view(GetParam().name) == "Threads") {
    EXPECT_EQ(std::count(workers.begin(), workers.end(), '\n'), 4) << workers;
    EXPECT_EQ(connections_on(workers), 2U) << workers;
  } else {
    const std::string children = children_of(server_.process());
    const std::string first = children.substr(0, children.find(' '));
    EXPECT_NE(workers.find("child " + first + ": " + anna->name() + '\n'), workers.npos) << workers;
  }
  terminal_.type("quit\n");
  EXPECT_EQ(server_.process().wait(), 0);
}
INSTANTIATE_TEST_SUITE_P(Each, EchoConsole,
                         testing::ValuesIn({kEchoStreamWays[0], kEchoStreamWays[2],
                                            kEchoStreamWays[3]}),
                         name_of_way);

TEST(Console, OfSeveralWorkersTheFirstHasItAndQuitStopsThemAll) {
  const Terminal terminal;
  EchoServer server(kEchoStreamWays[0], {"--processes", "2", "--log-level", "off"},
                    {.terminal = terminal.programs.get()});
  ASSERT_TRUE(server.process().err().wait_for(">>> "));
  terminal.type("threads\nquit\n");
  EXPECT_EQ(server.process().wait(), 0);
  EXPECT_EQ(server.process().err().wait_to_end(), ">>> none\n>>> ");
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
      "echo \"shell: $line, job: $(cut -d ' ' -f 3 /proc/$pid/stat)\"; read line; fg";
  DemoProcess shell("/bin/sh", {"-c", script, DemoProcess::path_of("chat")},
                    {.terminal = terminal.programs.get()});
  ASSERT_TRUE(shell.out().wait_for("listening on "));
  terminal.type("quit\n");
  EXPECT_TRUE(shell.out().wait_for("shell: quit, job: ")) << shell.out().text();
  EXPECT_FALSE(shell.out().wait_for("job: T", Seconds(0))) << shell.out().text();
  EXPECT_EQ(shell.err().text(), "");
  terminal.type("fg\nthreads\nquit\n");  // the job is in the foreground now
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
