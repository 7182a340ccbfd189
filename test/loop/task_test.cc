#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include <eddy/loop/await.h>
#include <eddy/loop/coroutine.h>
#include <eddy/loop/gen.h>
#include <eddy/loop/io_loop.h>
#include <eddy/loop/run_sync.h>

#include "../support/fake_clock.h"

#include <eddy/loop/yield.h>

namespace eddy {
namespace {

using namespace std::chrono_literals;

struct TaskTest : testing::Test {
  FakeClock clock;
  ScopedPlatform installed{clock};
  IOLoop loop;
};

std::string here(unsigned line) { return "task_test.cc:" + std::to_string(line); }

unsigned line_of_wait = 0;

class Waiting : public Coroutine<> {
  void body() override {
    CO_BEGIN;
    line_of_wait = __LINE__ + 1;
    CO_AWAIT(eddy::sleep(1h));
    CO_END;
  }
};

Future<> awaiting() {
  line_of_wait = __LINE__ + 1;
  co_await eddy::sleep(1h);
}

TEST_F(TaskTest, EachCoroutineSaysWhereItWaitsForWhatAndSinceWhen) {
  const Future<> first = awaiting();
  const std::string first_place = here(line_of_wait);
  const Future<> second = start_coroutine<Waiting>();
  const std::string second_place = here(line_of_wait);
  clock.advance(1500ms);
  loop.turn();
  const std::string dump = loop.dump_tasks();
  for (const std::string& place : {first_place, second_place})
    EXPECT_NE(dump.find(place + " for sleep since 1.500 s\n"), std::string::npos) << dump;
}

TEST_F(TaskTest, ThoseThatWaitAtOnePlaceAreOneLine) {
  std::vector<Future<>> crowd;
  crowd.push_back(awaiting());
  clock.advance(2s);
  loop.turn();
  for (int more = 0; more < 999; ++more) crowd.push_back(awaiting());
  clock.advance(1200ms);
  loop.turn();
  const std::string dump = loop.dump_tasks();
  EXPECT_TRUE(dump.starts_with("1000 x coroutine of ")) << dump;
  EXPECT_TRUE(dump.ends_with(here(line_of_wait) + " for sleep, longest since 3.200 s\n")) << dump;
  EXPECT_EQ(std::count(dump.begin(), dump.end(), '\n'), 1) << dump;
}

TEST_F(TaskTest, ACoroutineThatIsOverIsNotListed) {
  {
    const Future<> over = []() -> Future<> { co_return; }();
    const Future<> dropped = start_coroutine<Waiting>();
    EXPECT_NE(loop.dump_tasks(), "");
  }
  EXPECT_EQ(loop.dump_tasks(), "");
}

TEST_F(TaskTest, TheOneThatAsksIsListedAsRunning) {
  const std::string dump =
      loop.run_sync([]() -> Future<std::string> { co_return IOLoop::current().dump_tasks(); });
  EXPECT_NE(dump.find(" runs\n"), std::string::npos) << dump;
}

TEST_F(TaskTest, AMomentIsAWaitForTheNextTurn) {
  const Future<> waiting = []() -> Future<> { co_await moment; }();
  EXPECT_NE(loop.dump_tasks().find("for its next turn"), std::string::npos);
}

TEST_F(TaskTest, EndingAllEndsAlsoThoseThatTheOthersBegin) {
  struct Begins {
    int left;
    ~Begins() {
      if (left == 0) return;
      IOLoop::current().spawn([](int less) -> Future<> {
        const Begins begins{less};
        co_await eddy::sleep(1h);
      }(left - 1));
    }
  };
  loop.spawn([](int count) -> Future<> {
    const Begins begins{count};
    co_await eddy::sleep(1h);
  }(3));
  Task::end_all();
  EXPECT_EQ(loop.dump_tasks(), "");
}

TEST_F(TaskTest, OneThatClosesItsLoopGoesNoFurtherThanItsNextWait) {
  std::string ran;
  const Future<> closing = [](std::string& text) -> Future<> {
    IOLoop::current().close();
    text += "a";
    co_await moment;
    text += "never";
  }(ran);
  EXPECT_EQ(ran, "a");
  EXPECT_EQ(loop.dump_tasks(), "");
}

}  // namespace
}  // namespace eddy
