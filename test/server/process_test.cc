#include <fcntl.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>

#include <eddy/loop/io_loop.h>
#include <eddy/server/process.h>

#include "../support/demo_process.h"
#include "../support/descriptors.h"
#include "../support/program.h"

namespace eddy {
namespace {

using namespace std::chrono_literals;

using Work = std::function<int(Program&, int id)>;

// A program that forks workers, and what they do. It says `started`, and what is logged.
Program::Body workers(int processes, const Work& work, ForkOptions options = {}) {
  return [=](Program& self) mutable {
    self.log_to_test();
    if (!options.on_started) options.on_started = [&self] { self.tell("started"); };
    const Forked forked = fork_processes(processes, options);
    return forked.task_id ? work(self, *forked.task_id) : forked.exit_code;
  };
}

std::string own_pid() { return std::to_string(::getpid()); }

int wait_to_be_killed(Program& self, int id) {
  self.tell(std::to_string(id) + ' ' + own_pid());
  for (;;) ::pause();
}

void ignore(int signal) { ::signal(signal, SIG_IGN); }

// Blocked before the program forks, so that none comes too early.
void block(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
}

bool is_waiting(int signal) {
  sigset_t waiting;
  ::sigpending(&waiting);
  return sigismember(&waiting, signal) == 1;
}

int next_signal() {
  sigset_t all;
  sigfillset(&all);
  int signal = 0;
  ::sigwait(&all, &signal);
  return signal;
}

int id_in(const std::string& line) { return std::stoi(line); }
pid_t pid_in(const std::string& line) { return std::stoi(line.substr(line.find(' ') + 1)); }

std::map<int, pid_t> hear_of(Program& program, std::size_t workers) {
  std::map<int, pid_t> heard;
  while (heard.size() < workers) {
    const std::string line = program.hear();
    if (line == "started") continue;
    heard[id_in(line)] = pid_in(line);
  }
  return heard;
}

bool gone(pid_t pid) {  // or a zombie that nobody has fetched yet
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  return !std::getline(file, line) || line.find(") Z ") != line.npos;
}

// Lines that are, or begin with, the text.
std::size_t count_of(const std::string& text, const std::string& lines) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < lines.size(); at = lines.find('\n', at) + 1)
    count += lines.compare(at, text.size(), text) == 0;
  return count;
}

// --- Forking

TEST(ForkProcesses, EachChildHasATaskIdAndTheParentReturnsAfterTheLast) {
  Program program(workers(3, [](Program& self, int id) {
    self.tell(std::to_string(id));
    return task_id() == id ? 0 : 1;
  }));
  std::set<std::string> heard = program.hear(4);
  EXPECT_EQ(heard, (std::set<std::string>{"0", "1", "2", "started"}));
  EXPECT_EQ(program.wait(), 0);
  EXPECT_EQ(program.hear(), "") << "none was started again";
}

TEST(ForkProcesses, ZeroMeansOneForEachCoreThatItMayRunOn) {
  Program program([](Program& self) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<std::size_t>(::sched_getcpu()), &one);
    ::sched_setaffinity(0, sizeof one, &one);
    self.tell("cores " + std::to_string(cpu_count()));
    return workers(0, [](Program& child, int id) {
      child.tell(std::to_string(id));
      return 0;
    })(self);
  });
  EXPECT_EQ(program.hear(), "cores 1");
  EXPECT_EQ(program.hear(2), (std::set<std::string>{"0", "started"}));
  EXPECT_EQ(program.wait(), 0);
  EXPECT_GE(cpu_count(), 1);
}

TEST(ForkProcesses, WhereNobodyForkedThereIsNoTaskId) {
  EXPECT_EQ(task_id(), std::nullopt);
  Program program([](Program&) {
    const Forked forked = fork_processes(1);
    if (forked.task_id) return 0;
    return task_id() ? 1 : 7;
  });
  EXPECT_EQ(program.wait(), 7);
}

TEST(ForkProcesses, ALoopMadeBeforeIsRefusedWithAWordOfWhenToMakeIt) {
  const IOLoop loop;
  try {
    static_cast<void>(fork_processes(2));
    FAIL() << "it forked";
  } catch (const InvalidStateError& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("after fork_processes"), text.npos) << text;
  }
}

TEST(ForkProcesses, AChildMayNotForkAgain) {
  Program program(workers(1, [](Program& self, int) {
    try {
      static_cast<void>(fork_processes(2));
    } catch (const InvalidStateError& error) {
      self.tell(error.what());
    }
    return 0;
  }));
  EXPECT_NE(program.hear_until("child of fork_processes already"), "");
  EXPECT_EQ(program.wait(), 0);
}

TEST(ForkProcesses, EachChildMakesALoopOfItsOwn) {
  Program program(workers(2, [](Program& self, int id) {
    IOLoop loop;
    loop.add_callback([&] { self.tell(std::to_string(id)); });
    loop.add_callback([&] { loop.stop(); });
    loop.start();
    return 0;
  }));
  EXPECT_EQ(program.hear(3), (std::set<std::string>{"0", "1", "started"}));
  EXPECT_EQ(program.wait(), 0);
}

TEST(ForkProcesses, ChildrenDrawDifferentRandomNumbers) {
  Program program(workers(4, [](Program& self, int) {
    self.tell(std::to_string(::random()) + ' ' + std::to_string(std::rand()) + ' ' +
              std::to_string(::lrand48()));
    return 0;
  }));
  EXPECT_EQ(program.hear(5).size(), 5U);
  EXPECT_EQ(program.wait(), 0);
}

std::string open_files() {
  using Entries = std::filesystem::directory_iterator;
  return std::to_string(std::distance(Entries("/proc/self/fd"), Entries()));
}

TEST(ForkProcesses, ChildrenKeepWhatWasOpenAndNothingOfTheParents) {
  Program program([](Program& self) {
    self.tell(open_files());
    return workers(3, [](Program& child, int) {
      child.tell(open_files());
      return 0;
    })(self);
  });
  const std::string before = program.hear();
  EXPECT_EQ(program.hear(4), (std::set<std::string>{before, "started"}));
  EXPECT_EQ(program.wait(), 0);
}

TEST(ForkProcesses, TheSignalMaskComesBackInAll) {
  const auto masked = [] {
    sigset_t mask;
    ::sigprocmask(SIG_BLOCK, nullptr, &mask);
    return std::to_string(sigismember(&mask, SIGTERM)) + std::to_string(sigismember(&mask, SIGHUP));
  };
  Program program([&](Program& self) {
    block({SIGHUP});
    const Forked forked = fork_processes(2);
    self.tell((forked.task_id ? "child " : "parent ") + masked());
    return 0;
  });
  EXPECT_EQ(program.hear(2), std::set<std::string>{"child 01"});
  EXPECT_EQ(program.hear(), "parent 01");
}

// --- Workers that crash

TEST(ForkProcesses, AKilledWorkerIsReplacedUnderItsIdAndTheOthersStay) {
  Program program(workers(3, wait_to_be_killed));
  const std::map<int, pid_t> before = hear_of(program, 3);
  ::kill(before.at(1), SIGKILL);
  EXPECT_EQ(program.hear_until("worker"), "worker 1 (process " + std::to_string(before.at(1)) +
                                              ") was ended by signal 9 (Killed)");
  const std::string next = program.hear();
  EXPECT_EQ(id_in(next), 1);
  EXPECT_NE(pid_in(next), before.at(1));
  EXPECT_FALSE(gone(before.at(0)));
  EXPECT_FALSE(gone(before.at(2)));
}

TEST(ForkProcesses, AWorkerThatEndsWithACodeIsReplacedOneThatEndsWithZeroIsNot) {
  Program program([](Program& self) {
    const Pipe once;
    once.fill();
    return workers(2, [&](Program& child, int id) {
      child.tell(std::to_string(id));
      char byte = 0;
      return id == 1 && ::read(once.reader.get(), &byte, 1) == 1 ? 3 : 0;
    })(self);
  });
  const std::string heard = program.hear_to_end();
  EXPECT_EQ(program.wait(), 0);
  EXPECT_NE(heard.find("ended with exit code 3"), heard.npos);
  EXPECT_EQ(count_of("0\n", heard), 1U) << heard;
  EXPECT_EQ(count_of("1\n", heard), 2U) << heard;
}

TEST(ForkProcesses, OneThatCrashesAtItsStartIsTriedLessAndLessOftenAndThenGivenUp) {
  const auto began = std::chrono::steady_clock::now();
  Program program(workers(1, [](Program& self, int) {
    self.tell("forked");
    return 3;
  }));
  const std::string heard = program.hear_to_end();
  EXPECT_EQ(program.wait(), 1);
  EXPECT_EQ(count_of("forked", heard), 10U);
  EXPECT_GT(std::chrono::steady_clock::now() - began, 1s) << "a fork bomb";
  EXPECT_NE(heard.find("giving up: 10 workers crashed within 10 s (max_crashes, crash_window)"),
            heard.npos)
      << heard;
}

TEST(ForkProcesses, GivingUpItEndsTheOthersAlsoWhoDoNotWantTo) {
  ForkOptions options;
  options.max_crashes = 2;
  options.grace = 10ms;
  Program program(workers(
      3,
      [](Program& self, int id) {
        if (id == 0) return 3;
        if (id == 1) ignore(SIGTERM);
        return wait_to_be_killed(self, id);
      },
      options));
  std::map<int, pid_t> others;
  for (std::string line = program.hear(); !line.empty(); line = program.hear())
    if (line.starts_with("1 ") || line.starts_with("2 ")) others[id_in(line)] = pid_in(line);
  EXPECT_EQ(program.wait(), 1);
  for (const auto& [id, pid] : others) EXPECT_TRUE(gone(pid)) << id;
}

TEST(ForkProcesses, CrashesThatAreFarApartAreNoReasonToGiveUp) {
  ForkOptions options;
  options.max_crashes = 2;
  options.crash_window = 1ns;
  Program program(workers(1, wait_to_be_killed, options));
  for (int crash = 0; crash < 4; ++crash) {
    ::kill(hear_of(program, 1).at(0), SIGKILL);
    program.hear_until("worker 0");
  }
  EXPECT_EQ(hear_of(program, 1).size(), 1U);
}

// --- What the kernel refuses

class FailingFork : public Platform {
 public:
  explicit FailingFork(int after) : left_(after) {}
  pid_t fork() override {
    if (left_-- != 0) return Platform::fork();
    errno = EAGAIN;
    return -1;
  }

 private:
  int left_;
};

TEST(ForkProcesses, AKernelThatGivesNoProcessIsAnErrorAndNoneIsLeft) {
  Program program([](Program& self) {
    FailingFork failing(2);
    const ScopedPlatform installed(failing);
    try {
      if (fork_processes(3).task_id) return wait_to_be_killed(self, 0);
    } catch (const std::system_error& error) {
      self.tell(error.what());
      return ::waitpid(-1, nullptr, 0) < 0 && errno == ECHILD ? 0 : 1;
    }
    return 2;
  });
  EXPECT_EQ(program.hear_until("fork"), "fork: Resource temporarily unavailable");
  EXPECT_EQ(program.wait(), 0);
}

TEST(ForkProcesses, AKernelThatGivesNoSuccessorIsAskedAgain) {
  Program program([](Program& self) {
    FailingFork failing(1);
    const ScopedPlatform installed(failing);
    return workers(1, wait_to_be_killed)(self);
  });
  ::kill(hear_of(program, 1).at(0), SIGKILL);
  EXPECT_NE(program.hear_until("cannot start a worker: fork: Resource temporarily"), "");
  EXPECT_EQ(hear_of(program, 1).size(), 1U);
}

TEST(ForkProcesses, WhatOnStartedThrowsComesOutAndNoChildIsLeft) {
  ForkOptions options;
  options.on_started = [] { throw std::runtime_error("nobody listens"); };
  Program program([=](Program& self) {
    try {
      if (fork_processes(2, options).task_id) return wait_to_be_killed(self, 0);
    } catch (const std::runtime_error&) {
      return ::waitpid(-1, nullptr, 0) < 0 && errno == ECHILD ? 0 : 1;
    }
    return 2;
  });
  EXPECT_EQ(program.wait(), 0);
}

TEST(ForkProcesses, OtherChildrenOfTheProgramAreLeftAlone) {
  Program program([](Program& self) {
    const pid_t other = ::fork();
    if (other == 0) return 5;
    const int code = workers(2, [](Program&, int) { return 0; })(self);
    if (task_id()) return code;
    int status = 0;
    return ::waitpid(other, &status, 0) == other ? WEXITSTATUS(status) : 1;
  });
  EXPECT_EQ(program.wait(), 5);
}

// --- Signals

// Says which signals come, and ends with 0 at SIGTERM or SIGINT.
int tell_signals(Program& self, int id) {
  self.tell(std::to_string(id) + ' ' + own_pid());
  for (;;) {
    const int signal = next_signal();
    self.tell(std::to_string(id) + " got " + std::to_string(signal));
    if (signal == SIGTERM || signal == SIGINT) return 0;
  }
}

ForkOptions handling(const std::vector<int>& signals) {
  ForkOptions options;
  options.handled_signals = signals;
  return options;
}

const std::vector<int> kAll = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2};

TEST(ForkProcesses, PassesSignalsOnToAll) {
  Program program(workers(2, tell_signals, handling(kAll)));
  program.hear(3);
  for (const int signal : {SIGHUP, SIGUSR1, SIGUSR2}) {
    program.kill(signal);
    const std::string got = " got " + std::to_string(signal);
    EXPECT_EQ(program.hear(2), (std::set<std::string>{"0" + got, "1" + got}));
  }
}

// As it would end one process: a terminal that closes sends SIGHUP.
TEST(ForkProcesses, ASignalThatNoWorkerHandlesEndsThemAllAndIsNoCrash) {
  for (const int signal : {SIGHUP, SIGUSR1, SIGUSR2}) {
    Program program(workers(10, wait_to_be_killed));
    hear_of(program, 10);
    program.kill(signal);
    const std::string heard = program.hear_to_end();
    EXPECT_EQ(program.wait(), 128 + signal);
    EXPECT_EQ(count_of("worker ", heard), 1U) << heard;
    EXPECT_EQ(count_of("ending: the workers do not handle signal", heard), 1U) << heard;
    EXPECT_EQ(count_of("giving up", heard), 0U) << heard;
  }
}

TEST(ForkProcesses, WorkersThatHandleWhatEndsAnotherDrainWithIt) {
  Program program(workers(2, [](Program& self, int id) {
    if (id == 0) return wait_to_be_killed(self, id);
    block({SIGHUP, SIGTERM});
    return tell_signals(self, id);
  }));
  hear_of(program, 2);
  program.kill(SIGHUP);
  EXPECT_NE(program.hear_until("1 got " + std::to_string(SIGTERM)), "");
  EXPECT_EQ(program.wait(), 128 + SIGHUP);
}

class ForkProcessesStop : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(By, ForkProcessesStop, testing::Values(SIGTERM, SIGINT),
                         [](const auto& one) { return std::string(::sigabbrev_np(one.param)); });

TEST_P(ForkProcessesStop, IsPassedOnAndEndsWithZeroWhenAllDo) {
  Program program(workers(2, tell_signals, handling(kAll)));
  program.hear(3);
  program.kill(GetParam());
  const std::string got = " got " + std::to_string(GetParam());
  EXPECT_EQ(program.hear(2), (std::set<std::string>{"0" + got, "1" + got}));
  EXPECT_EQ(program.hear(), "") << "nobody is started again";
  EXPECT_EQ(program.wait(), 0);
}

TEST_P(ForkProcessesStop, WorkersThatDoNotHandleItJustEnd) {
  Program program(workers(2, wait_to_be_killed));
  program.hear(3);
  program.kill(GetParam());
  EXPECT_EQ(program.hear(), "");
  EXPECT_EQ(program.wait(), 0);
}

TEST_P(ForkProcessesStop, ASecondOneKillsWhoIsStillThere) {
  const int signal = GetParam();
  Program program(workers(
      2,
      [](Program& self, int id) {
        self.tell(std::to_string(id) + ' ' + own_pid());
        next_signal();
        self.tell("draining");
        for (;;) next_signal();
        return 0;
      },
      handling(kAll)));
  program.hear(3);
  program.kill(signal);
  program.hear(2);
  program.kill(signal);
  EXPECT_EQ(program.hear(), "") << "both have ended";
  EXPECT_EQ(program.wait(), 128 + signal);
}

// As a service manager does, which knows nothing of supervisors.
TEST_P(ForkProcessesStop, ThatReachesWorkersFromOthersTooIsNoSecondOne) {
  const int signal = GetParam();
  Program program(workers(
      1,
      [](Program& self, int) {
        self.tell("0 " + own_pid());
        next_signal();
        self.tell("draining");
        next_signal();
        return 0;
      },
      handling({signal})));
  ASSERT_EQ(::kill(hear_of(program, 1).at(0), signal), 0);
  program.hear_until("draining");
  program.kill(signal);
  EXPECT_EQ(program.wait(), 0);
}

TEST(ForkProcesses, AfterSigtermNobodyWhoCrashesIsReplacedAndTheCodeSaysSo) {
  Program program(workers(
      2,
      [](Program& self, int id) {
        self.tell(std::to_string(id));
        next_signal();
        return id == 0 ? 0 : 4;
      },
      handling({SIGTERM})));
  program.hear(3);
  program.kill(SIGTERM);
  EXPECT_NE(program.hear_until("ended with exit code 4"), "");
  EXPECT_EQ(program.hear(), "");
  EXPECT_EQ(program.wait(), 4);
}

TEST(ForkProcesses, OnStoppingIsCalledOnceInTheParent) {
  Program program([](Program& self) {
    ForkOptions options = handling(kAll);
    options.on_stopping = [&] { self.tell("stopping " + own_pid()); };
    return workers(
        1,
        [](Program& child, int) {
          child.tell("ready");
          next_signal();
          child.tell("draining");
          for (;;) next_signal();
          return 0;
        },
        options)(self);
  });
  program.hear(2);
  const std::string stopping = "stopping " + std::to_string(program.pid());
  program.kill(SIGTERM);
  EXPECT_EQ(program.hear(2), (std::set<std::string>{stopping, "draining"}));
  program.kill(SIGTERM);
  EXPECT_EQ(program.hear(), "");
  EXPECT_EQ(program.wait(), 128 + SIGTERM);
}

// A terminal whose Ctrl-C reaches a program, and all that it has forked by then.
class Terminal {
 public:
  Terminal() {
    int ours = -1;
    int theirs = -1;
    EXPECT_EQ(::openpty(&ours, &theirs, nullptr, nullptr, nullptr), 0);
    ours_ = UniqueFd(ours);
    theirs_ = UniqueFd(theirs);
  }
  void take_over() const {  // in the program
    ::setsid();
    ::ioctl(theirs_.get(), TIOCSCTTY, 0);
  }
  void interrupt() const { EXPECT_EQ(::write(ours_.get(), "\x03", 1), 1); }

 private:
  UniqueFd ours_;
  UniqueFd theirs_;
};

TEST(ForkProcesses, CtrlCReachesEachWorkerOnce) {
  const Terminal terminal;
  Program program([&](Program& self) {
    terminal.take_over();
    return workers(
        1,
        [](Program& child, int) {
          child.tell("ready");
          for (int signal = 0; signal != SIGUSR1;) {
            signal = next_signal();
            child.tell("got " + std::to_string(signal));
          }
          return 0;
        },
        handling(kAll))(self);
  });
  program.hear(2);
  terminal.interrupt();
  EXPECT_EQ(program.hear(), "got " + std::to_string(SIGINT));
  program.kill(SIGUSR1);
  EXPECT_EQ(program.hear(), "got " + std::to_string(SIGUSR1)) << "the next one";
  EXPECT_EQ(program.wait(), 0);
}

// Presses Ctrl-C when one worker has been forked and the next has not.
class InterruptedFork : public Platform {
 public:
  explicit InterruptedFork(const Terminal& terminal) : terminal_(terminal) {}
  pid_t fork() override {
    if (++forks_ == 2) terminal_.interrupt();
    while (forks_ == 2 && !is_waiting(SIGINT)) std::this_thread::yield();
    return Platform::fork();
  }

 private:
  const Terminal& terminal_;
  int forks_ = 0;
};

TEST(ForkProcesses, CtrlCWhileTheyAreForkedReachesWhoComesAfterIt) {
  const Terminal terminal;
  Program program([&](Program& self) {
    terminal.take_over();
    InterruptedFork interrupted(terminal);
    const ScopedPlatform installed(interrupted);
    return workers(2, tell_signals, handling(kAll))(self);
  });
  const std::string heard = program.hear_to_end();
  const std::string got = " got " + std::to_string(SIGINT);
  EXPECT_EQ(count_of("0" + got, heard), 1U) << heard;
  EXPECT_EQ(count_of("1" + got, heard), 1U) << heard;
  EXPECT_EQ(program.wait(), 0);
}

TEST(ForkProcesses, ASignalThatComesBeforeItsHandlerWaitsForIt) {
  Program program(workers(
      1,
      [](Program& self, int) {
        self.tell("ready");
        while (!is_waiting(SIGUSR1)) std::this_thread::yield();  // until it has been passed on
        IOLoop loop;
        const sigset_t outer = loop.signal_mask_for_exec();
        self.tell(sigismember(&outer, SIGUSR1) == 1 ? "inherited" : "not inherited");
        loop.add_signal_handler(SIGUSR1, [&] { loop.stop(); });
        loop.start();
        loop.remove_signal_handler(SIGUSR1);
        sigset_t mask;
        ::sigprocmask(SIG_BLOCK, nullptr, &mask);
        self.tell(sigismember(&mask, SIGUSR1) == 1 ? "blocked" : "open");
        return 0;
      },
      handling({SIGUSR1})));
  program.hear(2);
  program.kill(SIGUSR1);
  EXPECT_EQ(program.hear(), "not inherited");
  EXPECT_EQ(program.hear(), "open");
  EXPECT_EQ(program.wait(), 0);
}

TEST(ForkProcesses, WorkersEndWithTheirParentHoweverItEnds) {
  Program program(workers(2, [](Program& self, int id) {
    for (const int signal : kAll) ignore(signal);
    return wait_to_be_killed(self, id);
  }));
  const std::map<int, pid_t> all = hear_of(program, 2);
  program.kill(SIGKILL);
  EXPECT_EQ(program.wait(), -SIGKILL);
  for (const auto& [id, pid] : all) {
    const pid_t worker = pid;
    EXPECT_TRUE(eventually([worker] { return gone(worker); })) << id;
  }
}

TEST(ForkProcesses, WhereSigchldIsIgnoredNobodyWaitsForEver) {
  Program program([](Program& self) {
    ignore(SIGCHLD);
    ForkOptions options;
    options.max_crashes = 1;
    return workers(
        1, [](Program&, int) { return 0; }, options)(self);
  });
  EXPECT_NE(program.hear_until("nobody knows how"), "");
  EXPECT_EQ(program.wait(), 1);
}

}  // namespace
}  // namespace eddy
