#include <gtest/gtest.h>

#include <memory>
#include <string>

#include <eddy/loop/await.h>
#include <eddy/loop/coroutine.h>
#include <eddy/loop/gen.h>
#include <eddy/loop/io_loop.h>

#include "../support/fake_clock.h"
#include "../support/log_capture.h"

#include <eddy/loop/yield.h>

namespace eddy {
namespace {

using namespace std::chrono_literals;

struct CoroutineTest : testing::Test {
  void turns(int count = 4) {
    while (count-- > 0) loop.turn();
  }
  FakeClock clock;
  ScopedPlatform installed{clock};
  IOLoop loop;
  std::string ran;
};

class Adder : public Coroutine<int> {
 public:
  Adder(Future<int> one, Future<int> two) : one_(std::move(one)), two_(std::move(two)) {}

 private:
  void body() override {
    CO_BEGIN;
    CO_AWAIT(one_);
    CO_AWAIT(two_);
    CO_RETURN(one_.result() + two_.result());
    CO_END;
  }
  Future<int> one_;
  Future<int> two_;
};

TEST_F(CoroutineTest, StartsAtTheCallAndEndsInItWhenEverythingIsReady) {
  const Future<int> sum = start_coroutine<Adder>(make_ready_future(1), make_ready_future(2));
  ASSERT_TRUE(sum.done());
  EXPECT_EQ(sum.result(), 3);
}

TEST_F(CoroutineTest, ResumesFromTheLoopAndNeverWithinTheCallThatSets) {
  Promise<int> one;
  Promise<int> two;
  const Future<int> sum = start_coroutine<Adder>(one.future(), two.future());
  two.set_result(2);
  one.set_result(1);
  EXPECT_FALSE(sum.done());
  turns(1);
  EXPECT_EQ(sum.result(), 3);
}

TEST_F(CoroutineTest, AFailureThatItAwaitsEndsItAndGoesIntoItsFuture) {
  Promise<int> one;
  const Future<int> sum = start_coroutine<Adder>(one.future(), make_ready_future(2));
  one.set_exception(std::out_of_range("far"));
  turns();
  EXPECT_THROW(sum.result(), std::out_of_range);
}

// Says what happens to it.
class Talker : public Coroutine<> {
 public:
  explicit Talker(std::string& text) : ran_(text) {}

 protected:
  ~Talker() override { ran_ += "clean"; }
  std::string& ran_;
};

class Settler : public Talker {
 public:
  Settler(std::string& text, Future<> future) : Talker(text), future_(std::move(future)) {}

 private:
  void body() override {
    CO_BEGIN;
    CO_SETTLE(future_);
    ran_ += future_.exception() ? "failed " : "well ";
    CO_AWAIT(moment);
    ran_ += "end ";
    CO_END;
  }
  Future<> future_;
};

TEST_F(CoroutineTest, SettlingGoesOnWhateverCame) {
  const Future<> first = start_coroutine<Settler>(ran, Future<>());
  Promise<> promise;
  const Future<> second = start_coroutine<Settler>(ran, promise.future());
  promise.set_exception(std::runtime_error("x"));
  turns();
  EXPECT_EQ(ran, "well end cleanfailed end clean");
  first.result();
  second.result();
}

class Thrower : public Talker {
 public:
  using Talker::Talker;

 private:
  void body() override { throw std::out_of_range("at once"); }
};

TEST_F(CoroutineTest, AFailureNeverLeavesTheCall) {
  const Future<> future = start_coroutine<Thrower>(ran);
  EXPECT_THROW(future.result(), std::out_of_range);
  EXPECT_EQ(ran, "clean");
}

class NoResult : public Coroutine<int> {
  void body() override {
    CO_BEGIN;
    CO_END;
  }
};

TEST_F(CoroutineTest, OneWithAResultThatEndsWithoutOneIsAnError) {
  EXPECT_THROW(start_coroutine<NoResult>().result(), InvalidStateError);
}

class Sleeper : public Talker {
 public:
  using Talker::Talker;

 private:
  void body() override {
    CO_BEGIN;
    ran_ += "a ";
    CO_AWAIT(eddy::sleep(1h));
    ran_ += "b ";
    CO_END;
  }
};

TEST_F(CoroutineTest, SleepsAndGoesOn) {
  const Future<> future = start_coroutine<Sleeper>(ran);
  while (!future.done()) loop.turn(1h);
  EXPECT_EQ(ran, "a b clean");
}

TEST_F(CoroutineTest, EndsWhereItWaitsWhenNobodyHoldsItsFuture) {
  static_cast<void>(start_coroutine<Sleeper>(ran));
  EXPECT_EQ(ran, "a clean");
  EXPECT_EQ(loop.time_to_sleep(), Duration::max()) << "and its timer with it";
}

TEST_F(CoroutineTest, CancelledItEndsAtItsWait) {
  Future<> future = start_coroutine<Sleeper>(ran);
  EXPECT_TRUE(future.cancel());
  turns(1);
  EXPECT_EQ(ran, "a clean");
  EXPECT_THROW(future.result(), CancelledError);
  EXPECT_EQ(loop.time_to_sleep(), Duration::max());
}

class Selfless : public Talker {
 public:
  Selfless(std::string& text, Future<>& own) : Talker(text), own_(own) {}

 private:
  void body() override {
    CO_BEGIN;
    CO_AWAIT(moment);
    own_ = Future<>();
    ran_ += "a ";
    CO_AWAIT(moment);
    ran_ += "never ";
    CO_END;
  }
  Future<>& own_;
};

TEST_F(CoroutineTest, OneThatDropsItsOwnFutureGoesNoFurtherThanItsNextWait) {
  Future<> future;
  future = start_coroutine<Selfless>(ran, future);
  turns();
  EXPECT_EQ(ran, "a clean");
}

class Busy : public Coroutine<> {
 public:
  explicit Busy(long& rounds) : rounds_(rounds) {}

 private:
  void body() override {
    CO_BEGIN;
    for (;; ++rounds_) CO_AWAIT(Future<>());
    CO_END;
  }
  long& rounds_;
};

TEST_F(CoroutineTest, OneThatMeetsOnlyReadyFuturesStillLetsOthersRun) {
  long rounds = 0;
  const Future<> busy = start_coroutine<Busy>(rounds);
  EXPECT_LE(rounds, Task::kInlineResumptions + 1);
  const long before = rounds;
  loop.turn();
  EXPECT_GT(rounds, before);
  EXPECT_LE(rounds, before + Task::kInlineResumptions + 1);
}

TEST(CoroutineAfterALoop, BeginsWithAWholeBudget) {
  const auto rounds_at_once = [] {
    IOLoop loop;
    long rounds = 0;
    const Future<> busy = start_coroutine<Busy>(rounds);
    return rounds;
  };
  rounds_at_once();
  EXPECT_GE(rounds_at_once(), Task::kInlineResumptions);
}

TEST_F(CoroutineTest, BothFacesMayAwaitEachOther) {
  Promise<int> promise;
  const Future<int> sum = start_coroutine<Adder>(
      [](Future<int> one) -> Future<int> { co_return co_await one; }(promise.future()),
      start_coroutine<Adder>(make_ready_future(1), make_ready_future(2)));
  promise.set_result(4);
  turns();
  EXPECT_EQ(sum.result(), 7);
}

TEST_F(CoroutineTest, ClosingTheLoopEndsIt) {
  const Future<> future = start_coroutine<Sleeper>(ran);
  loop.close();
  EXPECT_EQ(ran, "a clean");
  EXPECT_THROW(future.result(), BrokenPromiseError);
}

}  // namespace
}  // namespace eddy
