#include <fcntl.h>
#include <gtest/gtest.h>
#include <malloc.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include <eddy/loop/await.h>
#include <eddy/loop/gen.h>
#include <eddy/loop/io_loop.h>
#include <eddy/loop/run_sync.h>
#include <eddy/server/child_process.h>
#include <eddy/server/netutil.h>
#include <eddy/server/subprocess.h>

#include "../support/simulated_loop.h"

namespace eddy {
namespace {

using namespace std::chrono_literals;
using Words = std::vector<std::string>;

constexpr auto kPatience = 20s;

Words shell(const std::string& script) { return {"sh", "-c", script}; }

Subprocess::Options with_output() {
  Subprocess::Options options;
  options.output = Subprocess::kStream;
  return options;
}

class SubprocessFork : public testing::Test {
 protected:
  template <class T>
  T result_of(Future<T> future) {
    return loop.run_sync([&] { return std::move(future); }, kPatience);
  }
  std::string output_of(const Words& words) {
    const Subprocess program(words, with_output());
    return result_of(program.output->read_until_close());
  }
  std::optional<CalledProcessError> failure_of(Subprocess& program) {
    try {
      result_of(program.wait_for_exit());
    } catch (const CalledProcessError& error) {
      return error;
    }
    return std::nullopt;
  }

  IOLoop loop;
};

TEST_F(SubprocessFork, GivesWhatTheProgramPrints) {
  EXPECT_EQ(output_of({"echo", "two words", "three"}), "two words three\n");
}

TEST_F(SubprocessFork, TalksWithItUntilEitherEnds) {
  Subprocess::Options options = with_output();
  options.input = Subprocess::kStream;
  Subprocess cat({"cat"}, options);
  for (const std::string line : {"one\n", "two\n"}) {
    static_cast<void>(cat.input->write(line));
    EXPECT_EQ(result_of(cat.output->read_until("\n")), line);
  }
  cat.input.reset();
  EXPECT_EQ(result_of(cat.output->read_until_close()), "");
  EXPECT_EQ(result_of(cat.wait_for_exit()), 0);
}

TEST_F(SubprocessFork, KeepsOutputAndErrorsApart) {
  Subprocess::Options options = with_output();
  options.error = Subprocess::kStream;
  const Subprocess program(shell("echo fine; echo oops >&2"), options);
  EXPECT_EQ(result_of(program.output->read_until_close()), "fine\n");
  EXPECT_EQ(result_of(program.error->read_until_close()), "oops\n");
  EXPECT_EQ(program.input, nullptr);
}

TEST_F(SubprocessFork, NullIsEmptyAndTakesAll) {
  Subprocess::Options options = with_output();
  options.input = options.error = Subprocess::kNull;
  const Subprocess program(shell("cat; echo oops >&2; echo over"), options);
  EXPECT_EQ(result_of(program.output->read_until_close()), "over\n");
}

// --- How it ends

TEST_F(SubprocessFork, AnExitCodeIsAnErrorUnlessOneAsksForIt) {
  Subprocess program(shell("exit 3"));
  const auto failure = failure_of(program);
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->returncode(), 3);
  EXPECT_STREQ(failure->what(), "'sh' ended with exit code 3");
  EXPECT_EQ(result_of(program.wait_for_exit(false)), 3) << "also later";
}

TEST_F(SubprocessFork, ASignalIsANegativeCode) {
  Subprocess program(shell("kill -9 $$"));
  const auto failure = failure_of(program);
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->returncode(), -SIGKILL);
  EXPECT_STREQ(failure->what(), "'sh' was ended by signal 9 (Killed)");
}

TEST_F(SubprocessFork, CanBeSentSignalsAlsoWhenItIsOver) {
  Subprocess program({"cat"}, {.input = Subprocess::kStream, .output = Subprocess::kNull});
  program.send_signal(SIGTERM);
  EXPECT_EQ(result_of(program.wait_for_exit(false)), -SIGTERM);
  program.send_signal(SIGTERM);
}

TEST_F(SubprocessFork, SeveralMayWaitAndOneMayGiveUp) {
  Subprocess program({"cat"}, {.input = Subprocess::kStream, .output = Subprocess::kNull});
  static_cast<void>(program.wait_for_exit());
  EXPECT_THROW(result_of(with_timeout(1ms, program.wait_for_exit())), TimeoutError);
  Future<int> first = program.wait_for_exit();
  program.input.reset();
  EXPECT_EQ(result_of(program.wait_for_exit()), 0);
  EXPECT_EQ(result_of(first), 0);
}

TEST_F(SubprocessFork, WhomSomebodyElseHasWaitedForEndedNobodyKnowsHow) {
  Subprocess program(shell("exit 3"));
  ASSERT_EQ(::waitpid(program.pid(), nullptr, 0), program.pid());
  const auto failure = failure_of(program);
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->returncode(), std::nullopt);
  EXPECT_THROW(result_of(program.wait_for_exit(false)), CalledProcessError);
}

TEST_F(SubprocessFork, OtherChildrenOfTheProcessAreLeftAlone) {
  const pid_t other = ::fork();
  if (other == 0) ::_exit(5);
  Subprocess program({"true"});
  EXPECT_EQ(result_of(program.wait_for_exit()), 0);
  int status = 0;
  EXPECT_EQ(::waitpid(other, &status, 0), other);
  EXPECT_EQ(WEXITSTATUS(status), 5);
}

TEST_F(SubprocessFork, DroppedItGoesOnAndLeavesNoZombie) {
  const std::size_t before = open_descriptors();
  std::optional<Subprocess> program(std::in_place, Words{"cat"},
                                    Subprocess::Options{.input = Subprocess::kStream});
  const pid_t pid = program->pid();
  program.reset();  // and cat finds the end of its input
  for (int waits = 0; waits < 2000 && ::kill(pid, 0) == 0; ++waits) loop.turn(10ms);
  EXPECT_NE(::kill(pid, 0), 0);
  EXPECT_EQ(open_descriptors(), before);
}

// --- What it finds

TEST_F(SubprocessFork, WhatCannotBeRunIsNamedAndNothingStaysOpen) {
  const std::size_t before = open_descriptors();
  try {
    const Subprocess program({"/no/such/program"}, with_output());
    FAIL() << "it runs";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code().value(), ENOENT);
    EXPECT_NE(std::string(error.what()).find("'/no/such/program'"), std::string::npos);
  }
  EXPECT_THROW(Subprocess({}), std::invalid_argument);
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(SubprocessFork, FindsNoDescriptorOfOurs) {
  const std::vector<UniqueFd> listening = bind_sockets(0, "127.0.0.1");
  struct stat listener {};
  ::fstat(listening.front().get(), &listener);
  const Subprocess other({"cat"}, {.input = Subprocess::kStream, .output = Subprocess::kNull});
  const std::string found = output_of({"ls", "-l", "/proc/self/fd"});
  EXPECT_EQ(found.find("socket:[" + std::to_string(listener.st_ino)), found.npos) << found;
  EXPECT_EQ(found.find("[event"), found.npos) << found;
  EXPECT_EQ(found.find("[pidfd"), found.npos) << found;
}

TEST_F(SubprocessFork, FindsSignalsAsTheyWereBefore) {
  loop.add_signal_handler(SIGTERM, [] {});
  Subprocess blocked(shell("kill -TERM $$; echo alive"), {.output = Subprocess::kNull});
  EXPECT_EQ(result_of(blocked.wait_for_exit(false)), -SIGTERM);
  const auto before = ::signal(SIGPIPE, SIG_IGN);
  Subprocess ignored(shell("kill -PIPE $$; echo alive"), {.output = Subprocess::kNull});
  ::signal(SIGPIPE, before);
  EXPECT_EQ(result_of(ignored.wait_for_exit(false)), -SIGPIPE);
}

TEST_F(SubprocessFork, WaitsThatAreGivenUpLeaveNothingBehind) {
  Subprocess sleeper({"sleep", "1000"});
  const auto given_up_after = [&](int waits) {
    while (waits-- > 0) {
      Future<int> wait = sleeper.wait_for_exit();
      if (waits % 2 == 0) wait.cancel();
    }
    return ::mallinfo2().uordblks;
  };
  const std::size_t before = given_up_after(1000);
  EXPECT_LT(given_up_after(100'000), before + (1U << 20));
  sleeper.send_signal(SIGKILL);
  EXPECT_EQ(result_of(sleeper.wait_for_exit(false)), -SIGKILL);
}

// --- ChildProcess, on which it stands

int lets_child_end = -1;

TEST(ChildProcessFork, ASignalThatComesInBetweenDoesNotHideHowItEnded) {
  int both[2];
  ASSERT_EQ(::pipe2(both, O_CLOEXEC), 0);
  const UniqueFd reader(both[0]);
  const UniqueFd writer(both[1]);
  const pid_t pid = ::fork();
  if (pid == 0) {
    char byte = 0;
    ::_exit(::read(reader.get(), &byte, 1) == 1 ? 7 : 1);
  }
  ChildProcess child(pid);
  lets_child_end = writer.get();
  struct sigaction interrupting {};  // without SA_RESTART
  struct sigaction before {};
  interrupting.sa_handler = [](int) { static_cast<void>(!::write(lets_child_end, "!", 1)); };
  ::sigaction(SIGALRM, &interrupting, &before);
  const itimerval soon{.it_interval = {}, .it_value = {.tv_sec = 0, .tv_usec = 50'000}};
  ::setitimer(ITIMER_REAL, &soon, nullptr);
  EXPECT_EQ(child.reap(), 7);  // begins to wait long before, as a rule
  ::sigaction(SIGALRM, &before, nullptr);
}

}  // namespace
}  // namespace eddy
