#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <ratio>

#include <eddy/loop/clock.h>

namespace eddy {
namespace {

using namespace std::chrono_literals;

using Ticks = Duration::rep;
constexpr Ticks kMost = std::numeric_limits<Ticks>::max();
constexpr Ticks kLeast = std::numeric_limits<Ticks>::min();

TEST(ToDuration, KnowsEveryUnitAndRoundsUp) {
  EXPECT_EQ(to_duration(7ns), 7ns);
  EXPECT_EQ(to_duration(-3ms), -3'000'000ns);
  EXPECT_EQ(to_duration(std::chrono::duration<int>(2)), 2'000'000'000ns);
  EXPECT_EQ(to_duration(std::chrono::duration<unsigned, std::milli>(5)), 5ms);
  EXPECT_EQ(to_duration(std::chrono::duration<Ticks, std::pico>(1001)), 2ns);
  EXPECT_EQ(to_duration(std::chrono::duration<double, std::nano>(1.25)), 2ns);
}

TEST(ToDuration, WhatDoesNotFitSaturates) {
  using Milliseconds = std::chrono::duration<Ticks, std::milli>;
  constexpr Ticks kFits = kMost / 1'000'000;
  EXPECT_EQ(to_duration(Milliseconds(kFits)).count(), kFits * 1'000'000);
  EXPECT_EQ(to_duration(Milliseconds(kFits + 1)), Duration::max());
  EXPECT_EQ(to_duration(Milliseconds(-kFits)).count(), -kFits * 1'000'000);
  EXPECT_EQ(to_duration(Milliseconds(-kFits - 1)), Duration::min());
  EXPECT_EQ(to_duration(Milliseconds(kMost)), Duration::max());
  EXPECT_EQ(to_duration(Milliseconds(kLeast)), Duration::min());
  using Hours = std::chrono::duration<std::uint64_t, std::ratio<3600>>;
  EXPECT_EQ(to_duration(Hours(std::numeric_limits<std::uint64_t>::max())), Duration::max());
}

}  // namespace
}  // namespace eddy
