#include <gtest/gtest.h>

#include <list>
#include <string>

#include <eddy/loop/io_loop.h>
#include <eddy/stream/handshake_queue.h>

namespace eddy {
namespace {

class HandshakeQueueTest : public testing::Test {
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

  IOLoop loop;
  std::unique_ptr<HandshakeQueue> queue = std::make_unique<HandshakeQueue>(0);
  std::string steps;
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

TEST_F(HandshakeQueueTest, OneThatGoesBeforeItsStepTakesNone) {
  come();
  come();
  members.pop_front();
  EXPECT_EQ(steps_of_a_turn(), "b");
}

}  // namespace
}  // namespace eddy
