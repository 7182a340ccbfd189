#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <eddy/loop/coroutine_set.h>
#include <eddy/loop/gen.h>
#include <eddy/loop/locks.h>

#include "../support/fake_clock.h"
#include "../support/log_capture.h"

namespace eddy {
namespace {

using namespace std::chrono_literals;
using Guard = Semaphore::Guard;

struct LocksTest : testing::Test {
  void turns(int count = 4) {
    while (count-- > 0) loop.turn();
  }
  void sleep_past(Duration duration) {
    clock.advance(duration);
    turns();
  }
  bool no_timer_is_left() { return loop.time_to_sleep() == Duration::max(); }

  FakeClock clock;
  ScopedPlatform installed{clock};
  IOLoop loop;
  LogCapture log;
  std::string seen;
};

struct ConditionTest : LocksTest {
  Future<> wait_as(char name) {
    const bool notified = co_await condition.wait();
    seen += notified ? name : '-';
  }
  Condition condition;
};
struct EventTest : LocksTest {
  Event event;
};
struct SemaphoreTest : LocksTest {
  Future<> acquire_as(char name) {
    const Guard guard = co_await semaphore.acquire();
    seen += name;
  }
  Semaphore semaphore{1};
};
struct LockTest : LocksTest {
  Lock lock;
};
using BoundedSemaphoreTest = LocksTest;

template <class T>
std::string failure_of(const Future<T>& future) {
  return future.done() ? log::describe(future.exception()) : "pending";
}

TEST_F(ConditionTest, NotifyWakesAsManyAsAskedInTheOrderOfComing) {
  const std::vector waits{wait_as('a'), wait_as('b'), wait_as('c')};
  condition.notify();
  turns();
  EXPECT_EQ(seen, "a");
  condition.notify(2);
  turns();
  EXPECT_EQ(seen, "abc");
}

TEST_F(ConditionTest, NotifyWithNobodyWaitingIsLost) {
  condition.notify();
  condition.notify_all();
  EXPECT_FALSE(condition.wait().done());
}

TEST_F(ConditionTest, NotifyAllWakesThoseWhoWaitNowAndNobodyLater) {
  const Future<> again = [](LocksTest& test, Condition& changed) -> Future<> {
    co_await changed.wait();
    test.seen += 'a';
    co_await changed.wait();
    test.seen += 'b';
  }(*this, condition);
  const Future<> other = wait_as('c');
  condition.notify_all();
  turns();
  EXPECT_EQ(seen, "ac");
}

TEST_F(ConditionTest, AWaitGivesFalseWhenTheTimeIsUp) {
  const Future<bool> waiting = condition.wait(1s);
  EXPECT_EQ(loop.time_to_sleep(), 1s);
  sleep_past(1s);
  EXPECT_FALSE(waiting.result());
  EXPECT_TRUE(log.lines().empty()) << "no failure";
}

TEST_F(ConditionTest, WhoTimedOutDoesNotCountForNotify) {
  const Future<bool> timed_out = condition.wait(1s);
  const Future<bool> patient = condition.wait();
  sleep_past(1s);
  condition.notify();
  EXPECT_TRUE(patient.result());
}

TEST_F(ConditionTest, ATimeoutOfZeroOrADeadlineThatHasPassedIsImmediate) {
  EXPECT_FALSE(condition.wait(0s).result());
  EXPECT_FALSE(condition.wait(-1s).result());
  EXPECT_FALSE(condition.wait(loop.time()).result());
  EXPECT_FALSE(condition.wait(loop.time() + 1s).done());
  EXPECT_TRUE(no_timer_is_left()) << "dropped with its Future";
}

TEST_F(ConditionTest, ANotificationIsNotLostWithOneWhoIsDroppedBeforeHeGoesOn) {
  Future<> dropped = wait_as('a');
  const Future<> next = wait_as('b');
  condition.notify();
  dropped = {};
  turns();
  EXPECT_EQ(seen, "b");
}

TEST_F(ConditionTest, ANotificationOfAllIsForThoseWhoWaitedThen) {
  Future<> dropped = wait_as('a');
  condition.notify_all();
  const Future<bool> later = condition.wait();
  dropped = {};
  EXPECT_FALSE(later.done());
}

TEST_F(ConditionTest, ATimeoutThatIsDroppedWakesNobody) {
  Future<bool> dropped = condition.wait(1s);
  const Future<bool> other = condition.wait();
  sleep_past(1s);
  ASSERT_TRUE(dropped.done());
  dropped = Future<bool>();
  EXPECT_FALSE(other.done());
}

TEST_F(ConditionTest, ItMayGoBeforeThoseWhomItNotified) {
  std::optional<Condition> gone(std::in_place);
  const Future<bool> notified = gone->wait();
  Future<bool> dropped = gone->wait();
  const Future<bool> pending = gone->wait();
  gone->notify(2);
  gone.reset();
  dropped = Future<bool>();
  EXPECT_TRUE(notified.result());
  EXPECT_THROW(pending.result(), BrokenPromiseError);
}

TEST_F(EventTest, SetWakesAllAndStaysSetUntilCleared) {
  const std::vector waits{event.wait(), event.wait(1h)};
  EXPECT_FALSE(waits.front().done());
  event.set();
  event.set();
  for (const Future<>& wait : waits) EXPECT_TRUE(wait.done());
  EXPECT_TRUE(event.is_set());
  EXPECT_TRUE(event.wait(0s).done());
  event.clear();
  EXPECT_FALSE(event.is_set());
  EXPECT_FALSE(event.wait().done());
  EXPECT_TRUE(no_timer_is_left());
}

TEST_F(EventTest, WhoWasWokenStaysWokenAlthoughClearFollowsAtOnce) {
  const Future<> woken = [](LocksTest& test, Event& one) -> Future<> {
    co_await one.wait();
    test.seen += one.is_set() ? "set" : "cleared";
  }(*this, event);
  event.set();
  event.clear();
  turns();
  EXPECT_EQ(seen, "cleared");
}

TEST_F(EventTest, AWaitFailsWhenTheTimeIsUp) {
  const Future<> waiting = event.wait(1s);
  const Future<> until = event.wait(loop.time() + 2s);
  sleep_past(1s);
  EXPECT_EQ(failure_of(waiting), "timed out waiting for Event::wait");
  EXPECT_EQ(failure_of(until), "pending");
  sleep_past(1s);
  EXPECT_THROW(until.result(), TimeoutError);
  EXPECT_THROW(event.wait(0s).result(), TimeoutError);
}

TEST_F(EventTest, AWaitThatIsCancelledOrDroppedLeavesTheLineAndItsTimer) {
  Future<> cancelled = event.wait(1h);
  cancelled.cancel();
  EXPECT_THROW(cancelled.result(), CancelledError);
  static_cast<void>(event.wait(1h));
  EXPECT_TRUE(no_timer_is_left());
  event.set();
}

TEST_F(EventTest, DestroyingItFailsThoseWhoWait) {
  std::optional<Event> gone(std::in_place);
  const Future<> waiting = gone->wait();
  const Future<> timed = gone->wait(1h);
  gone.reset();
  EXPECT_THROW(waiting.result(), BrokenPromiseError);
  EXPECT_THROW(timed.result(), BrokenPromiseError);
  EXPECT_TRUE(no_timer_is_left());
}

TEST_F(EventTest, AClosedLoopFailsThoseWhoWaitWithADeadline) {
  const Future<> timed = event.wait(1h);
  loop.close();
  EXPECT_THROW(timed.result(), BrokenPromiseError);
  event.set();
}

TEST_F(EventTest, ItsCallsFromAnotherThreadAreErrors) {
  std::thread([this] {
    EXPECT_THROW(event.set(), WrongThreadError);
    EXPECT_THROW(static_cast<void>(event.wait()), WrongThreadError);
  }).join();
  EXPECT_FALSE(event.is_set());
}

TEST_F(SemaphoreTest, AUnitBelongsToTheScopeThatAcquiredIt) {
  {
    const Guard guard = semaphore.acquire().state()->take();
    EXPECT_EQ(semaphore.value(), 0u);
  }
  EXPECT_EQ(semaphore.value(), 1u);
}

TEST_F(SemaphoreTest, ItLetsInSoManyAtOnce) {
  Semaphore three(3);
  std::vector<Guard> guards;
  guards.reserve(3);
  for (int at = 0; at < 3; ++at) guards.push_back(three.acquire().state()->take());
  const Future<Guard> fourth = three.acquire();
  EXPECT_FALSE(fourth.done());
  guards.pop_back();
  EXPECT_TRUE(fourth.done());
}

TEST_F(SemaphoreTest, AUnitGoesToTheFirstWhoWaitsAndNobodyGetsInBetween) {
  Guard first = semaphore.acquire().state()->take();
  const std::vector waits{acquire_as('a'), acquire_as('b')};
  first.release();
  EXPECT_EQ(semaphore.value(), 0u);
  const Future<> late = acquire_as('c');
  turns(10);
  EXPECT_EQ(seen, "abc");
  EXPECT_EQ(semaphore.value(), 1u);
}

TEST_F(SemaphoreTest, ReleaseMayAddUnits) {
  Semaphore none(0);
  const Future<Guard> waiting = none.acquire();
  none.release();
  EXPECT_TRUE(waiting.done());
  none.release();
  none.release();
  EXPECT_EQ(none.value(), 2u);
}

TEST_F(SemaphoreTest, AcquireFailsWhenTheTimeIsUpAndLeavesTheLine) {
  Guard held = semaphore.acquire().state()->take();
  EXPECT_THROW(semaphore.acquire(0s).result(), TimeoutError);
  const Future<Guard> impatient = semaphore.acquire(1s);
  const Future<Guard> patient = semaphore.acquire(1h);
  sleep_past(1s);
  EXPECT_EQ(failure_of(impatient), "timed out waiting for Semaphore::acquire");
  held.release();
  EXPECT_TRUE(patient.done());
  EXPECT_TRUE(no_timer_is_left());
}

TEST_F(SemaphoreTest, ATimeoutOfZeroAcquiresWhatIsFree) {
  EXPECT_TRUE(semaphore.acquire(0s).done());
  EXPECT_EQ(semaphore.acquire(-1s).exception(), nullptr);
}

TEST_F(SemaphoreTest, AUnitIsNotLostWithOneWhoIsDroppedBeforeHeGoesOn) {
  Guard held = semaphore.acquire().state()->take();
  Future<> dropped = acquire_as('a');
  const Future<> next = acquire_as('b');
  held.release();
  dropped = {};
  turns();
  EXPECT_EQ(seen, "b");
  EXPECT_EQ(semaphore.value(), 1u);
}

TEST_F(SemaphoreTest, AUnitIsNotLostWithOneWhoIsCancelledBeforeHeGoesOn) {
  Guard held = semaphore.acquire().state()->take();
  Future<> cancelled = acquire_as('a');
  held.release();
  cancelled.cancel();
  turns();
  EXPECT_EQ(semaphore.value(), 1u);
}

TEST_F(SemaphoreTest, AUnitIsNotLostWithAWithTimeoutThatIsDropped) {
  Guard held = semaphore.acquire().state()->take();
  Future<Guard> dropped = with_timeout(1h, semaphore.acquire());
  held.release();
  EXPECT_TRUE(dropped.done());
  dropped = Future<Guard>();
  EXPECT_EQ(semaphore.value(), 1u);
}

TEST_F(SemaphoreTest, HoweverTheWaitsEndNoUnitIsLost) {
  for (unsigned step = 0; step < 4 * 4 * 4 * 4; ++step) {
    Guard held = semaphore.acquire().state()->take();
    std::vector<Future<>> waits;
    for (char name = 'a'; name < 'e'; ++name) waits.push_back(acquire_as(name));
    for (unsigned at = 0, choice = step; at < 4; ++at, choice /= 4) {
      if (choice % 4 == 0) waits[at].cancel();
      if (choice % 4 == 1) waits[at] = {};
      if (choice % 4 == 2) held.release();
      if (choice % 4 == 3) turns(1);
    }
    held.release();
    turns(10);
    ASSERT_EQ(semaphore.value(), 1u) << "step " << step;
  }
}

TEST_F(SemaphoreTest, AGuardReleasesOnceHoweverItIsMoved) {
  Guard one = semaphore.acquire().state()->take();
  Guard other = std::move(one);
  one.release();  // NOLINT(bugprone-use-after-move, clang-analyzer-cplusplus.Move): it has nothing
  EXPECT_EQ(semaphore.value(), 0u);
  other = Guard();
  EXPECT_EQ(semaphore.value(), 1u);
  other.release();
  EXPECT_EQ(semaphore.value(), 1u);
}

TEST_F(SemaphoreTest, ADetachedGuardLeavesTheUnitTaken) {
  semaphore.acquire().state()->take().detach();
  EXPECT_EQ(semaphore.value(), 0u);
  semaphore.release();
  EXPECT_EQ(semaphore.value(), 1u);
}

TEST_F(SemaphoreTest, AGuardMayOutliveIt) {
  std::optional<Semaphore> gone(1);
  const Guard guard = gone->acquire().state()->take();
  const Future<Guard> waiting = gone->acquire();
  gone.reset();
  EXPECT_THROW(waiting.result(), BrokenPromiseError);
}

TEST_F(SemaphoreTest, ANegativeValueIsAnError) {
  EXPECT_THROW(Semaphore(static_cast<std::size_t>(-1)), std::invalid_argument);
}

TEST_F(SemaphoreTest, TheLineIsEmptiedFromItsMiddleAsFastAsFromItsEnds) {
  const Guard held = semaphore.acquire().state()->take();
  std::vector<Future<Guard>> waits;
  waits.reserve(10'000);
  for (int at = 0; at < 10'000; ++at) waits.push_back(semaphore.acquire(1h));
  for (std::size_t at = 0; at < waits.size(); at += 2) waits[at].cancel();
  waits.clear();
  EXPECT_TRUE(no_timer_is_left());
}

TEST_F(BoundedSemaphoreTest, ReleasingMoreThanWasAcquiredIsAnError) {
  BoundedSemaphore two(2);
  EXPECT_THROW(two.release(), InvalidStateError);
  two.acquire().state()->take().detach();
  two.release();
  EXPECT_THROW(two.release(), InvalidStateError);
  EXPECT_EQ(two.value(), 2u);
}

TEST_F(BoundedSemaphoreTest, OneOfNoneGivesNoneHoweverManyWait) {
  BoundedSemaphore none(0);
  const Future<Guard> waiting = none.acquire();
  EXPECT_THROW(none.release(), InvalidStateError);
  EXPECT_FALSE(waiting.done());
}

TEST_F(BoundedSemaphoreTest, AGuardThatFindsItsUnitReleasedAlreadyIsLogged) {
  BoundedSemaphore one(1);
  {
    const Guard guard = one.acquire().state()->take();
    one.release();
  }
  EXPECT_EQ(log.count("more often than acquired"), 1u);
  EXPECT_EQ(one.value(), 1u);
}

TEST_F(LockTest, OneAtATime) {
  const auto work = [](LocksTest& test, Lock& one, char name) -> Future<> {
    const Guard guard = co_await one.acquire();
    test.seen += name;
    co_await moment;
    test.seen += name;
  };
  const std::vector works{work(*this, lock, 'a'), work(*this, lock, 'b'), work(*this, lock, 'c')};
  EXPECT_TRUE(lock.locked());
  turns(10);
  EXPECT_EQ(seen, "aabbcc");
  EXPECT_FALSE(lock.locked());
}

TEST_F(LockTest, AFailureInTheScopeReleasesIt) {
  const Future<> failing = [](Lock& one) -> Future<> {
    const Guard guard = co_await one.acquire();
    throw std::runtime_error("x");
  }(lock);
  EXPECT_EQ(failure_of(failing), "x");
  EXPECT_FALSE(lock.locked());
}

TEST_F(LockTest, ReleasingWhatIsNotLockedIsAnError) {
  EXPECT_THROW(lock.release(), InvalidStateError);
  lock.acquire().state()->take().detach();
  lock.release();
  EXPECT_FALSE(lock.locked());
}

TEST_F(LockTest, ATimeoutNamesIt) {
  const Guard held = lock.acquire().state()->take();
  const Future<Guard> second = lock.acquire(1s);
  sleep_past(1s);
  EXPECT_EQ(failure_of(second), "timed out waiting for Lock::acquire");
}

TEST_F(LockTest, EndingTheCoroutinesOfASetPassesItOn) {
  const auto hold = [](Lock& one) -> Future<> {
    const Guard guard = co_await one.acquire();
    co_await eddy::sleep(1h);
  };
  CoroutineSet set;
  for (int at = 0; at < 100; ++at) set.add(hold(lock));
  const Future<Guard> next = lock.acquire();
  set.clear();
  EXPECT_EQ(next.exception(), nullptr);
  EXPECT_TRUE(next.done());
}

}  // namespace
}  // namespace eddy
