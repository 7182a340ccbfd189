#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <eddy/loop/future.h>
#include <eddy/loop/io_loop.h>

#include "../support/log_capture.h"

namespace eddy {
namespace {

struct FutureTest : testing::Test {
  void turns(int count = 3) {
    while (count-- > 0) loop.turn();
  }
  IOLoop loop;
  LogCapture log;
};

class Watching : public Producer {
 public:
  int abandons = 0;
  int waits = 0;
  void abandoned(FutureState&) override { ++abandons; }
  void awaited(FutureState&) override { ++waits; }
};

TEST_F(FutureTest, CarriesAResultToEveryCopyOfItself) {
  Promise<std::string> promise;
  const Future<std::string> future = promise.future();
  const Future<std::string> copy(future);  // NOLINT(performance-unnecessary-copy-initialization)
  EXPECT_FALSE(future.done());
  EXPECT_TRUE(promise.set_result("look"));
  EXPECT_TRUE(copy.done());
  EXPECT_EQ(copy.result(), "look");
  EXPECT_EQ(future.result(), "look");
  EXPECT_FALSE(future.exception());
}

TEST_F(FutureTest, CarriesAResultOfAnyAlignment) {
  struct alignas(64) Wide {
    char bytes[64];
  };
  for (int at = 0; at < 4; ++at) {
    Promise<Wide> promise;
    const Future<Wide> future = promise.future();
    promise.set_result(Wide{"wide"});
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(&future.result()) % 64, 0u);
    EXPECT_STREQ(future.result().bytes, "wide");
  }
}

TEST_F(FutureTest, CarriesAFailureWithItsType) {
  Promise<int> promise;
  promise.set_exception(std::out_of_range("far"));
  EXPECT_THROW(promise.future().result(), std::out_of_range);
}

TEST_F(FutureTest, AskingForTheResultTooEarlyIsAnErrorNotAWait) {
  const Promise<int> promise;
  EXPECT_THROW(promise.future().result(), InvalidStateError);
  EXPECT_THROW(Future<int>().result(), InvalidStateError);
}

TEST_F(FutureTest, AnEmptyFutureOfNothingIsDone) {
  const Future<> nothing;
  EXPECT_TRUE(nothing.done());
  nothing.result();
}

TEST_F(FutureTest, SettingTwiceIsAnErrorThatNamesThePlace) {
  Promise<int> promise("a test");
  promise.set_result(1);
  EXPECT_THROW(promise.set_result(2), InvalidStateError);
  try {
    promise.set_exception(std::runtime_error("x"));
    ADD_FAILURE();
  } catch (const InvalidStateError& error) {
    EXPECT_NE(std::string(error.what()).find("future_test.cc"), std::string::npos);
  }
  EXPECT_EQ(promise.future().result(), 1);
  EXPECT_THROW(Promise<int>().set_exception(std::exception_ptr()), InvalidStateError);
}

TEST_F(FutureTest, APromiseThatIsDroppedUnsetBreaks) {
  auto promise = std::make_unique<Promise<int>>();
  const Future<int> future = promise->future();
  promise.reset();
  EXPECT_THROW(future.result(), BrokenPromiseError);
  EXPECT_THROW(future.result(), CancelledError) << "it is a kind of cancellation";
}

TEST_F(FutureTest, ItsCallbacksRunFromTheLoopInOrderOnceEvenIfTheyAddCallbacks) {
  Promise<int> promise;
  const Future<int> future = promise.future();
  std::string ran;
  future.add_done_callback([&](const Future<int>& done) {
    ran += "a" + std::to_string(done.result());
    future.add_done_callback([&] { ran += "c"; });
  });
  future.add_done_callback([&] { ran += "b"; });
  promise.set_result(1);
  EXPECT_EQ(ran, "") << "not within the call that sets it";
  turns();
  EXPECT_EQ(ran, "a1bc");
}

TEST_F(FutureTest, ACallbackAddedToADoneFutureRunsFromTheLoop) {
  bool ran = false;
  make_ready_future(1).add_done_callback([&] { ran = true; });
  EXPECT_FALSE(ran);
  turns();
  EXPECT_TRUE(ran);
}

TEST_F(FutureTest, AFailureOfOneCallbackIsLoggedAndTheOthersRun) {
  Promise<int> promise;
  bool ran = false;
  promise.future().add_done_callback([] { throw std::runtime_error("mine"); });
  Future<int> future = promise.future();
  future.add_done_callback([&] { ran = true; });
  promise.set_result(1);
  turns();
  EXPECT_TRUE(ran);
}

TEST_F(FutureTest, AFailureThatNobodyLookedAtIsLoggedOnceWithThePlaceWhereItWasMade) {
  {
    Promise<int> promise("a test");
    const Future<int> future = promise.future();
    const Future<int> copy(future);  // NOLINT(performance-unnecessary-copy-initialization)
    promise.set_exception(std::runtime_error("unseen"));
  }
  EXPECT_EQ(log.count("exception that nobody looked at: unseen (a test at "), 1u);
  EXPECT_EQ(log.count("future_test.cc:"), 1u);
}

TEST_F(FutureTest, AFailureThatSomebodyLookedAtIsNotLogged) {
  {
    const auto failed = [] {
      return make_failed_future<int>(std::make_exception_ptr(std::runtime_error("seen")));
    };
    EXPECT_TRUE(failed().exception());
    EXPECT_THROW(failed().result(), std::runtime_error);
    failed().add_done_callback([](const Future<int>&) {});
    failed().state()->forgive();
    turns();
  }
  EXPECT_EQ(log.count("seen"), 0u);
}

TEST_F(FutureTest, ACallbackThatTakesNoFutureHasNotSeenTheFailure) {
  {
    Promise<int> promise;
    loop.add_future(promise.future(), [] {});
    promise.set_exception(std::runtime_error("unseen"));
  }
  make_failed_future<int>(std::make_exception_ptr(std::runtime_error("unseen either")))
      .add_done_callback([] {});
  turns();
  EXPECT_EQ(log.count("nobody looked at: unseen ("), 1u);
  EXPECT_EQ(log.count("nobody looked at: unseen either ("), 1u);
}

TEST_F(FutureTest, ACancellationThatNobodyLookedAtIsNotLogged) {
  {
    Promise<int> cancelled;
    EXPECT_TRUE(cancelled.future().cancel());
    Future<int> broken = Promise<int>().future();
    EXPECT_TRUE(broken.done());
  }
  EXPECT_TRUE(log.lines().empty());
}

TEST_F(FutureTest, CancellingFailsItAndWhatItsMakerSetsLaterIsIgnored) {
  Promise<int> promise;
  Future<int> future = promise.future();
  EXPECT_TRUE(future.cancel());
  EXPECT_FALSE(future.cancel()) << "it is done already";
  EXPECT_THROW(future.result(), CancelledError);
  EXPECT_FALSE(promise.set_result(1));
  promise.set_exception(std::runtime_error("late"));
  EXPECT_THROW(future.result(), CancelledError);
}

TEST_F(FutureTest, ItsMakerIsToldWhenTheLastOneIsDropped) {
  Watching maker;
  Promise<int> promise;
  promise.state()->set_producer(&maker);
  {
    const Future<int> future = promise.future();
    const Future<int> copy(future);  // NOLINT(performance-unnecessary-copy-initialization)
    EXPECT_EQ(maker.abandons, 0);
  }
  EXPECT_EQ(maker.abandons, 1);
}

TEST_F(FutureTest, ItsMakerIsToldWhenItIsCancelled) {
  Watching maker;
  Promise<int> promise;
  promise.state()->set_producer(&maker);
  Future<int> future = promise.future();
  future.cancel();
  EXPECT_EQ(maker.abandons, 1);
}

TEST_F(FutureTest, ItsMakerIsToldWhenSomebodyWaits) {
  Watching maker;
  Promise<int> promise;
  promise.state()->set_producer(&maker);
  Future<int> future = promise.future();
  future.add_done_callback([] {});
  EXPECT_EQ(maker.waits, 1);
  promise.set_result(1);
}

TEST_F(FutureTest, ACallbackAloneDoesNotKeepTheOperationGoingButAddFutureDoes) {
  Watching maker;
  Promise<int> promise;
  promise.state()->set_producer(&maker);
  promise.future().add_done_callback([] {});
  EXPECT_EQ(maker.abandons, 1);
  Promise<int> kept;
  kept.state()->set_producer(&maker);
  loop.add_future(kept.future(), [] {});
  EXPECT_EQ(maker.abandons, 1);
  kept.set_result(1);
  turns();
}

TEST_F(FutureTest, ACallbackWhoseFutureIsNeverSetIsDestroyedWithIt) {
  auto captured = std::make_shared<int>(1);
  {
    Promise<int> promise;
    promise.future().add_done_callback([captured] {});
    EXPECT_EQ(captured.use_count(), 2);
  }
  EXPECT_EQ(captured.use_count(), 1);
}

TEST_F(FutureTest, AResultWhoseCopyThrowsLeavesTheFuturePending) {
  struct Throws {
    Throws() = default;
    explicit Throws(int) { throw std::runtime_error("no"); }
  };
  Promise<Throws> promise;
  EXPECT_THROW(promise.set_result(1), std::runtime_error);
  EXPECT_FALSE(promise.done());
  promise.set_result();
}

TEST_F(FutureTest, SettingItOnAnotherThreadIsAnErrorThatNamesBoth) {
  Promise<int> promise;
  Future<int> future = promise.future();
  std::thread([&] {
    EXPECT_THROW(promise.set_result(1), WrongThreadError);
    EXPECT_THROW(promise.set_exception(std::runtime_error("x")), WrongThreadError);
    EXPECT_THROW(future.cancel(), WrongThreadError);
    EXPECT_THROW(future.add_done_callback([] {}), WrongThreadError);
  }).join();
  EXPECT_FALSE(future.done());
}

// --- Handles that are dropped on other threads

TEST_F(FutureTest, SetHereWhileItsHandlesAreDroppedElsewhere) {
  for (int round = 0; round < 200; ++round) {
    Promise<std::string> promise;
    Future<std::string> future = promise.future();
    std::thread other([dropped = std::move(future)] {});
    promise.set_result("some text that is long enough to live on the heap");
    loop.turn();
    other.join();
  }
  loop.turn();
}

TEST_F(FutureTest, APromiseDroppedElsewhereBreaksHere) {
  Promise<int> promise;
  const Future<int> future = promise.future();
  std::thread([dropped = std::move(promise)] {}).join();
  EXPECT_FALSE(future.done()) << "only this thread may change it";
  loop.turn();
  EXPECT_THROW(future.result(), BrokenPromiseError);
}

TEST_F(FutureTest, TheResultIsDestroyedOnItsOwnThread) {
  struct Witness {
    std::thread::id& destroyed_on;
    explicit Witness(std::thread::id& on) : destroyed_on(on) {}
    Witness(const Witness&) = delete;
    Witness& operator=(const Witness&) = delete;
    ~Witness() { destroyed_on = std::this_thread::get_id(); }
  };
  std::thread::id destroyed_on;
  {
    Promise<std::shared_ptr<Witness>> promise;
    Future<std::shared_ptr<Witness>> future = promise.future();
    promise.set_result(std::make_shared<Witness>(destroyed_on));
    std::thread([one = std::move(future), two = std::move(promise)] {}).join();
  }
  EXPECT_EQ(destroyed_on, std::thread::id());
  loop.turn();
  EXPECT_EQ(destroyed_on, std::this_thread::get_id());
}

TEST_F(FutureTest, ItMayOutliveItsThreadAndSoMayWhatItsResultHolds) {
  auto captured = std::make_shared<int>(1);
  using Nested = std::shared_ptr<Future<std::shared_ptr<int>>>;
  Future<Nested> outer;
  Promise<int> unset;
  std::thread([&] {
    auto inner = std::make_shared<Future<std::shared_ptr<int>>>(make_ready_future(captured));
    outer = make_ready_future(std::move(inner));
    unset = Promise<int>();
  }).join();
  EXPECT_EQ(*outer.result()->result(), 1);
  EXPECT_EQ(captured.use_count(), 2);
  outer = Future<Nested>();
  EXPECT_EQ(captured.use_count(), 1);
}

TEST_F(FutureTest, FuturesOfThreadsThatEndedMayHoldEachOther) {
  Promise<std::shared_ptr<void>> first;
  Future<std::shared_ptr<void>> first_future;
  std::thread([&] {
    Promise<std::shared_ptr<void>> made;
    first_future = made.future();
    std::thread([&] {
      auto held = std::make_shared<Future<int>>(make_ready_future(1));
      made.state()->check_pending("a look");
      first = Promise<std::shared_ptr<void>>();
      first.set_result(std::static_pointer_cast<void>(held));
    }).join();
    made.set_result(std::make_shared<Future<std::shared_ptr<void>>>(first.future()));
  }).join();
  first = Promise<std::shared_ptr<void>>();
  first_future = Future<std::shared_ptr<void>>();
  SUCCEED() << "no deadlock, and nothing leaks";
}

TEST(FutureThreads, ManyThreadsMayDropSharesOfOneFutureAtOnce) {
  IOLoop loop;
  for (int round = 0; round < 20; ++round) {
    Promise<int> promise;
    std::vector<std::thread> threads;
    threads.reserve(4);
    for (int at = 0; at < 4; ++at)
      threads.emplace_back([one = promise.future(), two = promise.future()] {});
    promise.set_result(1);
    loop.turn();
    for (std::thread& thread : threads) thread.join();
  }
  loop.turn();
}

}  // namespace
}  // namespace eddy
