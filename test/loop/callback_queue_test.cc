#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

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

class ForeignQueueTest : public testing::Test {
 protected:
  bool add(Callback callback) { return foreign_.add(std::move(callback), ring_); }

  ForeignQueue foreign_;
  ForeignBatch batch_;
  bool ring_ = false;
};

TEST_F(ForeignQueueTest, RingsOnceForABatchAndOnlyIfTheLoopMaySleep) {
  EXPECT_TRUE(foreign_.may_sleep(true)) << "nothing waits";
  add([] {});
  EXPECT_TRUE(ring_);
  add([] {});
  EXPECT_FALSE(ring_) << "it was rung already";
  foreign_.may_sleep(false);
  EXPECT_TRUE(foreign_.take_all(batch_));
  EXPECT_EQ(batch_.size(), 2u);
  add([] {});
  EXPECT_FALSE(ring_) << "it is awake";
  EXPECT_FALSE(foreign_.may_sleep(true)) << "and must not sleep now";
}

TEST_F(ForeignQueueTest, ABatchRunsInOrderAndWhatComesMeanwhileIsOfTheNext) {
  std::string ran;
  add([&] {
    ran += "a";
    add([&] { ran += "c"; });
  });
  add([&] { ran += "b"; });
  EXPECT_TRUE(foreign_.take_all(batch_));
  batch_.run();
  EXPECT_EQ(ran, "ab");
  EXPECT_TRUE(foreign_.take_all(batch_));
  batch_.run();
  EXPECT_EQ(ran, "abc");
  EXPECT_FALSE(foreign_.take_all(batch_));
}

TEST_F(ForeignQueueTest, AFailureIsLoggedAndTheRestOfTheBatchRuns) {
  const LogCapture log;
  bool ran = false;
  add([] { throw std::runtime_error("far from home"); });
  add([&] { ran = true; });
  foreign_.take_all(batch_);
  batch_.run();
  EXPECT_TRUE(ran);
  EXPECT_EQ(log.count("Exception in callback: far from home"), 1u);
}

TEST_F(ForeignQueueTest, WhatACallbackCapturedIsFreedBeforeTheNextOneRuns) {
  auto captured = std::make_shared<int>(1);
  add([captured] {});
  add([&] { EXPECT_EQ(captured.use_count(), 1); });
  EXPECT_EQ(captured.use_count(), 2);
  foreign_.take_all(batch_);
  batch_.run();
}

TEST_F(ForeignQueueTest, ClosedItRefusesAndDestroysWhatIsOffered) {
  auto captured = std::make_shared<int>(1);
  EXPECT_TRUE(add([captured] {}));
  EXPECT_EQ(foreign_.close(), 1u);
  EXPECT_EQ(captured.use_count(), 1);
  EXPECT_FALSE(add([captured] {}));
  EXPECT_EQ(captured.use_count(), 1);
}

TEST_F(ForeignQueueTest, ABatchThatIsDroppedDestroysItsCallbacksUnrun) {
  auto captured = std::make_shared<int>(1);
  add([captured] { ADD_FAILURE(); });
  add([captured] { ADD_FAILURE(); });
  foreign_.take_all(batch_);
  CallbackQueue queue;
  queue.add(batch_);
  queue.clear();
  EXPECT_EQ(captured.use_count(), 1);
  EXPECT_EQ(batch_.size(), 0u);
}

}  // namespace
}  // namespace eddy
