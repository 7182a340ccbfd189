#include <gtest/gtest.h>

#include <algorithm>
#include <list>
#include <string>

#include <eddy/stream/handshake_queue.h>

#include "../support/simulated_loop.h"

namespace eddy {
namespace {

using namespace std::chrono_literals;

class HandshakeQueueTest : public SimulatedLoop {
 public:
  class Member final : public HandshakeQueue::Member {
   public:
    Member(HandshakeQueueTest& test, char name) : test_(test), name_(name) {}
    ~Member() { test_.queue->leave(*this); }
    Member(const Member&) = delete;
    Member& operator=(const Member&) = delete;
    void ask() { test_.queue->ask(*this); }

   private:
    void take_step() override { test_.steps += name_; }
    void give_up(std::size_t) override {
      test_.given_up += name_;
      test_.queue->leave(*this);
    }
    void hurry() override {
      test_.hurried += name_;
      test_.queue->leave(*this);
    }

    HandshakeQueueTest& test_;
    const char name_;
  };

  Member& come() {
    members.emplace_back(*this, static_cast<char>('a' + members.size()));
    members.back().ask();
    return members.back();
  }
  std::string steps_of_a_turn() {
    steps.clear();
    loop.turn();
    return steps;
  }

  std::unique_ptr<HandshakeQueue> queue = std::make_unique<HandshakeQueue>(0);
  std::string steps;
  std::string given_up;
  std::string hurried;
  std::list<Member> members;  // goes before the queue
};

TEST_F(HandshakeQueueTest, AFewTakeAStepInEachTurnInTheOrderTheyAsked) {
  for (int number = 0; number < 10; ++number) come();
  EXPECT_EQ(steps, "") << "not within the call";
  EXPECT_EQ(steps_of_a_turn(), "abcd");
  members.front().ask();
  members.front().ask();
  EXPECT_EQ(steps_of_a_turn(), "efgh");
  EXPECT_EQ(steps_of_a_turn(), "ija");
  EXPECT_EQ(steps_of_a_turn(), "");
}

TEST_F(HandshakeQueueTest, BeyondTheLimitOneWaitsUntilAnotherIsOver) {
  queue = std::make_unique<HandshakeQueue>(2);
  for (int number = 0; number < 4; ++number) come();
  EXPECT_EQ(steps_of_a_turn(), "ab");
  members.front().ask();
  EXPECT_EQ(steps_of_a_turn(), "a") << "who is under way goes on";
  EXPECT_EQ(queue->under_way(), 2U);
  queue->leave(members.front());
  EXPECT_EQ(steps_of_a_turn(), "c");
  queue->leave(members.front());
  EXPECT_EQ(steps_of_a_turn(), "") << "leaving twice makes no room";
  members.pop_back();
  EXPECT_EQ(queue->under_way(), 2U);
  members.pop_back();
  members.pop_back();
  EXPECT_EQ(queue->under_way(), 0U);
}

TEST_F(HandshakeQueueTest, WhoWaitsForItsPeerKeepsItsPlaceWhileNobodyElseWantsIt) {
  queue = std::make_unique<HandshakeQueue>(1);
  Member& slow = come();
  EXPECT_EQ(steps_of_a_turn(), "a");
  EXPECT_EQ(loop.time_to_sleep(), Duration::max());
  platform.advance(1h);
  slow.ask();
  EXPECT_EQ(steps_of_a_turn(), "a");
  come();
  EXPECT_EQ(steps_of_a_turn(), "");
  EXPECT_EQ(given_up, "") << "it has just taken a step";
}

TEST_F(HandshakeQueueTest, WhoHasWaitedLongestGivesItsPlaceUpToWhoWantsIt) {
  queue = std::make_unique<HandshakeQueue>(2);
  Member& busy = come();
  come();
  EXPECT_EQ(steps_of_a_turn(), "ab");
  pass(600ms);
  busy.ask();
  EXPECT_EQ(steps_of_a_turn(), "a");
  come();
  come();
  pass(399ms);
  EXPECT_EQ(given_up, "");
  pass(1ms);
  EXPECT_EQ(given_up, "b");
  EXPECT_EQ(steps, "ac");
  pass(599ms);
  EXPECT_EQ(given_up, "b");
  pass(1ms);
  EXPECT_EQ(given_up, "ba");
  EXPECT_EQ(steps, "acd");
  EXPECT_EQ(queue->under_way(), 2U);
}

TEST_F(HandshakeQueueTest, OneThatHasWaitedTooLongAlreadyGivesItsPlaceUpAtOnce) {
  queue = std::make_unique<HandshakeQueue>(1);
  come();
  turn_a_few_times();
  platform.advance(HandshakeQueue::kMostIdle);
  come();
  turn_a_few_times();
  EXPECT_EQ(given_up, "a");
  EXPECT_EQ(steps, "ab");
}

TEST_F(HandshakeQueueTest, WhoHasNotBeenHeardHoldsNoPlace) {
  queue = std::make_unique<HandshakeQueue>(1);
  Member& silent = come();
  turn_a_few_times();
  queue->leave(silent);
  queue->come(silent);
  pass(2 * HandshakeQueue::kMostIdle);
  come();
  come();
  turn_a_few_times();
  EXPECT_EQ(steps, "ab");
  EXPECT_EQ(given_up, "");
}

TEST_F(HandshakeQueueTest, ADrainHurriesAllWhereverTheyStand) {
  queue = std::make_unique<HandshakeQueue>(2);
  come();
  turn_a_few_times();  // and is idle now
  come();              // in line
  come();              // beyond the limit
  Member& silent = come();
  queue->leave(silent);
  queue->come(silent);
  queue->drain();
  std::sort(hurried.begin(), hurried.end());
  EXPECT_EQ(hurried, "abcd");
  EXPECT_EQ(queue->under_way(), 0U);
}

TEST_F(HandshakeQueueTest, OneThatGoesBeforeItsStepTakesNone) {
  come();
  come();
  members.pop_front();
  EXPECT_EQ(steps_of_a_turn(), "b");
}

}  // namespace
}  // namespace eddy
