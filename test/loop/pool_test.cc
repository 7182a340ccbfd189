#include <gtest/gtest.h>

#include <memory>
#include <new>
#include <string>
#include <vector>

#include <eddy/loop/await.h>
#include <eddy/loop/callback_queue.h>
#include <eddy/loop/gen.h>
#include <eddy/loop/pool.h>
#include <eddy/loop/run_sync.h>

#include "../support/descriptors.h"
#include "../support/fake_clock.h"
#include "../support/log_capture.h"

namespace eddy {
namespace {

thread_local long allocations_left = -1;  // negative: no limit

struct Scarce {  // every allocation beyond so many fails
  explicit Scarce(long allowed) { allocations_left = allowed; }
  ~Scarce() { allocations_left = -1; }
  Scarce(const Scarce&) = delete;
  Scarce& operator=(const Scarce&) = delete;
};

}  // namespace
}  // namespace eddy

[[gnu::noinline]] void* operator new(std::size_t size) {
  if (eddy::allocations_left == 0) throw std::bad_alloc();
  if (eddy::allocations_left > 0) --eddy::allocations_left;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace eddy {
namespace {

using namespace std::chrono_literals;

Future<int> slowly(int value) {
  co_await moment;
  co_return value;
}

Future<int> work() {
  const int one = co_await slowly(1);
  co_await eddy::sleep(1ms);
  std::vector<Future<int>> both;
  both.push_back(slowly(2));
  both.push_back(with_timeout(1s, slowly(3)));
  const std::vector<int> results = co_await multi(std::move(both));
  WaitIterator<int> each({slowly(4), make_ready_future(5)});
  int sum = one + results.at(0) + results.at(1);
  while (!each.done()) sum += co_await each.next();
  co_return sum;
}

TEST(Scarcity, WhereverMemoryEndsAnOperationFailsAndTheLoopLives) {
  FakeClock clock;
  const ScopedPlatform installed(clock);
  const LogCapture log;
  IOLoop loop;
  const Pipe pipe;
  int failures = 0;
  for (long allowed = 0;; ++allowed) {
    ASSERT_LT(allowed, 1000);
    bool succeeded = false;
    try {
      const Scarce scarce(allowed);
      loop.add_handler(pipe.reader.get(), kRead, [](int, std::uint32_t) {});
      succeeded = loop.run_sync(work, 1s) == 15;
    } catch (const std::bad_alloc&) {
      ++failures;
    } catch (const CancelledError&) {  // what would have brought the result had no memory
      ++failures;
    } catch (const TimeoutError&) {  // its callback had none
      ++failures;
    }
    loop.remove_handler(pipe.reader.get());
    for (int turn = 0; turn < 5; ++turn) loop.turn();
    if (succeeded) break;
  }
  EXPECT_GT(failures, 10);
  EXPECT_EQ(loop.run_sync(work), 15) << "it recovers";
  EXPECT_EQ(loop.dump_tasks(), "") << "nothing is left behind";
}

TEST(Scarcity, BreakingAPromiseAndRemovingAHandlerNeedNoMemory) {
  IOLoop loop;
  const Pipe pipe;
  loop.add_handler(pipe.reader.get(), kRead, [](int, std::uint32_t) {});
  auto promise = std::make_unique<Promise<int>>();
  const Future<int> future = promise->future();
  {
    const Scarce scarce(0);
    promise.reset();
    loop.remove_handler(pipe.reader.get());
    loop.turn();
  }
  EXPECT_THROW(future.result(), BrokenPromiseError);
}

TEST(Scarcity, TimersThatAreDueRunWithoutMemory) {
  FakeClock clock;
  const ScopedPlatform installed(clock);
  IOLoop loop;
  int ran = 0;
  for (int at = 0; at < 2000; ++at) loop.call_later(1ms, [&] { ++ran; });
  clock.advance(1ms);
  const Scarce scarce(0);
  loop.turn();
  loop.turn();
  EXPECT_EQ(ran, 2000);
}

TEST(Scarcity, TimersThatWaitedUnsortedAreSortedAndRemovedWithoutMemory) {
  FakeClock clock;
  const ScopedPlatform installed(clock);
  IOLoop loop;
  int ran = 0;
  std::vector<IOLoop::Timeout> timers;
  timers.reserve(20'000);
  for (int at = 0; at < 20'000; ++at)
    timers.push_back(
        loop.call_later(std::chrono::milliseconds(at * 7919 % 20'000), [&] { ++ran; }));
  const Scarce scarce(0);
  for (std::size_t at = 0; at < timers.size(); at += 2) loop.remove_timeout(timers[at]);
  for (int turn = 0; turn < 30; ++turn) {
    clock.advance(1s);
    loop.turn();
  }
  EXPECT_EQ(ran, 10'000);
}

TEST(PoolTest, TheSteadyPathAsksTheHeapForNothing) {
  IOLoop loop;
  const auto round = [&] {
    for (int at = 0; at < 10; ++at) loop.add_callback([] {});
    Promise<int> promise;
    loop.add_future(promise.future(), [](const Future<int>&) {});
    promise.set_result(1);
    static_cast<void>(slowly(1));
    for (int turn = 0; turn < 3; ++turn) loop.turn();
  };
  round();
  round();
  const Scarce scarce(kPooling ? 0 : 100);  // a sanitizer sees every block come and go
  round();
}

class ForeignRoomTest : public testing::Test {
 protected:
  void add(std::size_t count) {
    for (bool ring = false; count > 0; --count) foreign_.add([this] { ++ran_; }, ring);
  }
  void run() {
    foreign_.take_all(batch_);
    batch_.run();
  }

  ForeignQueue foreign_;
  ForeignBatch batch_;
  std::size_t ran_ = 0;
};

TEST_F(ForeignRoomTest, CallbacksFromOtherThreadsAskForMemoryOnlyUntilThereIsRoom) {
  for (int warm_up = 0; warm_up < 2; ++warm_up) {
    add(1000);
    run();
  }
  const Scarce scarce(0);
  for (int round = 0; round < 3; ++round) {
    add(1000);
    run();
  }
  EXPECT_EQ(ran_, 5000u);
}

TEST_F(ForeignRoomTest, WhatFindsNoMemoryIsRefusedAndTheOthersRun) {
  add(1);
  {
    const Scarce scarce(0);
    EXPECT_THROW(add(1), std::bad_alloc);
  }
  run();
  EXPECT_EQ(ran_, 1u);
}

TEST_F(ForeignRoomTest, TheRoomOfABurstIsGivenBack) {
  for (int burst = 0; burst < 2; ++burst) {
    add(ForeignBatch::kKept + 1);
    run();
  }
  const Scarce scarce(0);
  EXPECT_THROW(add(1), std::bad_alloc);
}

TEST(PoolTest, ABlockIsGivenOutAgainAndABurstGoesBackToTheHeap) {
  Pool::release(Pool::allocate(64), 64);
  void* const block = Pool::allocate(64);
  Pool::release(block, 64);
  void* const again = Pool::allocate(60);
  EXPECT_TRUE(again == block || !kPooling) << "sizes are rounded";
  Pool::release(again, 60);
  std::vector<void*> burst(Pool::kKeptBytes / 64 + 100);
  for (void*& one : burst) one = Pool::allocate(64);
  for (void* one : burst) Pool::release(one, 64);
  long kept = 0;
  {
    const Scarce scarce(0);
    try {
      for (;; ++kept) burst.at(static_cast<std::size_t>(kept)) = Pool::allocate(64);
    } catch (const std::bad_alloc&) {
    }
  }
  EXPECT_EQ(kept, kPooling ? static_cast<long>(Pool::kKeptBytes / Pool::rounded(64)) : 0);
  while (kept > 0) Pool::release(burst.at(static_cast<std::size_t>(--kept)), 64);
}

TEST(PoolTest, EverySizeHasRoomAndLittleMore) {
  for (std::size_t size = 1; size <= Pool::kLargest + 100; ++size) {
    const std::size_t rounded = Pool::rounded(size);
    ASSERT_GE(rounded, size);
    ASSERT_EQ(Pool::rounded(rounded), rounded) << "of " << size;
    ASSERT_LE(rounded, size <= Pool::kSmall ? size + Pool::kGrain : 2 * size);
  }
}

}  // namespace
}  // namespace eddy
