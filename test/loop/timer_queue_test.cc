#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include <eddy/loop/timer_queue.h>

#include "../support/log_capture.h"

namespace eddy {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart{1h};

class TimerQueueTest : public testing::Test {
 protected:
  TimerQueue::Id add(Duration delay, const std::string& name) {
    return timers.add(kStart + delay, [this, name] { ran += name; });
  }
  void run(Duration passed) {
    timers.choose_due(kStart + passed);
    timers.run_due();
  }

  TimerQueue timers;
  std::string ran;
};

TEST_F(TimerQueueTest, RunsByDueTimeAndThenInTheOrderOfAdding) {
  add(2ms, "c");
  add(1ms, "a");
  add(2ms, "d");
  add(1ms, "b");
  run(5ms);
  EXPECT_EQ(ran, "abcd");
}

TEST_F(TimerQueueTest, NeverRunsATimerBeforeItsTime) {
  add(1ms, "a");
  run(1ms - 1ns);
  EXPECT_EQ(ran, "");
  run(1ms);
  EXPECT_EQ(ran, "a");
}

TEST_F(TimerQueueTest, TellsWhenTheEarliestIsDue) {
  EXPECT_FALSE(timers.next());
  add(2ms, "b");
  const auto first = add(1ms, "a");
  EXPECT_EQ(timers.next(), kStart + 1ms);
  timers.remove(first);
  EXPECT_EQ(timers.next(), kStart + 2ms);
}

TEST_F(TimerQueueTest, RunsAThousandRandomTimersInOrderWhateverWasRemoved) {
  std::mt19937 random(1);
  struct Timer {
    Duration delay;
    TimerQueue::Id id;
    bool removed = false;
  };
  std::vector<Timer> all;
  std::vector<std::pair<Duration, std::size_t>> expected;
  std::vector<std::pair<Duration, std::size_t>> seen;
  for (std::size_t at = 0; at < 900; ++at) {
    const Duration delay{random() % 200};
    all.push_back({delay, timers.add(kStart + delay, [&seen, delay, at] {
                     seen.push_back({delay, at});
                   })});
    if (random() % 2 == 0) {
      Timer& victim = all[random() % all.size()];
      EXPECT_EQ(timers.remove(victim.id), !victim.removed);
      victim.removed = true;
    }
  }
  for (std::size_t at = 0; at < all.size(); ++at)
    if (!all[at].removed) expected.push_back({all[at].delay, at});
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(timers.size(), expected.size());
  run(1ms);
  EXPECT_EQ(seen, expected);
  EXPECT_EQ(timers.size(), 0u);
}

TEST_F(TimerQueueTest, ATimerAddedByATimerWaitsForALaterTurnHoweverEarlyItIsDue) {
  timers.add(kStart, [this] {
    ran += "a";
    add(-1h, "b");
  });
  run(1ms);
  EXPECT_EQ(ran, "a");
  run(1ms);
  EXPECT_EQ(ran, "ab");
}

TEST_F(TimerQueueTest, ATimerAddedAfterTheDueOnesWereChosenWaitsForALaterTurn) {
  add(0ms, "a");
  timers.choose_due(kStart + 1ms);
  add(-1h, "b");
  timers.run_due();
  EXPECT_EQ(ran, "a");
}

TEST_F(TimerQueueTest, ATimerRemovedByAnotherOfTheSameTurnDoesNotRun) {
  TimerQueue::Id second;
  timers.add(kStart, [&] {
    ran += "a";
    EXPECT_TRUE(timers.remove(second));
    EXPECT_FALSE(timers.remove(second));
  });
  second = add(0ms, "b");
  add(0ms, "c");
  run(1ms);
  EXPECT_EQ(ran, "ac");
  EXPECT_EQ(timers.size(), 0u);
}

TEST_F(TimerQueueTest, RemovingIsHarmlessTwiceOrAfterTheRunOrFromTheTimerItself) {
  TimerQueue::Id own;
  own = timers.add(kStart, [&] { EXPECT_FALSE(timers.remove(own)); });
  const auto removed = add(1ms, "x");
  EXPECT_TRUE(timers.remove(removed));
  EXPECT_FALSE(timers.remove(removed));
  run(1ms);
  EXPECT_FALSE(timers.remove(own));
  EXPECT_FALSE(timers.remove({}));
  EXPECT_EQ(timers.size(), 0u);
}

TEST_F(TimerQueueTest, AHandleKeptAfterTheRunDoesNotReachTheTimerThatTookItsPlace) {
  const auto old = add(0ms, "a");
  run(1ms);
  const auto young = add(2ms, "b");
  EXPECT_EQ(old.slot, young.slot);
  EXPECT_FALSE(timers.remove(old));
  run(2ms);
  EXPECT_EQ(ran, "ab");
}

TEST_F(TimerQueueTest, RemovingFreesWhatTheTimerCapturedAtOnce) {
  auto captured = std::make_shared<int>(1);
  const auto id = timers.add(kStart, [captured] {});
  EXPECT_EQ(captured.use_count(), 2);
  timers.remove(id);
  EXPECT_EQ(captured.use_count(), 1);
}

TEST_F(TimerQueueTest, ClearingDropsAllWithoutRunningThemEvenIfTheirCapturesComeBack) {
  struct ComesBack {
    TimerQueue& timers;
    TimerQueue::Id id;
    ComesBack(TimerQueue& of, TimerQueue::Id own) : timers(of), id(own) {}
    ComesBack(const ComesBack&) = delete;
    ComesBack& operator=(const ComesBack&) = delete;
    ~ComesBack() { EXPECT_FALSE(timers.remove(id)); }
  };
  auto captured = std::make_shared<ComesBack>(timers, add(1ms, "a"));
  timers.add(kStart, [captured = std::move(captured)] {});
  timers.clear();
  run(1h);
  EXPECT_EQ(ran, "");
  EXPECT_FALSE(timers.next());
}

TEST_F(TimerQueueTest, AFailureInATimerIsLoggedAndTheOthersRun) {
  LogCapture log;
  timers.add(kStart, [] { throw std::runtime_error("too early"); });
  timers.add(kStart, [] { throw 7; });
  add(0ms, "b");
  run(1ms);
  EXPECT_EQ(ran, "b");
  EXPECT_EQ(log.count("Exception in timer: too early"), 1u);
  EXPECT_EQ(log.count("Exception in timer: an unknown exception"), 1u);
}

TEST_F(TimerQueueTest, AStormOfTimersLeavesRoomBetweenItsThousands) {
  std::size_t count = 0;
  std::size_t last = 0;
  for (std::size_t at = 1; at <= 2500; ++at)
    timers.add(kStart, [&, at] {
      ++count;
      EXPECT_EQ(at, last + 1);
      last = at;
    });
  run(1ms);
  EXPECT_EQ(count, TimerQueue::kTimersPerTurn);
  run(1ms);
  run(1ms);
  EXPECT_EQ(count, 2500u);
}

}  // namespace
}  // namespace eddy
