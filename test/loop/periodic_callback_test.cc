#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include <eddy/loop/await.h>
#include <eddy/loop/gen.h>
#include <eddy/loop/periodic_callback.h>

#include "../support/fake_clock.h"
#include "../support/log_capture.h"

namespace eddy {
namespace {

using namespace std::chrono_literals;

struct PeriodicCallbackTest : testing::Test {
  void pass(Duration duration) {  // the loop runs for so long
    bool over = false;
    loop.call_later(duration, [&] { over = true; });
    while (!over) loop.turn(duration);
  }
  void called() { calls.push_back(loop.time() - began); }

  FakeClock clock;
  ScopedPlatform installed{clock};
  IOLoop loop;
  const TimePoint began = loop.time();
  std::vector<Duration> calls;
};

TEST_F(PeriodicCallbackTest, FirstRunsOnePeriodAfterTheStartAndThenAtTheSameInterval) {
  PeriodicCallback periodic(10ms, [this] { called(); });
  periodic.start();
  pass(35ms);
  EXPECT_EQ(calls, (std::vector<Duration>{10ms, 20ms, 30ms}));
}

TEST_F(PeriodicCallbackTest, KeepsItsPhaseAndSkipsWhatItMissed) {
  PeriodicCallback periodic(10ms, [this] {
    called();
    clock.advance(25ms);
  });
  periodic.start();
  pass(75ms);
  EXPECT_EQ(calls, (std::vector<Duration>{10ms, 40ms, 70ms}));
  EXPECT_EQ(periodic.skipped(), 6u);
}

TEST_F(PeriodicCallbackTest, ACallThatLastsExactlyOnePeriodSkipsOne) {
  PeriodicCallback periodic(10ms, [this] {
    called();
    clock.advance(10ms);
  });
  periodic.start();
  pass(35ms);
  EXPECT_EQ(calls, (std::vector<Duration>{10ms, 30ms}));
}

TEST_F(PeriodicCallbackTest, AfterALongPauseOfTheProcessItRunsOnceAndInPhase) {
  PeriodicCallback periodic(1s, [this] { called(); });
  periodic.start();
  clock.advance(10s + 300ms);
  loop.turn();
  EXPECT_EQ(calls.size(), 1u);
  pass(1s);
  EXPECT_EQ(calls, (std::vector<Duration>{10s + 300ms, 11s}));
}

TEST_F(PeriodicCallbackTest, AFailureIsLoggedAndItGoesOn) {
  LogCapture log;
  PeriodicCallback periodic(10ms, [this] {
    called();
    throw std::runtime_error("bad tick");
  });
  periodic.start();
  pass(25ms);
  EXPECT_EQ(calls.size(), 2u);
  EXPECT_EQ(log.count("Exception in periodic callback: bad tick"), 2u);
}

TEST_F(PeriodicCallbackTest, ACoroutineIsWaitedForAndItsFailureLogged) {
  LogCapture log;
  PeriodicCallback periodic(10ms, [this]() -> Future<> {
    called();
    co_await eddy::sleep(25ms);
    throw std::runtime_error("bad end");
  });
  periodic.start();
  pass(45ms);
  EXPECT_EQ(calls, (std::vector<Duration>{10ms, 40ms}));
  EXPECT_EQ(log.count("bad end"), 1u);
}

TEST_F(PeriodicCallbackTest, StoppedItRunsNoMoreAndLeavesNoTimer) {
  PeriodicCallback periodic(10ms, [this] { called(); });
  periodic.start();
  EXPECT_TRUE(periodic.is_running());
  periodic.stop();
  periodic.stop();
  EXPECT_FALSE(periodic.is_running());
  EXPECT_EQ(loop.time_to_sleep(), Duration::max());
}

TEST_F(PeriodicCallbackTest, StoppedByItsOwnCallbackItIsNotScheduledAgain) {
  PeriodicCallback periodic(10ms, [&] {
    called();
    periodic.stop();
  });
  periodic.start();
  pass(50ms);
  EXPECT_EQ(calls.size(), 1u);
}

TEST_F(PeriodicCallbackTest, ASecondStartMakesNoSecondChain) {
  PeriodicCallback periodic(10ms, [this] { called(); });
  periodic.start();
  periodic.start();
  pass(25ms);
  EXPECT_EQ(calls.size(), 2u);
}

TEST_F(PeriodicCallbackTest, StoppedAndStartedByItsOwnCallbackItBeginsANewPhaseInOneChain) {
  PeriodicCallback periodic(10ms, [&] {
    called();
    clock.advance(3ms);
    periodic.stop();
    periodic.start();
  });
  periodic.start();
  pass(40ms);
  EXPECT_EQ(calls, (std::vector<Duration>{10ms, 23ms, 36ms}));
}

TEST_F(PeriodicCallbackTest, ItsOwnCallbackMayDestroyIt) {
  auto captured = std::make_shared<std::string>("alive");
  std::unique_ptr<PeriodicCallback> periodic;
  periodic = std::make_unique<PeriodicCallback>(10ms, [&periodic, captured] {
    periodic.reset();
    EXPECT_EQ(*captured, "alive");
  });
  periodic->start();
  pass(30ms);
  EXPECT_FALSE(periodic);
  EXPECT_EQ(captured.use_count(), 1);
}

TEST_F(PeriodicCallbackTest, DestroyedWhileItsCoroutineWaitsThatEnds) {
  bool ended = false;
  struct CleanUp {
    bool& done;
    ~CleanUp() { done = true; }
  };
  auto periodic = std::make_unique<PeriodicCallback>(10ms, [&ended]() -> Future<> {
    const CleanUp clean_up{ended};
    co_await eddy::sleep(1h);
  });
  periodic->start();
  pass(15ms);
  EXPECT_FALSE(ended);
  periodic.reset();
  EXPECT_TRUE(ended);
}

TEST_F(PeriodicCallbackTest, WithJitterEachIntervalStaysWithinIt) {
  PeriodicCallback periodic(
      10ms, [this] { called(); }, 0.5);
  periodic.start();
  pass(1s);
  ASSERT_GE(calls.size(), 80u);
  Duration last{};
  for (const Duration at : calls) {
    EXPECT_GE(at - last, 7500us);
    EXPECT_LE(at - last, 12500us + 1ns);
    last = at;
  }
}

TEST_F(PeriodicCallbackTest, WhatMakesNoSenseIsRefused) {
  EXPECT_THROW(PeriodicCallback(0ms, [] {}), std::invalid_argument);
  EXPECT_THROW(PeriodicCallback(-1ms, [] {}), std::invalid_argument);
  EXPECT_THROW(PeriodicCallback(
                   1ms, [] {}, 1.0),
               std::invalid_argument);
  EXPECT_THROW(PeriodicCallback(
                   1ms, [] {}, -0.1),
               std::invalid_argument);
}

TEST_F(PeriodicCallbackTest, AnEndlessPeriodIsNever) {
  PeriodicCallback periodic(std::chrono::hours::max(), [this] { called(); });
  periodic.start();
  EXPECT_GT(loop.time_to_sleep(), 100 * 365 * 24h);
}

}  // namespace
}  // namespace eddy
