#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <stdexcept>
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
    return timers_.add(kStart + delay, [this, name] { ran_ += name; });
  }
  void run(Duration passed) {
    timers_.choose_due(kStart + passed);
    timers_.run_due();
  }

  TimerQueue timers_;
  std::string ran_;
};

TEST_F(TimerQueueTest, RunsByDueTimeAndThenInTheOrderOfAdding) {
  add(2ms, "c");
  add(1ms, "a");
  add(2ms, "d");
  add(1ms, "b");
  run(5ms);
  EXPECT_EQ(ran_, "abcd");
}

TEST_F(TimerQueueTest, NeverRunsATimerBeforeItsTime) {
  add(1ms, "a");
  run(1ms - 1ns);
  EXPECT_EQ(ran_, "");
  run(1ms);
  EXPECT_EQ(ran_, "a");
}

TEST_F(TimerQueueTest, TellsWhenTheEarliestIsDue) {
  EXPECT_FALSE(timers_.next());
  add(2ms, "b");
  const auto first = add(1ms, "a");
  EXPECT_EQ(timers_.next(), kStart + 1ms);
  timers_.remove(first);
  EXPECT_EQ(timers_.next(), kStart + 2ms);
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
    all.push_back(
        {delay, timers_.add(kStart + delay, [&seen, delay, at] { seen.emplace_back(delay, at); })});
    if (random() % 2 == 0) {
      Timer& victim = all[random() % all.size()];
      EXPECT_EQ(timers_.remove(victim.id), !victim.removed);
      victim.removed = true;
    }
  }
  for (std::size_t at = 0; at < all.size(); ++at)
    if (!all[at].removed) expected.emplace_back(all[at].delay, at);
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(timers_.size(), expected.size());
  run(1ms);
  EXPECT_EQ(seen, expected);
  EXPECT_EQ(timers_.size(), 0u);
}

TEST_F(TimerQueueTest, WhatARemovedTimerCapturedMayClearTheQueueAndAddToIt) {
  struct AtEnd {
    std::function<void()> run;
    ~AtEnd() { run(); }
  };
  auto at_end = std::make_shared<AtEnd>();
  at_end->run = [this] {
    timers_.clear();
    add(1ms, "new");
  };
  add(1ms, "old");
  const auto holds = timers_.add(kStart + 1h, [at_end] {});
  at_end.reset();
  EXPECT_TRUE(timers_.remove(holds));
  EXPECT_EQ(timers_.size(), 1u);
  run(2h);
  EXPECT_EQ(ran_, "new");
}

TEST_F(TimerQueueTest, ATimerMayClearTheQueueAndWhatIsAddedThenRuns) {
  timers_.add(kStart, [this] {
    timers_.clear();
    add(1ms, "new");
  });
  add(0ms, "old");
  run(0ms);
  run(1ms);
  EXPECT_EQ(ran_, "new");
}

TEST_F(TimerQueueTest, ATimerAddedByATimerWaitsForALaterTurnHoweverEarlyItIsDue) {
  timers_.add(kStart, [this] {
    ran_ += "a";
    add(-1h, "b");
  });
  run(1ms);
  EXPECT_EQ(ran_, "a");
  run(1ms);
  EXPECT_EQ(ran_, "ab");
}

TEST_F(TimerQueueTest, ATimerAddedAfterTheDueOnesWereChosenWaitsForALaterTurn) {
  add(0ms, "a");
  timers_.choose_due(kStart + 1ms);
  add(-1h, "b");
  timers_.run_due();
  EXPECT_EQ(ran_, "a");
}

TEST_F(TimerQueueTest, ATimerRemovedByAnotherOfTheSameTurnDoesNotRun) {
  TimerQueue::Id second;
  timers_.add(kStart, [&] {
    ran_ += "a";
    EXPECT_TRUE(timers_.remove(second));
    EXPECT_FALSE(timers_.remove(second));
  });
  second = add(0ms, "b");
  add(0ms, "c");
  run(1ms);
  EXPECT_EQ(ran_, "ac");
  EXPECT_EQ(timers_.size(), 0u);
}

TEST_F(TimerQueueTest, RemovingIsHarmlessTwiceOrAfterTheRunOrFromTheTimerItself) {
  TimerQueue::Id own;
  own = timers_.add(kStart, [&] { EXPECT_FALSE(timers_.remove(own)); });
  const auto removed = add(1ms, "x");
  EXPECT_TRUE(timers_.remove(removed));
  EXPECT_FALSE(timers_.remove(removed));
  run(1ms);
  EXPECT_FALSE(timers_.remove(own));
  EXPECT_FALSE(timers_.remove({}));
  EXPECT_EQ(timers_.size(), 0u);
}

TEST_F(TimerQueueTest, AHandleKeptAfterTheRunDoesNotReachTheTimerThatTookItsPlace) {
  const auto old = add(0ms, "a");
  run(1ms);
  const auto young = add(2ms, "b");
  EXPECT_EQ(old.slot, young.slot);
  EXPECT_FALSE(timers_.remove(old));
  run(2ms);
  EXPECT_EQ(ran_, "ab");
}

TEST_F(TimerQueueTest, RemovingFreesWhatTheTimerCapturedAtOnce) {
  auto captured = std::make_shared<int>(1);
  const auto id = timers_.add(kStart, [captured] {});
  EXPECT_EQ(captured.use_count(), 2);
  timers_.remove(id);
  EXPECT_EQ(captured.use_count(), 1);
}

TEST_F(TimerQueueTest, FunctionsOfAnySizeAndAlignmentRunAndAreFreed) {
  struct alignas(64) Wide {
    std::shared_ptr<int> held;
  };
  const auto captured = std::make_shared<int>(0);
  timers_.add(kStart, [captured] { ++*captured; });
  timers_.add(kStart,
              [captured, more = std::string(100, 'x')] { *captured += more.size() == 100; });
  timers_.add(kStart, [wide = Wide{captured}] {
    *wide.held += reinterpret_cast<std::uintptr_t>(&wide) % alignof(Wide) == 0;
  });
  run(1ms);
  EXPECT_EQ(*captured, 3);
  EXPECT_EQ(captured.use_count(), 1);
}

TEST_F(TimerQueueTest, AFunctionThatCannotBeTakenLeavesTheQueueAsItWas) {
  struct Stubborn {
    int moves = 0;
    explicit Stubborn(int until) : moves(until) {}
    Stubborn(const Stubborn& other) : moves(other.moves - 1) {
      if (moves < 0) throw std::runtime_error("no further");
    }
    Stubborn& operator=(const Stubborn&) = delete;
    ~Stubborn() = default;
    void operator()() const { ADD_FAILURE(); }
  };
  add(1ms, "a");
  for (int moves = 0; moves < 2; ++moves)
    EXPECT_THROW(timers_.add(kStart, Stubborn(moves)), std::runtime_error);
  EXPECT_EQ(timers_.size(), 1u);
  add(1ms, "b");
  add(1ms, "c");
  run(1ms);
  EXPECT_EQ(ran_, "abc");
}

TEST_F(TimerQueueTest, WhatRunsStaysWholeHoweverManyTimersItStarts) {
  const auto start_many = [this] {
    for (int at = 0; at < 1000; ++at) timers_.add(kStart, [] { ADD_FAILURE(); });
  };
  timers_.add(kStart, [this, start_many, name = std::string("a")] {
    start_many();
    ran_ += name;
  });
  timers_.add(kStart, [start_many] {
    start_many();
    start_many();
  });
  run(1ms);
  EXPECT_EQ(ran_, "a");
  EXPECT_EQ(timers_.size(), 3000u);
}

TEST_F(TimerQueueTest, ClearingDropsAllWithoutRunningThemEvenIfTheirCapturesComeBack) {
  struct ComesBack {
    TimerQueue& timers_;
    TimerQueue::Id id;
    ComesBack(TimerQueue& of, TimerQueue::Id own) : timers_(of), id(own) {}
    ComesBack(const ComesBack&) = delete;
    ComesBack& operator=(const ComesBack&) = delete;
    ~ComesBack() { EXPECT_FALSE(timers_.remove(id)); }
  };
  auto captured = std::make_shared<ComesBack>(timers_, add(1ms, "a"));
  timers_.add(kStart, [captured = std::move(captured)] {});
  timers_.clear();
  run(1h);
  EXPECT_EQ(ran_, "");
  EXPECT_FALSE(timers_.next());
}

TEST_F(TimerQueueTest, AFailureInATimerIsLoggedAndTheOthersRun) {
  LogCapture log;
  timers_.add(kStart, [] { throw std::runtime_error("too early"); });
  timers_.add(kStart, [] { throw 7; });
  add(0ms, "b");
  run(1ms);
  EXPECT_EQ(ran_, "b");
  EXPECT_EQ(log.count("Exception in timer: too early"), 1u);
  EXPECT_EQ(log.count("Exception in timer: an unknown exception"), 1u);
}

TEST_F(TimerQueueTest, AStormOfTimersLeavesRoomBetweenItsThousands) {
  std::size_t count = 0;
  std::size_t last = 0;
  for (std::size_t at = 1; at <= 2500; ++at)
    timers_.add(kStart, [&, at] {
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
