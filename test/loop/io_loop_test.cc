#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <atomic>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <eddy/loop/await.h>
#include <eddy/loop/gen.h>
#include <eddy/loop/io_loop.h>
#include <eddy/loop/run_sync.h>

#include "../support/descriptors.h"
#include "../support/fake_clock.h"
#include "../support/log_capture.h"

namespace eddy {
namespace {

using namespace std::chrono_literals;

struct Simulated {  // before the loop
  FakeClock clock;
  ScopedPlatform installed{clock};
};

struct IOLoopTest : Simulated, testing::Test {
  void add_from_another_thread(const std::string& name) {
    std::thread([this, name] { loop.add_callback([this, name] { ran += name; }); }).join();
  }

  IOLoop loop;
  std::string ran;
};
using IOLoopTimers = IOLoopTest;
using IOLoopHandlers = IOLoopTest;
using IOLoopStop = IOLoopTest;
using IOLoopClose = IOLoopTest;
using IOLoopRunSync = IOLoopTest;
using IOLoopHost = IOLoopTest;

// --- Callbacks

TEST_F(IOLoopTest, RunsCallbacksInTheOrderQueued) {
  for (char name = 'a'; name <= 'e'; ++name) loop.add_callback([this, name] { ran += name; });
  loop.turn();
  EXPECT_EQ(ran, "abcde");
}

TEST_F(IOLoopTest, WhatACallbackQueuesRunsInTheNextTurn) {
  loop.add_callback([this] {
    ran += "a";
    loop.add_callback([this] { ran += "c"; });
  });
  loop.add_callback([this] { ran += "b"; });
  loop.turn();
  EXPECT_EQ(ran, "ab");
  EXPECT_EQ(loop.time_to_sleep(), Duration::zero()) << "the next turn does not wait";
  loop.turn();
  EXPECT_EQ(ran, "abc");
}

TEST_F(IOLoopTest, ATurnRunsCallbacksThenTimersThenHandlers) {
  const Pipe pipe;
  pipe.fill();
  loop.add_handler(pipe.reader.get(), kRead, [this](int, std::uint32_t) { ran += "h"; });
  loop.call_later(0ms, [this] { ran += "t"; });
  loop.add_callback([this] { ran += "c"; });
  loop.turn();
  EXPECT_EQ(ran, "cth");
}

TEST_F(IOLoopTest, WhatOtherThreadsBringStandsInLineBetweenWhatCallbacksAndHandlersQueue) {
  const Pipe pipe;
  pipe.fill();
  loop.add_handler(pipe.reader.get(), kRead, [this](int fd, std::uint32_t) {
    loop.remove_handler(fd);
    loop.add_callback([this] { ran += "d"; });
  });
  loop.add_callback([this] {
    add_from_another_thread("b");
    loop.add_callback([this] { ran += "a"; });
    add_from_another_thread("c");
  });
  loop.turn();
  EXPECT_EQ(ran, "");
  loop.turn();
  EXPECT_EQ(ran, "abcd");
}

TEST_F(IOLoopTest, CallbacksThatQueueCallbacksForEverStarveNeitherHandlersNorTimers) {
  const Pipe pipe;
  pipe.fill();
  std::function<void()> again = [&] { loop.add_callback([&] { again(); }); };
  again();
  int handled = 0;
  int timed = 0;
  loop.add_handler(pipe.reader.get(), kRead, [&](int, std::uint32_t) { ++handled; });
  for (int turn = 0; turn < 10; ++turn) {
    loop.call_later(0ms, [&] { ++timed; });
    loop.turn();
  }
  EXPECT_EQ(handled, 10);
  EXPECT_EQ(timed, 10);
}

TEST_F(IOLoopTest, AFailureOfACallbackIsLoggedAndTheRestOfTheTurnRuns) {
  LogCapture log;
  loop.add_callback([] { throw std::runtime_error("first"); });
  loop.add_callback([] { throw 7; });
  loop.add_callback([this] { ran += "a"; });
  loop.turn();
  EXPECT_EQ(ran, "a");
  EXPECT_EQ(log.count("Exception in callback: first"), 1u);
  EXPECT_EQ(log.count("Exception in callback: an unknown exception"), 1u);
}

TEST_F(IOLoopTest, TheFailureOfAFutureThatACallbackReturnsIsLogged) {
  LogCapture log;
  loop.add_callback([]() -> Future<> {
    co_await moment;
    throw std::runtime_error("later");
  });
  loop.call_later(0ms, []() -> Future<> {
    throw std::runtime_error("in a timer");
    co_return;
  });
  loop.turn();
  loop.turn();
  EXPECT_EQ(log.count("Exception in coroutine: later"), 1u);
  EXPECT_EQ(log.count("Exception in coroutine: in a timer"), 1u);
}

TEST_F(IOLoopTest, ACallbackThatReturnsAReadyFutureDoesNotKeepTheLoopBusy) {
  loop.add_callback([] { return Future<>(); });
  loop.turn();
  EXPECT_EQ(loop.time_to_sleep(), Duration::max());
}

TEST_F(IOLoopTest, CallbacksHaveTheirTurnWhenEnoughIsReadAndThenTheOtherHandlers) {
  const Pipe one;
  const Pipe other;
  for (const Pipe* pipe : {&one, &other}) {
    pipe->fill();
    loop.add_handler(pipe->reader.get(), kRead, [this](int fd, std::uint32_t) {
      loop.remove_handler(fd);
      loop.count_read(IOLoop::kBytesPerTurn);
      loop.add_callback([this] { ran += "c"; });
      ran += "h";
    });
  }
  loop.turn();
  EXPECT_EQ(ran, "h");
  EXPECT_EQ(loop.time_to_sleep(), Duration::zero()) << "another handler is to be told";
  loop.turn();
  EXPECT_EQ(ran, "hch");
  loop.turn();
  EXPECT_EQ(ran, "hchc");
}

TEST_F(IOLoopTest, ALambdaThatIsACoroutineKeepsItsCapturesUntilItsEnd) {
  auto text = std::make_shared<std::string>("kept");
  loop.spawn([this, text]() -> Future<> {
    co_await eddy::sleep(1ms);
    ran += *text;
  });
  loop.turn();
  EXPECT_EQ(text.use_count(), 2);
  loop.turn(1ms);
  for (int turn = 0; turn < 5; ++turn) loop.turn();
  EXPECT_EQ(ran, "kept");
  EXPECT_EQ(text.use_count(), 1);
}

TEST_F(IOLoopTest, CapturesOfWhatRanAreGoneBeforeTheLoopSleeps) {
  struct Watching : FakeClock {
    std::weak_ptr<int> captured;
    int epoll_wait(int epoll, epoll_event* events, int capacity, Duration timeout) override {
      EXPECT_TRUE(captured.expired());
      return FakeClock::epoll_wait(epoll, events, capacity, timeout);
    }
  };
  std::thread([] {
    Watching watching;
    const ScopedPlatform watches(watching);
    IOLoop own;
    auto big = std::make_shared<int>(1);
    watching.captured = big;
    own.add_callback([big] {});
    own.call_later(0ms, [big] {});
    big.reset();
    own.turn();
  }).join();
}

TEST_F(IOLoopTest, AddFutureRunsFromTheLoopEvenIfTheFutureIsDone) {
  Promise<int> promise;
  promise.set_result(7);
  loop.add_future(promise.future(),
                  [this](const Future<int>& future) { ran += std::to_string(future.result()); });
  EXPECT_EQ(ran, "");
  loop.turn();
  EXPECT_EQ(ran, "7");
}

TEST_F(IOLoopTest, AddFutureNeverRunsWithinTheCallThatSetsIt) {
  Promise<int> promise;
  loop.add_future(promise.future(), [this] { ran += "done"; });
  loop.add_callback([&] {
    promise.set_result(1);
    EXPECT_EQ(ran, "");
  });
  loop.turn();
  EXPECT_EQ(ran, "");
  loop.turn();
  EXPECT_EQ(ran, "done");
}

TEST_F(IOLoopTest, ItIsTheCurrentLoopOfItsThreadAndTheOnlyOne) {
  EXPECT_EQ(&IOLoop::current(), &loop);
  EXPECT_THROW(IOLoop(), InvalidStateError);
  EXPECT_EQ(&IOLoop::current(), &loop);
  std::thread([] {
    EXPECT_EQ(IOLoop::current_or_null(), nullptr);
    EXPECT_THROW(IOLoop::current(), InvalidStateError);
  }).join();
}

// --- Time

TEST_F(IOLoopTimers, AreNeverEarlyAndNeverLateWhenNothingElseHappens) {
  const TimePoint began = loop.time();
  std::vector<Duration> fired;
  for (const Duration delay : {3ms, 1ms, 2ms})
    loop.call_later(delay, [&, this] { fired.push_back(loop.time() - began); });
  while (fired.size() < 3) loop.turn(1h);
  EXPECT_EQ(fired, (std::vector<Duration>{1ms, 2ms, 3ms}));
}

TEST_F(IOLoopTimers, ATimerScheduledDuringATurnRunsInALaterOneAfterAWait) {
  loop.add_callback([this] { loop.call_later(0ms, [this] { ran += "t"; }); });
  const std::size_t waits = clock.waits;
  loop.turn();
  EXPECT_EQ(ran, "");
  EXPECT_EQ(clock.waits, waits + 1);
  loop.turn();
  EXPECT_EQ(ran, "t");
}

TEST_F(IOLoopTimers, TheWaitIsExactToTheNanosecondAndEndsWithTheNextTimer) {
  loop.call_later(1500us, [] {});
  EXPECT_EQ(loop.time_to_sleep(), 1500us);
  loop.add_callback([] {});
  EXPECT_EQ(loop.time_to_sleep(), 0us);
}

TEST_F(IOLoopTimers, ATimerStartedAfterALongCallCountsFromNow) {
  loop.add_callback([this] {
    clock.advance(5s);
    loop.call_later(1s, [this] { ran += "t"; });
  });
  loop.turn();
  EXPECT_EQ(loop.time_to_sleep(), 1s);
}

TEST_F(IOLoopTimers, ZeroAndNegativeDelaysAreDueInTheNextTurn) {
  loop.call_later(-5s, [this] { ran += "a"; });
  loop.call_later(0ms, [this] { ran += "b"; });
  loop.call_at(TimePoint::min(), [this] { ran += "c"; });
  EXPECT_EQ(loop.time_to_sleep(), 0s);
  loop.turn();
  EXPECT_EQ(ran, "cab");
}

TEST_F(IOLoopTimers, HugeDelaysMeanNeverAndNotLongAgo) {
  loop.call_later(Duration::max(), [this] { ran += "a"; });
  loop.call_later(std::chrono::hours::max(), [this] { ran += "b"; });
  loop.call_later(std::chrono::duration<double>(1e300), [this] { ran += "c"; });
  loop.call_later(std::chrono::duration<double>(std::numeric_limits<double>::infinity()),
                  [this] { ran += "d"; });
  loop.call_at(TimePoint::max(), [this] { ran += "e"; });
  loop.turn();
  EXPECT_EQ(ran, "");
  EXPECT_GT(loop.time_to_sleep(), 100 * 365 * 24h);
}

TEST_F(IOLoopTimers, ADelayThatIsNotANumberIsRefused) {
  EXPECT_THROW(loop.call_later(std::chrono::duration<double>(std::nan("")), [] {}),
               std::invalid_argument);
}

TEST_F(IOLoopTimers, AClockThatStepsBackIsHeldAndCounted) {
  const TimePoint before = loop.time();
  TimePoint fired;
  loop.call_later(10ms, [&] { fired = loop.time(); });
  clock.advance(-50ms);
  EXPECT_EQ(loop.time(), before);
  EXPECT_EQ(loop.clock_steps_back(), 1u);
  for (int turn = 0; turn < 20 && fired == TimePoint(); ++turn) loop.turn(10ms);
  EXPECT_EQ(fired, before + 10ms) << "neither early nor, once the clock is back, late";
}

TEST_F(IOLoopTimers, AClockWithAnyOffsetWorks) {
  clock.advance(1'000'000s);
  loop.call_later(1ms, [this] { ran += "t"; });
  loop.turn(1h);
  loop.turn();
  EXPECT_EQ(ran, "t");
}

TEST_F(IOLoopTimers, TenThousandDueAtOnceLetHandlersInBetween) {
  const Pipe pipe;
  pipe.fill();
  int handled = 0;
  int timed = 0;
  loop.add_handler(pipe.reader.get(), kRead, [&](int, std::uint32_t) { ++handled; });
  for (int timer = 0; timer < 10'000; ++timer)
    loop.call_later(1ms, [&, timer] {
      EXPECT_EQ(timer, timed);
      ++timed;
    });
  clock.advance(1ms);
  while (timed < 10'000) loop.turn();
  EXPECT_GE(handled, 10);
}

TEST_F(IOLoopTimers, CancelledByACallbackOfTheSameTurnADueTimerDoesNotRun) {
  const auto timeout = loop.call_later(0ms, [this] { ran += "t"; });
  loop.add_callback([this, timeout] { EXPECT_TRUE(loop.remove_timeout(timeout)); });
  loop.turn();
  loop.turn();
  EXPECT_EQ(ran, "");
}

TEST(IOLoopClock, ARealTimerIsNeverEarly) {
  IOLoop loop;
  const auto began = std::chrono::steady_clock::now();
  loop.run_sync([] { return eddy::sleep(1500us); });
  EXPECT_GE(std::chrono::steady_clock::now() - began, 1500us);
}

// --- Sleep and wake-ups

class CountingPlatform : public Platform {
 public:
  std::atomic<int> waits{0};
  std::atomic<int> reads{0};
  std::atomic<int> clock_readings{0};
  std::atomic<int> controls{0};
  int interruptions = 0;  // still to come, each with an EINTR
  TimePoint held{};       // the time until then

  TimePoint now() override {
    ++clock_readings;
    return interruptions > 0 ? held : Platform::now();
  }
  int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) override {
    ++controls;
    return Platform::epoll_ctl(epoll, operation, fd, event);
  }
  int epoll_wait(int epoll, epoll_event* events, int capacity, Duration timeout) override {
    ++waits;
    if (interruptions > 0) {
      --interruptions;
      errno = EINTR;
      return -1;
    }
    return Platform::epoll_wait(epoll, events, capacity, timeout);
  }
  ssize_t read(int fd, void* data, std::size_t size) override {
    ++reads;
    return Platform::read(fd, data, size);
  }
};

TEST(IOLoopIdle, SleepsInOneSystemCallHoweverManyDescriptorsItWatches) {
  CountingPlatform platform;
  const ScopedPlatform installed(platform);
  IOLoop loop;
  std::vector<Pipe> pipes(200);
  for (const Pipe& pipe : pipes)
    loop.add_handler(pipe.reader.get(), kRead, [](int, std::uint32_t) { ADD_FAILURE(); });
  loop.turn();
  platform.waits = platform.reads = platform.clock_readings = platform.controls = 0;
  std::thread([&loop, door = loop.door()] { door.add_callback([&loop] { loop.stop(); }); }).join();
  loop.start();
  EXPECT_EQ(platform.waits, 1) << "one wait, ended by the other thread";
  EXPECT_EQ(platform.controls, 0);
  EXPECT_LE(platform.clock_readings, 2) << "once a turn";
}

TEST(IOLoopIdle, AnInterruptedWaitLosesNothingAndMakesNoTimerEarly) {
  CountingPlatform platform;
  const ScopedPlatform installed(platform);
  IOLoop loop;
  const auto began = std::chrono::steady_clock::now();
  platform.held = platform.now();
  platform.interruptions = 3;
  bool callback = false;
  loop.add_callback([&] { callback = true; });
  loop.run_sync([] { return eddy::sleep(2ms); });
  EXPECT_GE(std::chrono::steady_clock::now() - began, 2ms);
  EXPECT_TRUE(callback);
  EXPECT_EQ(platform.interruptions, 0);
}

// Its loop sleeps until another thread is about to ring, is up before it has, and goes.
class HastyPlatform : public Platform {
 public:
  int epoll_wait(int epoll, epoll_event* events, int capacity, Duration timeout) override {
    if (timeout == Duration::zero()) return Platform::epoll_wait(epoll, events, capacity, timeout);
    set(sleeps_);
    rings_.wait(false);
    return 0;
  }
  ssize_t write(int fd, const void* data, std::size_t size) override {
    set(rings_);
    has_gone_.wait(false);
    has_bell_ = ::fcntl(fd, F_GETFD) >= 0;
    return Platform::write(fd, data, size);
  }

  void wait_until_it_sleeps() { sleeps_.wait(false); }
  void has_gone() { set(has_gone_); }
  bool has_bell() const { return has_bell_; }

 private:
  static void set(std::atomic<bool>& flag) {
    flag = true;
    flag.notify_all();
  }

  std::atomic<bool> sleeps_{false};
  std::atomic<bool> rings_{false};
  std::atomic<bool> has_gone_{false};
  bool has_bell_ = false;
};

TEST(IOLoopThreads, ALoopMayGoBeforeTheOtherThreadThatEndedItIsBack) {
  void (*const ways[])(IOLoop&) = {
      [](IOLoop& loop) { loop.stop(); },
      [](IOLoop& loop) { loop.add_callback([&loop] { loop.stop(); }); },
  };
  for (const auto end : ways) {
    HastyPlatform platform;
    const ScopedPlatform installed(platform);
    auto loop = std::make_unique<IOLoop>();
    std::thread other([&, &loop = *loop] {
      platform.wait_until_it_sleeps();
      end(loop);
    });
    loop->start();
    loop.reset();
    platform.has_gone();
    other.join();
    EXPECT_TRUE(platform.has_bell());
  }
}

TEST(IOLoopThreads, ACallbackFromAnotherThreadWakesTheLoop) {
  IOLoop loop;
  const auto loop_thread = std::this_thread::get_id();
  std::thread::id ran_on;
  std::thread other([door = loop.door(), &loop, &ran_on] {
    door.add_callback([&] {
      ran_on = std::this_thread::get_id();
      loop.stop();
    });
  });
  loop.start();
  other.join();
  EXPECT_EQ(ran_on, loop_thread);
}

TEST(IOLoopThreads, AHundredThousandCallbacksOfFourThreadsAllRunEachThreadsInOrder) {
  constexpr int kEach = 25'000;
  IOLoop loop;
  int next[4] = {};
  int total = 0;
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int at = 0; at < 4; ++at)
    threads.emplace_back([&, at] {
      for (int number = 0; number < kEach; ++number)
        loop.add_callback([&, at, number] {
          EXPECT_EQ(next[at]++, number);
          if (++total == 4 * kEach) loop.stop();
        });
    });
  loop.start();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(total, 4 * kEach);
}

TEST(IOLoopThreads, StopFromAnotherThreadEndsEveryStartWheneverItComes) {
  for (int round = 0; round < 300; ++round) {
    IOLoop loop;
    std::thread stopper([&] { loop.stop(); });
    loop.start();
    stopper.join();
  }
}

TEST(IOLoopThreads, AnythingButAddCallbackAndStopIsRefusedOnAnotherThreadNamingBoth) {
  IOLoop loop;
  const std::string owner = std::to_string(loop.thread());
  std::thread([&] {
    EXPECT_THROW(loop.start(), WrongThreadError);
    EXPECT_THROW(loop.turn(), WrongThreadError);
    EXPECT_THROW(loop.close(), WrongThreadError);
    EXPECT_THROW(loop.time(), WrongThreadError);
    EXPECT_THROW(loop.call_at(TimePoint(), [] {}), WrongThreadError);
    EXPECT_THROW(loop.remove_timeout({}), WrongThreadError);
    EXPECT_THROW(loop.add_handler(0, kRead, [](int, std::uint32_t) {}), WrongThreadError);
    EXPECT_THROW(loop.update_handler(0, kRead), WrongThreadError);
    EXPECT_THROW(loop.remove_handler(0), WrongThreadError);
    EXPECT_THROW(loop.add_signal_handler(10, [] {}), WrongThreadError);
    EXPECT_THROW(loop.spawn([] {}), WrongThreadError);
    try {
      loop.turn();
    } catch (const WrongThreadError& error) {
      EXPECT_NE(std::string(error.what()).find(owner), std::string::npos);
      EXPECT_NE(std::string(error.what()).find(std::to_string(::gettid())), std::string::npos);
    }
  }).join();
}

TEST(IOLoopThreads, ACallbackIsAcceptedOrRefusedWhileTheLoopEndsButNeverLost) {
  LogCapture log;
  struct Witness {
    std::atomic<int>& ended;
    explicit Witness(std::atomic<int>& counter) : ended(counter) {}
    Witness(const Witness&) = delete;
    Witness& operator=(const Witness&) = delete;
    ~Witness() { ++ended; }
  };
  constexpr int kThreads = 16;
  constexpr int kEach = 200;
  std::atomic<int> ended{0};
  std::atomic<int> refused{0};
  std::atomic<int> ready{0};
  int ran = 0;
  std::vector<std::thread> threads;
  {
    IOLoop loop;
    for (int at = 0; at < kThreads; ++at)
      threads.emplace_back([&, door = loop.door()] {
        ++ready;
        for (int number = 0; number < kEach; ++number)
          if (!door.add_callback([&ran, witness = std::make_unique<Witness>(ended)] { ++ran; }))
            ++refused;
      });
    while (ready < kThreads) loop.turn();
    loop.turn();
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(ended, kThreads * kEach) << "each ran or was destroyed";
  EXPECT_LE(ran + refused, kThreads * kEach);
  const bool dropped = ran + refused < kThreads * kEach;
  EXPECT_EQ(log.count("dropped callbacks"), dropped ? 1u : 0u);
}

TEST(IOLoopThreads, TwoLoopsMayLiveAndEndOnDifferentThreadsAtOnce) {
  const auto live = [] {
    for (int round = 0; round < 50; ++round) {
      IOLoop loop;
      loop.add_callback([&] { loop.stop(); });
      loop.start();
    }
  };
  std::thread other(live);
  live();
  other.join();
}

TEST(IOLoopThreads, APromiseDroppedOnAnotherThreadWakesTheLoopThatWaitsForIt) {
  IOLoop loop;
  Promise<int> promise;
  Future<int> future = promise.future();
  std::thread other;
  EXPECT_THROW(loop.run_sync([&]() -> Future<int> {
    other = std::thread([dropped = std::move(promise)] {});
    co_return co_await future;
  }),
               BrokenPromiseError);
  other.join();
}

// --- Handlers

TEST_F(IOLoopHandlers, AreCalledWithTheirDescriptorAndItsEvents) {
  const SocketPair pair;
  int fd = -1;
  std::uint32_t events = 0;
  loop.add_handler(pair.ours.get(), kWrite, [&](int of, std::uint32_t seen) {
    fd = of;
    events = seen;
  });
  loop.turn();
  EXPECT_EQ(fd, pair.ours.get());
  EXPECT_EQ(events, static_cast<std::uint32_t>(kWrite));
}

TEST_F(IOLoopHandlers, AFailureIsLoggedAndTheRestOfTheBatchIsHandled) {
  LogCapture log;
  const Pipe first;
  const Pipe second;
  first.fill();
  second.fill();
  int calls = 0;
  for (const Pipe* pipe : {&first, &second})
    loop.add_handler(pipe->reader.get(), kRead, [&](int, std::uint32_t) {
      ++calls;
      throw std::runtime_error("no");
    });
  loop.turn();
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(log.count("Exception in event handler: no"), 2u);
}

TEST_F(IOLoopHandlers, ItsCapturesOutliveItsOwnRemoval) {
  const Pipe pipe;
  pipe.fill();
  auto captured = std::make_shared<int>(7);
  const std::weak_ptr<int> watch = captured;
  loop.add_handler(pipe.reader.get(), kRead, [this, captured](int fd, std::uint32_t) {
    loop.remove_handler(fd);
    EXPECT_EQ(*captured, 7);
  });
  captured.reset();
  loop.turn();
  EXPECT_TRUE(watch.expired());
}

// --- Stop

TEST_F(IOLoopStop, InACallbackTheRestOfTheTurnRunsAndThenNothingIsWaitedFor) {
  loop.call_later(0ms, [this] { ran += "t"; });
  loop.add_callback([this] {
    loop.stop();
    loop.add_callback([this] { ran += "later"; });
  });
  loop.add_callback([this] { ran += "c"; });
  const std::size_t waits = clock.waits;
  loop.start();
  EXPECT_EQ(ran, "ct");
  EXPECT_EQ(clock.waits, waits);
  loop.turn();
  EXPECT_EQ(ran, "ctlater") << "what was queued stays for the next time";
}

TEST_F(IOLoopStop, InAHandlerTheBatchIsDispatchedAndOneMoreRoundRuns) {
  const Pipe first;
  const Pipe second;
  first.fill();
  second.fill();
  for (const Pipe* pipe : {&first, &second})
    loop.add_handler(pipe->reader.get(), kRead, [this](int, std::uint32_t) {
      ran += "h";
      loop.stop();
      loop.add_callback([this] { ran += "c"; });
    });
  loop.start();
  EXPECT_EQ(ran, "hhcc");
}

TEST_F(IOLoopStop, InACallbackAllThatTheLastWaitFoundIsToldFirst) {
  const Pipe pipes[3];
  for (const Pipe& pipe : pipes) {
    pipe.fill();
    loop.add_handler(pipe.reader.get(), kRead, [this](int fd, std::uint32_t) {
      ran += "h";
      loop.remove_handler(fd);
      loop.count_read(IOLoop::kBytesPerTurn);
      loop.add_callback([this] { loop.stop(); });
    });
  }
  loop.start();
  EXPECT_EQ(ran, "hhh");
}

TEST_F(IOLoopStop, BeforeStartItCancelsThatStartAndOnlyThatOne) {
  loop.add_callback([this] {
    ran += "c";
    loop.stop();
  });
  loop.stop();
  loop.stop();
  loop.start();
  EXPECT_EQ(ran, "");
  loop.start();
  EXPECT_EQ(ran, "c");
}

TEST_F(IOLoopStop, StartAndTurnWithinATurnAreRefused) {
  loop.add_callback([this] {
    EXPECT_THROW(loop.start(), InvalidStateError);
    EXPECT_THROW(loop.turn(), InvalidStateError);
    EXPECT_THROW(loop.close(), InvalidStateError);
    ran += "c";
    loop.stop();
  });
  loop.start();
  EXPECT_EQ(ran, "c");
}

TEST_F(IOLoopStop, ALoopWhoseStartOrTurnThrewCanBeStartedAgain) {
  EXPECT_THROW(loop.start(), std::logic_error) << "the simulated kernel refuses to sleep for ever";
  EXPECT_THROW(loop.turn(Duration::max()), std::logic_error);
  loop.add_callback([this] { loop.stop(); });
  loop.start();
}

// --- Close

TEST_F(IOLoopClose, DropsWhatWaitsAndRefusesWhatComes) {
  auto captured = std::make_shared<int>(1);
  loop.add_callback([this, captured] { ran += "c"; });
  loop.call_later(0ms, [this, captured] { ran += "t"; });
  const Pipe pipe;
  loop.add_handler(pipe.reader.get(), kRead, [captured](int, std::uint32_t) {});
  loop.close();
  loop.close();
  EXPECT_EQ(captured.use_count(), 1);
  EXPECT_FALSE(loop.add_callback([this, captured] { ran += "x"; }));
  EXPECT_EQ(captured.use_count(), 1);
  EXPECT_THROW(loop.start(), InvalidStateError);
  EXPECT_THROW(loop.turn(), InvalidStateError);
  EXPECT_EQ(ran, "");
}

TEST_F(IOLoopClose, CountsWhatOtherThreadsBroughtWhetherTakenOrNot) {
  const LogCapture log;
  add_from_another_thread("a");
  add_from_another_thread("b");
  loop.turn();  // takes them into line
  add_from_another_thread("c");
  loop.close();
  EXPECT_EQ(ran, "");
  EXPECT_EQ(log.count("dropped callbacks of other threads: 3"), 1u);
}

TEST_F(IOLoopClose, EndsEveryCoroutineWhereItWaitsAndItsCleanUpRuns) {
  struct CleanUp {
    std::string& ran;
    ~CleanUp() { ran += "clean"; }
  };
  Future<> held = [](std::string& text) -> Future<> {
    const CleanUp clean_up{text};
    co_await eddy::sleep(1h);
  }(ran);
  loop.close();
  EXPECT_EQ(ran, "clean");
  EXPECT_THROW(held.result(), BrokenPromiseError);
}

TEST_F(IOLoopClose, ACapturedObjectMayComeBackToTheLoopWhileItIsDropped) {
  struct ComesBack {
    IOLoop& loop;
    int fd;
    IOLoop::Timeout timeout;
    ComesBack(IOLoop& of, int number, IOLoop::Timeout timer)
        : loop(of), fd(number), timeout(timer) {}
    ComesBack(const ComesBack&) = delete;
    ComesBack& operator=(const ComesBack&) = delete;
    ~ComesBack() {
      loop.remove_handler(fd);
      loop.remove_timeout(timeout);
      loop.add_callback([] {});
      loop.call_later(1s, [] {});
      loop.spawn(eddy::sleep(1s));
    }
  };
  const Pipe pipe;
  const auto make = [&] {
    return std::make_shared<ComesBack>(loop, pipe.reader.get(), loop.call_later(1h, [] {}));
  };
  loop.add_handler(pipe.reader.get(), kRead, [one = make()](int, std::uint32_t) {});
  loop.add_callback([one = make()] {});
  loop.call_later(1s, [one = make()] {});
  loop.spawn([](std::shared_ptr<ComesBack>) -> Future<> { co_await eddy::sleep(1h); }(make()));
  loop.close();
}

TEST(IOLoopLifetime, FuturesThatOutliveTheLoopAreBrokenAndHarmless) {
  std::optional<Future<>> sleeping;
  std::optional<Future<>> deadline;
  {
    IOLoop loop;
    sleeping = eddy::sleep(1h);
    deadline = with_timeout(1h, eddy::sleep(1h));
  }
  EXPECT_THROW(sleeping->result(), BrokenPromiseError);
  EXPECT_THROW(deadline->result(), BrokenPromiseError);
}

TEST(IOLoopFork, AChildThatUsesItsParentsLoopIsToldSoAndDoesNotHarmIt) {
  IOLoop loop;
  const Pipe pipe;
  int handled = 0;
  loop.add_handler(pipe.reader.get(), kRead, [&](int, std::uint32_t) {
    pipe.empty();
    ++handled;
  });
  const pid_t child = ::fork();
  if (child == 0) {
    int refused = 0;
    try {
      loop.turn();
    } catch (const InvalidStateError& error) {
      refused += std::string(error.what()).find("fork") != std::string::npos;
    }
    loop.remove_handler(pipe.reader.get());  // the parent's set is not touched
    ::_exit(refused == 1 ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  pipe.fill();
  loop.turn();
  EXPECT_EQ(handled, 1);
}

// --- run_sync

TEST_F(IOLoopRunSync, GivesTheResultOrThrowsTheFailure) {
  EXPECT_EQ(loop.run_sync([]() -> Future<int> {
    co_await eddy::sleep(1ms);
    co_return 7;
  }),
            7);
  EXPECT_THROW(loop.run_sync([]() -> Future<> {
    co_await moment;
    throw std::out_of_range("x");
  }),
               std::out_of_range);
  EXPECT_THROW(loop.run_sync([]() -> Future<> { throw std::out_of_range("plainly"); }),
               std::out_of_range);
}

TEST_F(IOLoopRunSync, GivesAResultThatCanOnlyBeMoved) {
  auto seven =
      loop.run_sync([]() -> Future<std::unique_ptr<int>> { co_return std::make_unique<int>(7); });
  EXPECT_EQ(*seven, 7);
}

TEST_F(IOLoopRunSync, AfterTheTimeoutTheCoroutineIsCancelledAndWaitedFor) {
  EXPECT_THROW(loop.run_sync(
                   [this]() -> Future<> {
                     try {
                       co_await eddy::sleep(1h);
                     } catch (const CancelledError&) {
                       ran += "cancelled";
                       throw;
                     }
                   },
                   1s),
               TimeoutError);
  EXPECT_EQ(ran, "cancelled");
}

TEST_F(IOLoopRunSync, ItsTimerIsRemovedWhenTheCoroutineIsFaster) {
  loop.run_sync([] { return eddy::sleep(1ms); }, 1h);
  EXPECT_EQ(loop.time_to_sleep(), Duration::max());
}

TEST_F(IOLoopRunSync, SaysSoWhenSomebodyElseStoppedTheLoop) {
  loop.call_later(1s, [this] { loop.stop(); });
  try {
    loop.run_sync([] { return eddy::sleep(1h); });
    ADD_FAILURE();
  } catch (const InvalidStateError& error) {
    EXPECT_NE(std::string(error.what()).find("stopped before"), std::string::npos);
  }
}

TEST_F(IOLoopRunSync, LeavesNothingBehindWhenTheLoopWasStoppedBeforeItBegan) {
  loop.stop();
  EXPECT_THROW(loop.run_sync([this]() -> Future<> {
    ran += "x";
    co_return;
  }),
               InvalidStateError);
  loop.turn();
  EXPECT_EQ(ran, "");
}

TEST_F(IOLoopRunSync, WithinATurnItIsRefused) {
  loop.add_callback(
      [this] { EXPECT_THROW(loop.run_sync([] { return Future<>(); }, 1s), InvalidStateError); });
  loop.turn();
  loop.turn();
}

// --- A host's own loop

TEST_F(IOLoopHost, ACallbackFromAnotherThreadBetweenTurnsMakesTheDescriptorReadable) {
  loop.turn();
  std::thread([this] { loop.add_callback([this] { ran += "c"; }); }).join();
  epoll_event event;
  const UniqueFd host(::epoll_create1(EPOLL_CLOEXEC));
  epoll_event wanted{.events = EPOLLIN, .data = {}};
  ASSERT_EQ(::epoll_ctl(host.get(), EPOLL_CTL_ADD, loop.fd(), &wanted), 0);
  EXPECT_EQ(::epoll_wait(host.get(), &event, 1, 0), 1);
  loop.turn();
  loop.turn();
  EXPECT_EQ(ran, "c");
  EXPECT_EQ(::epoll_wait(host.get(), &event, 1, 0), 0);
}

TEST_F(IOLoopHost, AChangeOfInterestIsKnownToTheKernelOnceTheTimeToSleepWasAsked) {
  const SocketPair pair;
  loop.add_handler(pair.ours.get(), kNone, [this](int fd, std::uint32_t) {
    ran += "w";
    loop.update_handler(fd, kNone);
  });
  loop.turn();
  loop.update_handler(pair.ours.get(), kWrite);
  EXPECT_EQ(loop.time_to_sleep(), Duration::max());
  epoll_event event;
  EXPECT_EQ(::epoll_wait(loop.fd(), &event, 1, 0), 1);
  loop.turn();
  EXPECT_EQ(ran, "w");
}

// --- What it tells

TEST_F(IOLoopTest, ATurnThatBlocksTooLongIsLoggedWhicheverPartTookTheTime) {
  LogCapture log;
  const Pipe pipe;
  pipe.fill();
  loop.set_blocking_log_threshold(100ms);
  loop.add_callback([this] { clock.advance(150ms); });
  loop.turn();
  EXPECT_EQ(log.count("took 150 ms"), 1u);
  loop.add_handler(pipe.reader.get(), kRead, [this](int fd, std::uint32_t) {
    loop.remove_handler(fd);
    clock.advance(170ms);
  });
  loop.turn();
  EXPECT_EQ(log.count("took 170 ms"), 1u);
  loop.call_later(1s, [] {});
  loop.turn(1h);
  EXPECT_EQ(log.count("without a wait"), 2u) << "sleeping is not blocking";
}

}  // namespace
}  // namespace eddy
