#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>

#include <eddy/loop/await.h>
#include <eddy/loop/coroutine_set.h>
#include <eddy/loop/gen.h>

#include "../support/fake_clock.h"
#include "../support/log_capture.h"

namespace eddy {
namespace {

using namespace std::chrono_literals;

struct CoroutineSetTest : testing::Test {
  void turns(int count = 4) {
    while (count-- > 0) loop.turn();
  }
  Future<> sleeper(Duration delay) {
    struct CleanUp {
      std::string& ran;
      ~CleanUp() { ran += "clean "; }
    } clean_up{ran};
    co_await eddy::sleep(delay);
    ran += "slept ";
  }
  FakeClock clock;
  ScopedPlatform installed{clock};
  IOLoop loop;
  LogCapture log;
  std::string ran;
};

TEST_F(CoroutineSetTest, KeepsItsCoroutinesGoingUntilTheyAreOver) {
  CoroutineSet set;
  set.add(sleeper(1s));
  set.add(sleeper(2s));
  set.add(Future<>());
  EXPECT_EQ(set.size(), 2u);
  while (!set.empty()) loop.turn(1h);
  EXPECT_EQ(ran, "slept clean slept clean ");
}

TEST_F(CoroutineSetTest, EndsThemWhereTheyWaitWhenItIsDropped) {
  {
    CoroutineSet set;
    set.add(sleeper(1s));
    set.add(sleeper(1s));
  }
  EXPECT_EQ(ran, "clean clean ");
  EXPECT_EQ(loop.time_to_sleep(), Duration::max());
}

TEST_F(CoroutineSetTest, DrainIsDoneWhenNoneIsLeft) {
  CoroutineSet set;
  EXPECT_TRUE(set.drain().done());
  set.add(sleeper(1s));
  const Future<> drained = set.drain();
  EXPECT_FALSE(drained.done());
  while (!drained.done()) loop.turn(1h);
  EXPECT_TRUE(set.empty());
}

TEST_F(CoroutineSetTest, AFailureIsLoggedButACancellationIsNot) {
  CoroutineSet set;
  Promise<> fails;
  Promise<> cancelled;
  set.add(fails.future());
  set.add(cancelled.future());
  fails.set_exception(std::runtime_error("bad"));
  cancelled.future().cancel();
  set.add(make_failed_future<int>(std::make_exception_ptr(std::runtime_error("already bad"))));
  EXPECT_TRUE(set.empty());
  EXPECT_EQ(log.count("Exception in coroutine: bad"), 1u);
  EXPECT_EQ(log.count("Exception in coroutine: already bad"), 1u);
  EXPECT_EQ(log.lines().size(), 2u);
}

TEST_F(CoroutineSetTest, ItsOwnerMayHearOfTheFailureInstead) {
  static std::string heard;
  CoroutineSet set([](const std::exception_ptr& failure) { heard += log::describe(failure); });
  set.add(make_failed_future<int>(std::make_exception_ptr(std::runtime_error("bad"))));
  EXPECT_EQ(heard, "bad");
  EXPECT_TRUE(log.lines().empty());
}

TEST_F(CoroutineSetTest, AMemberMayDropTheSetItBelongsTo) {
  auto set = std::make_unique<CoroutineSet>();
  set->add([](std::unique_ptr<CoroutineSet>& own, std::string& text) -> Future<> {
    co_await moment;
    own.reset();
    text += "a";
    co_await moment;
    text += "never";
  }(set, ran));
  turns();
  EXPECT_EQ(ran, "a");
}

TEST_F(CoroutineSetTest, ItsCoroutinesAreStillListedAmongAll) {
  const Future<> alone = sleeper(1s);
  CoroutineSet set;
  set.add(sleeper(2s));
  const std::string dump = loop.dump_tasks();
  EXPECT_TRUE(dump.starts_with("2 x coroutine of ")) << dump;
}

TEST_F(CoroutineSetTest, ACoroutineMayBelongToTwo) {
  Future<> both = sleeper(1s);
  CoroutineSet first;
  first.add(both);
  auto second = std::make_unique<CoroutineSet>();
  second->add(std::move(both));
  first.clear();
  EXPECT_EQ(ran, "");
  second.reset();
  EXPECT_EQ(ran, "clean ") << "the last who holds it ends it";
}

TEST_F(CoroutineSetTest, WhoHoldsAFutureOfACoroutineKeepsItBeyondTheSet) {
  const Future<> held = sleeper(1s);
  {
    CoroutineSet set;
    set.add(held);
  }
  EXPECT_NE(loop.dump_tasks(), "");
  while (!held.done()) loop.turn(1h);
  EXPECT_EQ(ran, "slept clean ");
}

TEST_F(CoroutineSetTest, OutlivesALoopThatEndsItsCoroutines) {
  CoroutineSet set;
  set.add(sleeper(1s));
  set.add(sleeper(2s));
  loop.close();
  EXPECT_EQ(ran, "clean clean ");
  EXPECT_TRUE(set.empty());
  EXPECT_TRUE(log.lines().empty()) << "they were cancelled, which is no failure";
}

TEST_F(CoroutineSetTest, ACoroutineThatFailsIsLoggedOnce) {
  CoroutineSet set;
  set.add([]() -> Future<> {
    co_await moment;
    throw std::runtime_error("late");
  }());
  turns();
  EXPECT_TRUE(set.empty());
  EXPECT_EQ(log.count("Exception in coroutine: late"), 1u);
  EXPECT_EQ(log.lines().size(), 1u);
}

TEST_F(CoroutineSetTest, AFutureOfAnotherThreadIsRefused) {
  CoroutineSet set;
  std::thread([&] {
    const Promise<> promise;
    Future<> future = promise.future();
    std::thread([&] { EXPECT_THROW(set.add(std::move(future)), WrongThreadError); }).join();
  }).join();
  EXPECT_TRUE(set.empty());
}

}  // namespace
}  // namespace eddy
