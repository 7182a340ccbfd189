#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <eddy/loop/await.h>
#include <eddy/loop/gen.h>
#include <eddy/loop/run_sync.h>

#include "../support/fake_clock.h"
#include "../support/log_capture.h"

namespace eddy {
namespace {

using namespace std::chrono_literals;

struct CleanUp {
  std::string& ran;
  ~CleanUp() { ran += "clean"; }
};

struct AwaitTest : testing::Test {
  void turns(int count = 4) {
    while (count-- > 0) loop.turn();
  }
  FakeClock clock;
  ScopedPlatform installed{clock};
  IOLoop loop;
  std::string ran;
};

Future<int> sum(Future<int> one, Future<int> two) {
  const int first = co_await one;
  co_return first + co_await two;
}

TEST_F(AwaitTest, ACoroutineStartsAtTheCallAndRunsToItsFirstWait) {
  Promise<int> promise;
  const Future<> future = [](std::string& text, Future<int> wait) -> Future<> {
    text += "a";
    text += std::to_string(co_await wait);
  }(ran, promise.future());
  EXPECT_EQ(ran, "a");
  promise.set_result(7);
  EXPECT_EQ(ran, "a") << "never within the call that sets what it waits for";
  turns(1);
  EXPECT_EQ(ran, "a7");
  EXPECT_TRUE(future.done());
}

TEST_F(AwaitTest, WhatIsReadyIsGoneOnWithAtOnce) {
  const Future<int> future = sum(make_ready_future(1), make_ready_future(2));
  ASSERT_TRUE(future.done());
  EXPECT_EQ(future.result(), 3);
}

TEST_F(AwaitTest, AFailureNeverLeavesTheCallButGoesIntoTheFuture) {
  const Future<int> future = []() -> Future<int> {
    throw std::out_of_range("far");
    co_return 1;
  }();
  EXPECT_THROW(future.result(), std::out_of_range);
}

TEST_F(AwaitTest, AnAwaitedFailureIsCaughtWhereItWasAwaited) {
  Promise<int> promise;
  const Future<> future = [](std::string& text, Future<int> wait) -> Future<> {
    try {
      co_await wait;
    } catch (const std::out_of_range& error) {
      text += error.what();
    }
  }(ran, promise.future());
  promise.set_exception(std::out_of_range("far"));
  turns(1);
  EXPECT_EQ(ran, "far");
  future.result();
}

TEST_F(AwaitTest, AMomentGivesEverybodyElseATurn) {
  const Future<> future = [](std::string& text) -> Future<> {
    text += "a";
    co_await moment;
    text += "c";
  }(ran);
  loop.add_callback([this] { ran += "b"; });
  turns(2);
  EXPECT_TRUE(future.done());
  EXPECT_EQ(ran.size(), 3u);
  EXPECT_EQ(ran.front(), 'a');
}

TEST_F(AwaitTest, ACoroutineThatMeetsOnlyReadyFuturesStillLetsOthersRun) {
  long rounds = 0;
  const auto stop = std::make_unique<bool>(false);
  const Future<> busy = [](long& count, const bool& end) -> Future<> {
    while (!end) {
      co_await make_ready_future(1);
      ++count;
    }
  }(rounds, *stop);
  EXPECT_LE(rounds, Task::kInlineResumptions);
  const long before = rounds;
  loop.turn();
  EXPECT_GT(rounds, before);
  EXPECT_LE(rounds, before + Task::kInlineResumptions + 1);
  *stop = true;
  turns();
  EXPECT_TRUE(busy.done());
}

TEST_F(AwaitTest, AChainOfAMillionReadyFuturesDoesNotGrowTheStack) {
  const long total = loop.run_sync([]() -> Future<long> {
    long sum_of_all = 0;
    for (int at = 0; at < 1'000'000; ++at) sum_of_all += co_await make_ready_future(1);
    co_return sum_of_all;
  });
  EXPECT_EQ(total, 1'000'000);
}

Future<int> deep(int depth, Future<int> bottom) {
  if (depth == 0) co_return co_await bottom;
  co_return 1 + co_await deep(depth - 1, bottom);
}

TEST_F(AwaitTest, ADeepChainOfWaitsIsResumedLevelByLevelFromTheLoop) {
  Promise<int> promise;
  const Future<int> future = deep(1000, promise.future());
  promise.set_result(0);
  for (int turn = 0; turn < 1100 && !future.done(); ++turn) loop.turn();
  EXPECT_EQ(future.result(), 1000);
}

TEST_F(AwaitTest, AResultThatNobodyElseHoldsIsMovedAndOneThatIsSharedIsCopied) {
  const Future<> checked = []() -> Future<> {
    std::unique_ptr<int> moved = co_await make_ready_future(std::make_unique<int>(7));
    EXPECT_EQ(*moved, 7);
    const Future<std::string> shared = make_ready_future(std::string(100, 'x'));
    EXPECT_EQ(co_await Future<std::string>(shared), std::string(100, 'x'));
    EXPECT_EQ(shared.result(), std::string(100, 'x'));
    std::string& in_place = co_await shared;
    EXPECT_EQ(&in_place, &shared.result());
  }();
  checked.result();
}

TEST_F(AwaitTest, AwaitingAnEmptyFutureIsAnErrorAtThatPoint) {
  const Future<> future = []() -> Future<> { co_await Future<int>(); }();
  EXPECT_THROW(future.result(), InvalidStateError);
}

TEST_F(AwaitTest, ACoroutineEndsWhereItWaitsWhenNobodyHoldsItsFuture) {
  Promise<> promise;
  {
    const Future<> future = [](std::string& text, Future<> wait) -> Future<> {
      const CleanUp clean_up{text};
      co_await wait;
      text += "never";
    }(ran, promise.future());
    EXPECT_EQ(ran, "");
  }
  EXPECT_EQ(ran, "clean");
  promise.set_result();
  turns();
  EXPECT_EQ(ran, "clean");
}

TEST_F(AwaitTest, ACoroutineThatDropsItsOwnFutureGoesNoFurtherThanItsNextWait) {
  struct Owner {
    Future<> future;
    std::string* ran;
    Future<> body() {
      const CleanUp clean_up{*ran};
      co_await moment;
      future = Future<>();
      *ran += "a";
      co_await eddy::sleep(1s);
      *ran += "never";
    }
  } owner{{}, &ran};
  owner.future = owner.body();
  turns();
  EXPECT_EQ(ran, "aclean");
}

TEST_F(AwaitTest, EndedWhileQueuedItDoesNotRun) {
  Promise<> promise;
  Future<> future = [](std::string& text, Future<> wait) -> Future<> {
    const CleanUp clean_up{text};
    co_await wait;
    text += "never";
  }(ran, promise.future());
  promise.set_result();
  future = Future<>();
  EXPECT_EQ(ran, "clean");
  turns();
  EXPECT_EQ(ran, "clean");
}

TEST_F(AwaitTest, EndedWhileItMeetsOnlyReadyFuturesItGoesNoFurtherThanItsBudget) {
  Future<> future = [](std::string& text) -> Future<> {
    const CleanUp clean_up{text};
    for (;;) co_await make_ready_future(1);
  }(ran);
  turns();
  future = Future<>();
  EXPECT_EQ(ran, "clean");
}

// --- Cancellation, at every kind of wait

TEST_F(AwaitTest, CancellingThrowsIntoTheCoroutineAtItsWait) {
  Future<> future = [](std::string& text) -> Future<> {
    const CleanUp clean_up{text};
    try {
      co_await eddy::sleep(1h);
    } catch (const CancelledError&) {
      text += "cancelled ";
      throw;
    }
  }(ran);
  EXPECT_TRUE(future.cancel());
  EXPECT_FALSE(future.done()) << "it has its own word in the matter";
  turns(1);
  EXPECT_EQ(ran, "cancelled clean");
  EXPECT_THROW(future.result(), CancelledError);
  EXPECT_EQ(loop.time_to_sleep(), Duration::max()) << "the sleep's timer is gone";
}

TEST_F(AwaitTest, CancelledInAnyKindOfWaitItsDestructorsRun) {
  using Body = Future<> (*)(std::string&);
  const Body bodies[] = {
      [](std::string& text) -> Future<> {
        const CleanUp clean_up{text};
        co_await eddy::sleep(1h);
      },
      [](std::string& text) -> Future<> {
        const CleanUp clean_up{text};
        for (;;) co_await moment;
      },
      [](std::string& text) -> Future<> {
        const CleanUp clean_up{text};
        co_await with_timeout(1h, eddy::sleep(2h));
      },
      [](std::string& text) -> Future<> {
        const CleanUp clean_up{text};
        std::vector<Future<>> both;
        both.push_back(eddy::sleep(1h));
        both.push_back(eddy::sleep(2h));
        co_await multi(std::move(both));
      },
      [](std::string& text) -> Future<> {
        const CleanUp clean_up{text};
        co_await []() -> Future<> { co_await eddy::sleep(1h); }();
      },
  };
  LogCapture log;
  for (const Body body : bodies) {
    ran.clear();
    Future<> future = body(ran);
    turns(2);
    EXPECT_TRUE(future.cancel());
    turns(6);
    EXPECT_EQ(ran, "clean");
    EXPECT_THROW(future.result(), CancelledError);
  }
  EXPECT_EQ(loop.time_to_sleep(), Duration::max());
  EXPECT_TRUE(log.lines().empty());
}

TEST_F(AwaitTest, AResultThatWasThereBeforeTheCancellationIsNotLost) {
  Promise<int> promise;
  Future<> future = [](std::string& text, Future<int> wait) -> Future<> {
    text += std::to_string(co_await wait);
    co_await moment;
    text += "never";
  }(ran, promise.future());
  promise.set_result(7);
  future.cancel();
  turns();
  EXPECT_EQ(ran, "7");
  EXPECT_THROW(future.result(), CancelledError);
}

TEST_F(AwaitTest, ACoroutineMayCatchItsCancellationAndEndWithAResult) {
  Future<int> future = []() -> Future<int> {
    try {
      co_await eddy::sleep(1h);
    } catch (const CancelledError&) {
    }
    co_return 7;
  }();
  future.cancel();
  turns();
  EXPECT_EQ(future.result(), 7);
}

TEST_F(AwaitTest, AMakerThatGoesAwayResumesTheCoroutineWithAnError) {
  auto maker = std::make_unique<Promise<int>>();
  Future<int> future = [](Future<int> wait) -> Future<int> {
    co_return co_await wait;
  }(maker->future());
  maker.reset();
  turns();
  EXPECT_THROW(future.result(), BrokenPromiseError);
}

TEST_F(AwaitTest, WithoutALoopThereIsNothingToWaitWith) {
  loop.close();
  std::exception_ptr failure;
  std::thread([&] {
    const Promise<int> promise;
    const Future<int> future = [](Future<int> wait) -> Future<int> {
      co_return co_await wait;
    }(promise.future());
    EXPECT_THROW(future.result(), InvalidStateError);
  }).join();
}

}  // namespace
}  // namespace eddy
