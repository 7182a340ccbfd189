#include <gtest/gtest.h>

#include <memory>
#include <string>

#include <eddy/loop/callback_queue.h>

#include "../support/log_capture.h"

namespace eddy {
namespace {

TEST(CallbackQueueTest, ABatchIsWhatStoodInTheQueueWhenItBegan) {
  CallbackQueue queue;
  std::string ran;
  queue.add([&] {
    ran += "a";
    queue.add([&] { ran += "c"; });
  });
  queue.add([&] { ran += "b"; });
  queue.run_batch();
  EXPECT_EQ(ran, "ab");
  EXPECT_FALSE(queue.empty());
  queue.run_batch();
  EXPECT_EQ(ran, "abc");
  EXPECT_TRUE(queue.empty());
}

TEST(CallbackQueueTest, ARunnableThatIsDestroyedLeavesTheQueue) {
  struct Counts final : Runnable {
    int& runs;
    explicit Counts(int& count) : runs(count) {}
    void run() override { ++runs; }
  };
  int runs = 0;
  CallbackQueue queue;
  Counts stays(runs);
  auto goes = std::make_unique<Counts>(runs);
  queue.add(*goes);
  queue.add(stays);
  queue.add([&] { EXPECT_EQ(runs, 1); });
  goes.reset();
  queue.run_batch();
  EXPECT_EQ(runs, 1);
}

TEST(CallbackQueueTest, ClearingDropsAllAndSaysHowManyThereWere) {
  CallbackQueue queue;
  auto captured = std::make_shared<int>(1);
  queue.add([captured] { ADD_FAILURE(); });
  queue.add([captured] { ADD_FAILURE(); });
  EXPECT_EQ(queue.clear(), 2u);
  EXPECT_EQ(captured.use_count(), 1);
  queue.run_batch();
}

TEST(ForeignQueueTest, RingsOnceForABatchAndOnlyIfTheLoopMaySleep) {
  ForeignQueue foreign;
  CallbackQueue queue;
  bool ring = false;
  EXPECT_TRUE(foreign.may_sleep(true)) << "nothing waits";
  foreign.add([] {}, ring);
  EXPECT_TRUE(ring);
  foreign.add([] {}, ring);
  EXPECT_FALSE(ring) << "it was rung already";
  foreign.may_sleep(false);
  EXPECT_EQ(foreign.take_all(queue), 2u);
  foreign.add([] {}, ring);
  EXPECT_FALSE(ring) << "it is awake";
  EXPECT_FALSE(foreign.may_sleep(true)) << "and must not sleep now";
}

TEST(ForeignQueueTest, ClosedItRefusesAndDestroysWhatIsOffered) {
  ForeignQueue foreign;
  bool ring = false;
  auto captured = std::make_shared<int>(1);
  EXPECT_TRUE(foreign.add([captured] {}, ring));
  EXPECT_EQ(foreign.close(), 1u);
  EXPECT_EQ(captured.use_count(), 1);
  EXPECT_FALSE(foreign.add([captured] {}, ring));
  EXPECT_EQ(captured.use_count(), 1);
}

}  // namespace
}  // namespace eddy
