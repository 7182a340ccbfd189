#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <eddy/loop/await.h>
#include <eddy/loop/gen.h>

#include "../support/fake_clock.h"
#include "../support/log_capture.h"

namespace eddy {
namespace {

using namespace std::chrono_literals;

struct GenTest : testing::Test {
  void turns(int count = 4) {
    while (count-- > 0) loop.turn();
  }
  FakeClock clock;
  ScopedPlatform installed{clock};
  IOLoop loop;
  LogCapture log;
};
using SleepTest = GenTest;
using WithTimeout = GenTest;
using MultiTest = GenTest;
using WaitIteratorTest = GenTest;
using ChainFuture = GenTest;

std::exception_ptr failure(const char* what) {
  return std::make_exception_ptr(std::runtime_error(what));
}

TEST_F(SleepTest, IsDoneAfterTheDelayAndNotBefore) {
  const TimePoint began = loop.time();
  const Future<> sleeping = eddy::sleep(1500us);
  while (!sleeping.done()) loop.turn(500us);
  EXPECT_EQ(loop.turn_time() - began, 1500us);
}

TEST_F(SleepTest, DroppingOrCancellingItRemovesItsTimer) {
  static_cast<void>(eddy::sleep(1h));
  EXPECT_EQ(loop.time_to_sleep(), Duration::max());
  Future<> sleeping = eddy::sleep(1h);
  sleeping.cancel();
  EXPECT_THROW(sleeping.result(), CancelledError);
  EXPECT_EQ(loop.time_to_sleep(), Duration::max());
}

TEST_F(WithTimeout, GivesTheOutcomeWhenThatComesFirstAndRemovesTheTimer) {
  Promise<int> promise;
  const Future<int> future = with_timeout(1h, promise.future());
  promise.set_result(7);
  EXPECT_EQ(future.result(), 7);
  EXPECT_EQ(loop.time_to_sleep(), Duration::max());
  EXPECT_THROW(with_timeout(1h, make_failed_future<int>(failure("x"))).result(),
               std::runtime_error);
}

TEST_F(WithTimeout, AfterTheDeadlineItFailsAndTheOperationEnds) {
  bool ended = false;
  struct CleanUp {
    bool& done;
    ~CleanUp() { done = true; }
  };
  const Future<> future = with_timeout(1s, [](bool& done) -> Future<> {
    const CleanUp clean_up{done};
    co_await eddy::sleep(1h);
  }(ended));
  EXPECT_EQ(loop.time_to_sleep(), 1s);
  while (!future.done()) loop.turn(1h);
  EXPECT_TRUE(ended);
  try {
    future.result();
    ADD_FAILURE();
  } catch (const TimeoutError& error) {
    EXPECT_STREQ(error.what(), "timed out waiting for a coroutine");
  }
  EXPECT_EQ(loop.time_to_sleep(), Duration::max());
}

TEST_F(WithTimeout, AnOperationThatSomebodyElseHoldsGoesOn) {
  const Future<> held = eddy::sleep(1h);
  const Future<> future = with_timeout(1s, held);
  loop.turn(1s);
  loop.turn();
  EXPECT_TRUE(future.exception());
  EXPECT_FALSE(held.done());
  EXPECT_EQ(loop.time_to_sleep(), 1h - 1s);
}

TEST_F(WithTimeout, ADeadlineIsAnAbsoluteTime) {
  const Future<> future = with_deadline(loop.time() + 3s, eddy::sleep(1h));
  EXPECT_EQ(loop.time_to_sleep(), 3s);
}

TEST_F(WithTimeout, DroppingOrCancellingItLetsGoOfTheOperation) {
  static_cast<void>(with_timeout(1h, eddy::sleep(2h)));
  EXPECT_EQ(loop.time_to_sleep(), Duration::max());
  Future<> future = with_timeout(1h, eddy::sleep(2h));
  future.cancel();
  EXPECT_THROW(future.result(), CancelledError);
  EXPECT_EQ(loop.time_to_sleep(), Duration::max());
}

TEST_F(WithTimeout, AFailureAfterTheDeadlineIsNobodysLoss) {
  Promise<int> promise;
  const Future<int> future = with_timeout(1s, promise.future());
  while (!future.done()) loop.turn(2s);
  promise.set_exception(failure("late"));
  EXPECT_TRUE(future.exception());
}

TEST_F(MultiTest, GivesAllResultsInTheOrderGivenHoweverTheyCame) {
  Promise<int> one;
  Promise<int> two;
  std::vector<Future<int>> futures;
  for (const Promise<int>* promise : {&one, &two}) futures.push_back(promise->future());
  futures.push_back(make_ready_future(3));
  const Future<std::vector<int>> all = multi(std::move(futures));
  two.set_result(2);
  EXPECT_FALSE(all.done());
  one.set_result(1);
  EXPECT_EQ(all.result(), (std::vector<int>{1, 2, 3}));
}

TEST_F(MultiTest, GivesResultsByKey) {
  Promise<int> promise;
  std::map<std::string, Future<int>> futures;
  futures.emplace("a", promise.future());
  futures.emplace("b", make_ready_future(2));
  const auto all = multi(std::move(futures));
  promise.set_result(1);
  EXPECT_EQ(all.result(), (std::map<std::string, int>{{"a", 1}, {"b", 2}}));
}

TEST_F(MultiTest, WaitsForAllAndThrowsTheFirstFailureInTheOrderGivenAndLogsTheOthers) {
  Promise<> one;
  Promise<> two;
  Promise<> three;
  const Future<> all = multi(std::vector{one.future(), two.future(), three.future()});
  three.set_exception(failure("third"));
  two.set_exception(failure("second"));
  EXPECT_FALSE(all.done());
  one.set_result();
  ASSERT_TRUE(all.done());
  try {
    all.result();
    ADD_FAILURE();
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "second");
  }
  EXPECT_EQ(log.count("third"), 1u);
  EXPECT_EQ(log.count("second"), 0u);
}

TEST_F(MultiTest, QuietlyItLogsNothing) {
  const auto fails = [] { return make_failed_future<void>(failure("x")); };
  EXPECT_THROW(multi(std::vector{fails(), fails()}, true).result(), std::runtime_error);
  EXPECT_TRUE(log.lines().empty());
}

TEST_F(MultiTest, OfNothingItIsDoneAtOnce) {
  EXPECT_TRUE(multi(std::vector<Future<int>>()).done());
  EXPECT_TRUE(multi(std::vector<Future<>>()).done());
}

TEST_F(MultiTest, TheSameFutureMayStandInItTwice) {
  Promise<std::string> promise;
  const Future<std::string> future = promise.future();
  const auto all = multi(std::vector{future, future});
  promise.set_result("x");
  EXPECT_EQ(all.result(), (std::vector<std::string>{"x", "x"}));
}

TEST_F(MultiTest, ResultsThatCanOnlyBeMovedAreMoved) {
  std::vector<Future<std::unique_ptr<int>>> futures;
  futures.push_back(make_ready_future(std::make_unique<int>(7)));
  const auto all = multi(std::move(futures));
  EXPECT_EQ(*all.result().front(), 7);
}

TEST_F(MultiTest, AResultThatCannotBeCopiedFailsIt) {
  struct Throws {
    Throws() = default;
    Throws(const Throws&) { throw std::runtime_error("no copy"); }
  };
  Promise<Throws> promise;
  const Future<Throws> held = promise.future();
  const auto all = multi(std::vector{held});
  promise.set_result();
  EXPECT_THROW(all.result(), std::runtime_error);
}

TEST_F(MultiTest, DroppingItLetsGoOfAll) {
  static_cast<void>(multi(std::vector{eddy::sleep(1h), eddy::sleep(2h)}));
  EXPECT_EQ(loop.time_to_sleep(), Duration::max());
}

TEST_F(MultiTest, TenThousandAreNoTrouble) {
  std::vector<Promise<int>> promises(10'000);
  std::vector<Future<int>> futures;
  futures.reserve(promises.size());
  for (const Promise<int>& promise : promises) futures.push_back(promise.future());
  const auto all = multi(std::move(futures));
  for (Promise<int>& promise : promises) promise.set_result(1);
  EXPECT_EQ(all.result().size(), 10'000u);
}

TEST_F(WaitIteratorTest, GivesFuturesAsTheyAreDoneAndThoseDoneAlreadyInTheOrderGiven) {
  Promise<int> slow;
  Promise<int> quick;
  std::string seen;
  const Future<> all = [](std::vector<Future<int>> futures, std::string& text) -> Future<> {
    for (WaitIterator<int> each(std::move(futures)); !each.done();) {
      const int result = co_await each.next();
      text += std::to_string(each.current_index()) + "=" + std::to_string(result) + " ";
      EXPECT_EQ(each.current_future().result(), result);
    }
  }({slow.future(), make_ready_future(10), quick.future(), make_ready_future(30)}, seen);
  quick.set_result(20);
  turns();
  slow.set_result(0);
  turns();
  EXPECT_TRUE(all.done());
  EXPECT_EQ(seen, "1=10 3=30 2=20 0=0 ");
}

TEST_F(WaitIteratorTest, AFailureIsThrownByItsOwnNextAndDoesNotEndIt) {
  WaitIterator<int> each({make_failed_future<int>(failure("x")), make_ready_future(2)});
  EXPECT_THROW(each.next().result(), std::runtime_error);
  EXPECT_FALSE(each.done());
  EXPECT_EQ(each.next().result(), 2);
  EXPECT_TRUE(each.done());
  EXPECT_THROW(static_cast<void>(each.next()), InvalidStateError);
}

TEST_F(WaitIteratorTest, ANextThatIsGivenUpLosesNothing) {
  Promise<int> promise;
  WaitIterator<int> each({promise.future()});
  static_cast<void>(each.next());
  EXPECT_FALSE(each.done());
  Future<int> next = each.next();
  EXPECT_THROW(static_cast<void>(each.next()), InvalidStateError) << "one at a time";
  promise.set_result(7);
  turns();
  EXPECT_EQ(next.result(), 7);
}

TEST_F(WaitIteratorTest, ANextKeepsItGoing) {
  Promise<int> promise;
  std::optional<WaitIterator<int>> each(std::vector{promise.future()});
  const Future<int> next = each->next();
  each.reset();
  promise.set_result(7);
  turns();
  EXPECT_EQ(next.result(), 7);
}

TEST_F(ChainFuture, CopiesTheOutcomeAndKeepsItsSourceGoing) {
  Promise<int> to;
  const Future<int> chained = to.future();
  chain_future(
      []() -> Future<int> {
        co_await moment;
        co_return 7;
      }(),
      std::move(to));
  turns();
  EXPECT_EQ(chained.result(), 7);
  Promise<int> other;
  const Future<int> failed = other.future();
  chain_future(make_failed_future<int>(failure("x")), std::move(other));
  turns();
  EXPECT_THROW(failed.result(), std::runtime_error);
}

TEST_F(ChainFuture, LeavesATargetThatIsDoneAsItIs) {
  Promise<int> to;
  Future<int> chained = to.future();
  chained.cancel();
  chain_future(make_ready_future(7), std::move(to));
  turns();
  EXPECT_THROW(chained.result(), CancelledError);
}

}  // namespace
}  // namespace eddy
