#include <gtest/gtest.h>

#include <stdexcept>
#include <utility>
#include <vector>

#include <eddy/loop/io_loop.h>
#include <eddy/stream/write_queue.h>

namespace eddy {
namespace {

class TestQueue final : public WriteQueue {
 public:
  void send_awaited() override { ++awaited; }
  int awaited = 0;
};

class WriteQueueTest : public ::testing::Test {
 public:
  Future<> add(std::size_t bytes) { return queue.add(bytes, Location::current()); }

  IOLoop loop;
  TestQueue queue;
};

TEST_F(WriteQueueTest, AWriteIsDoneOnceItsLastByteHasLeft) {
  const Future<> first = add(3);
  const Future<> second = add(2);
  queue.sent(2);
  EXPECT_FALSE(first.done());
  queue.sent(1);
  EXPECT_TRUE(first.done());
  EXPECT_FALSE(second.done());
  queue.sent(2);
  EXPECT_TRUE(second.done());
}

TEST_F(WriteQueueTest, CountsForTheWholeLifeOfTheStream) {
  const Future<> first = add(3);
  queue.sent(3);
  const Future<> second = add(4);
  queue.sent(1);
  EXPECT_EQ(queue.total_write_index(), 7U);
  EXPECT_EQ(queue.total_write_done_index(), 4U);
  EXPECT_FALSE(second.done());
}

TEST_F(WriteQueueTest, AnEmptyWriteIsDoneWithThoseBeforeIt) {
  EXPECT_TRUE(add(0).done());
  const Future<> large = add(10);
  const Future<> empty = add(0);
  EXPECT_FALSE(empty.done());
  queue.sent(10);
  EXPECT_TRUE(empty.done());
}

TEST_F(WriteQueueTest, ManyWritesAreDoneInTheirOrder) {
  std::vector<int> order;
  for (int number = 0; number < 5; ++number)
    loop.add_future(add(1), [&order, number](Future<>&) { order.push_back(number); });
  queue.sent(5);
  loop.turn();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4}));
}

TEST_F(WriteQueueTest, AForgottenWriteStillCounts) {
  static_cast<void>(add(3));
  const Future<> second = add(1);
  queue.sent(3);
  EXPECT_FALSE(second.done());
  queue.sent(1);
  EXPECT_TRUE(second.done());
}

TEST_F(WriteQueueTest, AWriteThatWasCancelledIsNotTheNextOne) {
  Future<> cancelled = add(3);
  EXPECT_TRUE(cancelled.cancel());
  cancelled = {};
  const Future<> next = add(1);
  EXPECT_FALSE(next.done());
  queue.sent(4);
  EXPECT_NO_THROW(next.result());
}

TEST_F(WriteQueueTest, WhoHangsACallbackOnAWriteHearsOfThatOneEvenIfItsFutureIsDropped) {
  int told = 0;
  add(3).add_done_callback([&told] { ++told; });
  const Future<> next = add(4);
  queue.sent(3);
  loop.turn();
  EXPECT_EQ(told, 1);
  EXPECT_FALSE(next.done());
}

TEST_F(WriteQueueTest, AForgottenWriteHoldsUpNoneThatEndsWhereItDoes) {
  Future<> forgotten = add(3);
  const Future<> empty = add(0);
  forgotten = {};
  const Future<> next = add(5);
  queue.sent(3);
  EXPECT_TRUE(empty.done());
  EXPECT_FALSE(next.done());
  queue.sent(5);
  EXPECT_TRUE(next.done());
}

TEST_F(WriteQueueTest, WritesThatAreForgottenOneAfterAnotherLeaveTheirOrder) {
  const Future<> first = add(1);
  for (int number = 0; number < 100; ++number) static_cast<void>(add(1));
  const Future<> last = add(1);
  queue.sent(1);
  EXPECT_TRUE(first.done());
  queue.sent(100);
  EXPECT_FALSE(last.done());
  queue.sent(1);
  EXPECT_TRUE(last.done());
}

TEST_F(WriteQueueTest, ACancelledWriteHoldsUpNobody) {
  Future<> first = add(3);
  const Future<> second = add(1);
  first.cancel();
  queue.sent(4);
  EXPECT_THROW(first.result(), CancelledError);
  EXPECT_TRUE(second.done());
}

TEST_F(WriteQueueTest, AllThatWaitFailTogether) {
  const Future<> first = add(3);
  const Future<> second = add(0);
  queue.fail(std::make_exception_ptr(std::runtime_error("gone")));
  EXPECT_THROW(first.result(), std::runtime_error);
  EXPECT_THROW(second.result(), std::runtime_error);
}

TEST_F(WriteQueueTest, TheSenderHearsThatSomebodyWaits) {
  const Future<> write = add(3);
  EXPECT_EQ(queue.awaited, 0);
  loop.add_future(write, [](Future<>&) {});
  EXPECT_EQ(queue.awaited, 1);
  queue.sent(3);
  loop.turn();
}

TEST(WriteQueue, BreaksItsWritesWhenItGoes) {
  const IOLoop loop;
  Future<> write;
  {
    TestQueue queue;
    write = queue.add(1, Location::current());
  }
  EXPECT_THROW(write.result(), BrokenPromiseError);
}

}  // namespace
}  // namespace eddy
