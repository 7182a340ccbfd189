#include <gtest/gtest.h>

#include <functional>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include <eddy/loop/timer_order.h>

namespace eddy {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart{1h};

// The same timers, in order all the time.
class TimerOrderTest : public testing::Test {
 protected:
  std::uint32_t add(TimePoint when) {
    const auto timer = static_cast<std::uint32_t>(due_.size());
    order_.reserve(timer + 1);
    order_.add({.when = when, .order = timer, .timer = timer});
    due_.push_back(when);
    sorted_.emplace(when, timer);
    return timer;
  }
  void remove(std::uint32_t timer) {
    order_.remove(timer);
    sorted_.erase({due_[timer], timer});
  }
  void remove_first() { remove(order_.first().timer); }
  bool right() const {
    if (sorted_.empty() || order_.empty()) return sorted_.empty() && order_.empty();
    return *sorted_.begin() == std::pair(order_.first().when, order_.first().timer);
  }
  void expect_all_in_order() {
    for (; !sorted_.empty(); remove_first()) ASSERT_TRUE(right()) << sorted_.size() << " left";
    EXPECT_TRUE(order_.empty());
  }

  TimerOrder order_;
  std::vector<TimePoint> due_;
  std::set<std::pair<TimePoint, std::uint32_t>> sorted_;
};

TEST_F(TimerOrderTest, KnowsTheNextOneWhateverComesAndGoes) {
  std::mt19937 random(1);
  for (int step = 0; step < 100'000; ++step) {
    const bool growing = step / 20'000 % 2 == 0;
    const Duration scale{1 << random() % 30};
    if (random() % 10 < (growing ? 6u : 3u) || sorted_.empty())
      add(kStart + Duration(static_cast<Duration::rep>(random()) % scale.count()));
    else if (random() % 2 == 0)
      remove(static_cast<std::uint32_t>(random() % due_.size()));
    else
      remove_first();
    ASSERT_TRUE(right()) << "after step " << step;
  }
  expect_all_in_order();
}

TEST_F(TimerOrderTest, ComesToTheSameOrderFromAnyOther) {
  constexpr int kMany = 20'000;
  const std::vector<std::function<int(int)>> orders = {
      [](int at) { return at; },
      [](int at) { return -at; },
      [](int) { return 0; },
      [](int at) { return at % 3; },
      [](int at) { return at % 100 == 0 ? at : 7; },
      [](int at) { return at % 2 == 0 ? at : kMany - at; },
  };
  for (const auto& delay : orders) {
    for (int at = 0; at < kMany; ++at) add(kStart + Duration(delay(at)));
    expect_all_in_order();
  }
}

TEST_F(TimerOrderTest, WhoIsDueAtTheEndOfTimeIsTheLast) {
  for (int at = 0; at < 3000; ++at) add(at % 2 == 0 ? TimePoint::max() : TimePoint::min());
  for (int at = 0; at < 3000; ++at) add(kStart);
  expect_all_in_order();
}

TEST_F(TimerOrderTest, TheOrderOfAddingGoesOnWhereItsNumberWrapsAround) {
  order_.reserve(4);
  for (std::uint32_t timer = 0; timer < 4; ++timer)
    order_.add({.when = kStart, .order = UINT32_MAX - 1 + timer, .timer = timer});
  for (std::uint32_t timer = 0; timer < 4; ++timer) {
    EXPECT_EQ(order_.first().timer, timer);
    order_.remove(timer);
  }
}

TEST_F(TimerOrderTest, RemovingOneThatDoesNotStandHereIsHarmless) {
  const auto gone = add(kStart);
  add(kStart + 1ms);
  remove(gone);
  remove(gone);
  expect_all_in_order();
}

}  // namespace
}  // namespace eddy
