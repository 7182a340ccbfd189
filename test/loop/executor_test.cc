#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include <eddy/loop/await.h>
#include <eddy/loop/executor.h>
#include <eddy/loop/gen.h>
#include <eddy/loop/run_sync.h>

#include "../support/log_capture.h"

namespace eddy {
namespace {

// Holds the jobs that pass it until it opens.
class Gate {
 public:
  void open() { promise_.set_value(); }
  void pass() const { future_.wait(); }

 private:
  std::promise<void> promise_;
  std::shared_future<void> future_{promise_.get_future()};
};

TEST(ExecutorTest, TheResultOfAJobComesBackInAFutureOfTheLoop) {
  IOLoop loop;
  std::thread::id ran_on;
  const int result = loop.run_sync([&] {
    return loop.run_in_executor([&] {
      ran_on = std::this_thread::get_id();
      return 7;
    });
  });
  EXPECT_EQ(result, 7);
  EXPECT_NE(ran_on, std::this_thread::get_id());
}

TEST(ExecutorTest, WhatAJobThrowsArrivesInTheFuture) {
  IOLoop loop;
  EXPECT_THROW(
      loop.run_sync([&] { return loop.run_in_executor([] { throw std::out_of_range("far"); }); }),
      std::out_of_range);
}

TEST(ExecutorTest, AJobMayOnlyBeMovedAndSoMayItsResult) {
  IOLoop loop;
  const auto result = loop.run_sync([&] {
    return loop.run_in_executor(
        [seven = std::make_unique<int>(7)]() mutable { return std::move(seven); });
  });
  EXPECT_EQ(*result, 7);
}

TEST(ExecutorTest, BeyondItsLimitAJobFailsAtOnceAndTheLimitIsNamed) {
  LogCapture log;
  IOLoop loop;
  Gate gate;
  std::promise<void> began;
  loop.set_default_executor(std::make_unique<Executor>(1, 1));
  const Future<> runs = loop.run_in_executor([&] {
    began.set_value();
    gate.pass();
  });
  began.get_future().wait();
  const Future<> waits = loop.run_in_executor([&] { gate.pass(); });
  const Future<> refused = loop.run_in_executor([] {});
  ASSERT_TRUE(refused.done());
  try {
    refused.result();
    ADD_FAILURE();
  } catch (const LimitError& error) {
    EXPECT_NE(std::string(error.what()).find("most_waiting"), std::string::npos);
  }
  gate.open();
  loop.run_sync([&] { return waits; });
  EXPECT_TRUE(log.lines().empty());
}

TEST(ExecutorTest, JobsRunSideBySideUpToTheNumberOfThreads) {
  IOLoop loop;
  Gate gate;
  std::atomic<int> together{0};
  loop.set_default_executor(std::make_unique<Executor>(3));
  const auto job = [&] {
    if (++together == 3) gate.open();
    gate.pass();
  };
  std::vector<Future<>> jobs;
  for (int at = 0; at < 3; ++at) jobs.push_back(loop.run_in_executor(job));
  loop.run_sync([&] { return multi(std::move(jobs)); });
  EXPECT_EQ(together, 3);
}

TEST(ExecutorTest, EndingItWaitsForTheJobThatRunsAndDropsThoseThatWait) {
  IOLoop loop;
  Gate gate;
  std::promise<void> began;
  std::atomic<bool> finished{false};
  std::optional<Future<>> dropped;
  {
    Executor executor(1);
    executor.submit([&] {
      began.set_value();
      gate.pass();
      finished = true;
    });
    began.get_future().wait();
    dropped = run_in_executor(loop, executor, [] {});
    gate.open();
  }
  EXPECT_TRUE(finished);
  loop.turn();
  loop.turn();
  EXPECT_TRUE(dropped->done());
}

TEST(ExecutorTest, ClosingTheLoopBreaksWhatItsJobsWouldHaveBrought) {
  LogCapture log;
  std::optional<Future<int>> future;
  Gate gate;
  {
    IOLoop loop;
    future = loop.run_in_executor([&] {
      gate.pass();
      return 7;
    });
    gate.open();
  }
  EXPECT_THROW(future->result(), BrokenPromiseError);
}

TEST(ExecutorTest, ItsThreadsTakeNoSignals) {
  IOLoop loop;
  const bool blocked = loop.run_sync([&] {
    return loop.run_in_executor([] {
      sigset_t mask;
      ::pthread_sigmask(SIG_BLOCK, nullptr, &mask);
      return sigismember(&mask, SIGTERM) == 1 && sigismember(&mask, SIGUSR1) == 1;
    });
  });
  EXPECT_TRUE(blocked);
  sigset_t mask;
  ::pthread_sigmask(SIG_BLOCK, nullptr, &mask);
  EXPECT_EQ(sigismember(&mask, SIGTERM), 0);
}

TEST(ExecutorTest, WithoutThreadsItStillHasOne) {
  IOLoop loop;
  Executor executor(0);
  EXPECT_EQ(loop.run_sync([&] { return run_in_executor(loop, executor, [] { return 1; }); }), 1);
}

}  // namespace
}  // namespace eddy
