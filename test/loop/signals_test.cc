#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <system_error>

#include <eddy/loop/io_loop.h>
#include <eddy/loop/signals.h>

#include "../support/log_capture.h"

namespace eddy {
namespace {

struct SignalsTest : testing::Test {
  static void raise(int signal) { ::pthread_kill(::pthread_self(), signal); }
  static bool blocked(int signal) {
    sigset_t mask;
    ::pthread_sigmask(SIG_BLOCK, nullptr, &mask);
    return sigismember(&mask, signal) == 1;
  }
  IOLoop loop;
  int calls = 0;
};

TEST_F(SignalsTest, ASignalIsACallbackOfTheLoop) {
  loop.add_signal_handler(SIGUSR1, [this] { ++calls; });
  raise(SIGUSR1);
  EXPECT_EQ(calls, 0);
  loop.turn();
  EXPECT_EQ(calls, 1);
}

TEST_F(SignalsTest, TenThousandComeAsOneAtLeastAndTheLastIsNotLost) {
  loop.add_signal_handler(SIGUSR1, [this] { ++calls; });
  for (int round = 0; round < 100; ++round) {
    calls = 0;
    for (int at = 0; at < 100; ++at) raise(SIGUSR1);
    loop.turn();
    EXPECT_GE(calls, 1);
  }
}

TEST_F(SignalsTest, OneThatComesJustBeforeTheSleepEndsIt) {
  loop.add_signal_handler(SIGUSR1, [this] { loop.stop(); });
  loop.add_callback([] { raise(SIGUSR1); });
  loop.start();
}

TEST_F(SignalsTest, AnotherHandlerTakesTheFirstOnesPlace) {
  loop.add_signal_handler(SIGUSR1, [] { ADD_FAILURE(); });
  loop.add_signal_handler(SIGUSR1, [this] { ++calls; });
  raise(SIGUSR1);
  loop.turn();
  EXPECT_EQ(calls, 1);
}

TEST_F(SignalsTest, AHandlerMayRemoveItself) {
  loop.add_signal_handler(SIGUSR1, [this] {
    ++calls;
    EXPECT_TRUE(loop.remove_signal_handler(SIGUSR1));
  });
  loop.add_signal_handler(SIGUSR2, [this] { ++calls; });
  raise(SIGUSR1);
  raise(SIGUSR2);
  loop.turn();
  loop.turn();
  EXPECT_EQ(calls, 2);
  EXPECT_FALSE(loop.remove_signal_handler(SIGUSR1));
}

TEST_F(SignalsTest, AFailureIsLogged) {
  LogCapture log;
  loop.add_signal_handler(SIGUSR1, [] { throw std::runtime_error("no"); });
  raise(SIGUSR1);
  loop.turn();
  EXPECT_EQ(log.count("Exception in signal handler: no"), 1u);
}

TEST_F(SignalsTest, TheThreadsMaskIsRestoredAndChildrenCanHaveItToo) {
  EXPECT_FALSE(blocked(SIGUSR1));
  loop.add_signal_handler(SIGUSR1, [] {});
  EXPECT_TRUE(blocked(SIGUSR1));
  const sigset_t outer = loop.signal_mask_for_exec();
  EXPECT_EQ(sigismember(&outer, SIGUSR1), 0);
  loop.remove_signal_handler(SIGUSR1);
  EXPECT_FALSE(blocked(SIGUSR1));
  loop.add_signal_handler(SIGUSR2, [] {});
  loop.close();
  EXPECT_FALSE(blocked(SIGUSR2));
}

TEST_F(SignalsTest, OneThatTheHostHadBlockedStaysBlocked) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  loop.add_signal_handler(SIGUSR1, [] {});
  loop.remove_signal_handler(SIGUSR1);
  EXPECT_TRUE(blocked(SIGUSR1));
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

TEST_F(SignalsTest, OneThatWasKeptForItsHandlerWaitsForItAndIsOpenAfterIt) {
  keep_for_handler(SIGUSR1);
  raise(SIGUSR1);
  sigset_t outer = loop.signal_mask_for_exec();
  EXPECT_EQ(sigismember(&outer, SIGUSR1), 0) << "no child should inherit it";
  loop.add_signal_handler(SIGUSR1, [this] { ++calls; });
  outer = loop.signal_mask_for_exec();
  EXPECT_EQ(sigismember(&outer, SIGUSR1), 0);
  loop.turn();
  EXPECT_EQ(calls, 1);
  loop.remove_signal_handler(SIGUSR1);
  EXPECT_FALSE(blocked(SIGUSR1));
}

TEST_F(SignalsTest, OneThatCameWhileItWasHandledDoesNotKillTheProcessAfterwards) {
  loop.add_signal_handler(SIGUSR1, [this] { ++calls; });
  raise(SIGUSR1);
  loop.remove_signal_handler(SIGUSR1);
  EXPECT_FALSE(blocked(SIGUSR1));
  EXPECT_EQ(calls, 0);
}

TEST_F(SignalsTest, ThoseThatCannotBeHandledAreRefused) {
  for (const int signal : {0, -1, SIGKILL, SIGSTOP, 32, 1000})
    EXPECT_THROW(loop.add_signal_handler(signal, [] {}), std::system_error) << signal;
  loop.add_signal_handler(SIGUSR1, [this] { ++calls; });
  raise(SIGUSR1);
  loop.turn();
  EXPECT_EQ(calls, 1) << "a refusal does no harm";
}

TEST_F(SignalsTest, TheDispositionOfNoSignalIsTouched) {
  loop.add_signal_handler(SIGUSR1, [] {});
  for (const int signal : {SIGPIPE, SIGCHLD, SIGUSR1, SIGTERM}) {
    struct sigaction action;
    ::sigaction(signal, nullptr, &action);
    EXPECT_EQ(action.sa_handler, SIG_DFL) << signal;
  }
}

TEST_F(SignalsTest, AChildThatDropsItsParentsLoopLeavesTheParentsSignalsAlone) {
  loop.add_signal_handler(SIGUSR1, [this] { ++calls; });
  loop.add_signal_handler(SIGUSR2, [this] { ++calls; });
  const pid_t child = ::fork();
  if (child == 0) {
    loop.close();
    ::_exit(0);
  }
  int status = -1;
  EXPECT_EQ(::waitpid(child, &status, 0), child) << "and the host's own waitpid works";
  raise(SIGUSR1);
  raise(SIGUSR2);
  loop.turn();
  EXPECT_EQ(calls, 2);
}

// --- Callbacks from a signal handler

IOLoop* asked_loop = nullptr;
std::size_t asked_callback = 0;

class SignalCallbacksTest : public SignalsTest {
 protected:
  void SetUp() override {
    asked_loop = &loop;
    struct sigaction action = {};
    action.sa_handler = [](int) { asked_loop->add_callback_from_signal(asked_callback); };
    ::sigaction(SIGUSR1, &action, &before_);
  }
  void TearDown() override { ::sigaction(SIGUSR1, &before_, nullptr); }

 private:
  struct sigaction before_;
};

TEST_F(SignalCallbacksTest, ACallbackRegisteredBeforehandRunsInTheLoopOnceForManyRequests) {
  asked_callback = loop.register_signal_callback([this] { ++calls; });
  raise(SIGUSR1);
  raise(SIGUSR1);
  EXPECT_EQ(calls, 0);
  loop.turn();
  EXPECT_EQ(calls, 1);
  loop.turn();
  EXPECT_EQ(calls, 1);
}

TEST_F(SignalCallbacksTest, ARequestEndsTheSleepAndKeepsErrno) {
  asked_callback = loop.register_signal_callback([this] { loop.stop(); });
  loop.add_callback([] {
    errno = ENOENT;
    raise(SIGUSR1);
    EXPECT_EQ(errno, ENOENT);
  });
  loop.start();
}

TEST_F(SignalCallbacksTest, BeyondTheLimitRegisteringIsRefusedAndUnknownRequestsAreIgnored) {
  for (int at = 0; at < 64; ++at) loop.register_signal_callback([this] { ++calls; });
  EXPECT_THROW(loop.register_signal_callback([] {}), LimitError);
  loop.add_callback_from_signal(64);
  loop.turn();
  EXPECT_EQ(calls, 0);
}

}  // namespace
}  // namespace eddy
