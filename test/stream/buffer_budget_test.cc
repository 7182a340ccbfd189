#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <eddy/stream/buffer_budget.h>

#include "../support/stream_test.h"

namespace eddy {
namespace {

class BufferBudgetTest : public StreamTest {
 public:
  // Opens another stream in the budget; what was open before stays with the caller.
  struct Open {
    std::unique_ptr<IOStream> stream;
    Peer peer;
  };
  Open open_in_budget(StreamLimits limits = {}) {
    limits.budget = budget;
    open(limits);
    return {std::move(ours), std::move(theirs)};
  }
  // Leaves so many unread bytes in the stream's buffer.
  void hold(const Open& one, std::size_t bytes) {
    one.peer.send("x" + std::string(bytes, '.'));
    EXPECT_EQ(result_of(one.stream->read_bytes(1)), "x");
  }

  std::shared_ptr<BufferBudget> budget = std::make_shared<BufferBudget>(10'000);
};

TEST_F(BufferBudgetTest, HearsOfWhatIsReadIntoMemory) {
  const Open one = open_in_budget();
  hold(one, 3);
  EXPECT_EQ(budget->total(), 3U);
  char memory[3];
  EXPECT_EQ(result_of(one.stream->read_into(memory)), 3U);
  EXPECT_EQ(budget->total(), 0U);
}

TEST_F(BufferBudgetTest, AReadThatIsGivenAtOnceMayEvictItsStream) {
  const Open one = open_in_budget();
  one.peer.send("ab\r\ncd\r\n");
  EXPECT_EQ(result_of(one.stream->read_until("\r\n")), "ab\r\n");
  static_cast<void>(one.stream->write(std::string(20'000, 'x')));  // counted when the turn ends
  EXPECT_EQ(result_of(one.stream->read_until("\r\n")), "cd\r\n");
  EXPECT_TRUE(one.stream->closed());
}

TEST_F(BufferBudgetTest, CountsWhatIsBufferedInBothDirections) {
  const Open one = open_in_budget();
  EXPECT_EQ(budget->total(), 0U);
  hold(one, 1000);
  EXPECT_EQ(budget->total(), 1000U);
  EXPECT_EQ(result_of(one.stream->read_bytes(400)).size(), 400U);
  EXPECT_EQ(budget->total(), 1000U) << "it hears of what is left with the next bytes";
  one.peer.send(std::string(100, '.'));
  EXPECT_EQ(result_of(one.stream->read_bytes(650)).size(), 650U);
  EXPECT_EQ(budget->total(), 50U);
  EXPECT_EQ(result_of(one.stream->read_bytes(50)).size(), 50U);
  EXPECT_EQ(budget->total(), 0U) << "also when the kernel is not asked";
}

TEST_F(BufferBudgetTest, CountsWhatIsKeptElsewhereUntilTheStreamCloses) {
  const Open one = open_in_budget();
  one.stream->count_held(4000);
  hold(one, 1000);
  EXPECT_EQ(budget->total(), 5000U);
  one.stream->count_held(0);
  EXPECT_EQ(budget->total(), 1000U);
  one.stream->count_held(20'000);
  EXPECT_TRUE(one.stream->closed());
  EXPECT_EQ(budget->total(), 0U);
}

TEST_F(BufferBudgetTest, CountsWhatAStalledPeerLeavesWaiting) {
  budget = std::make_shared<BufferBudget>(std::size_t{1} << 30);
  Open one = open_in_budget();
  ours = std::move(one.stream);
  stall();
  EXPECT_EQ(budget->total(), ours->write_buffer_size());
  static_cast<void>(ours->write(std::string(5000, 'x')));
  EXPECT_EQ(budget->total(), ours->write_buffer_size());
  run_until([&] {
    one.peer.receive();
    return !ours->writing();
  });
  EXPECT_EQ(budget->total(), 0U);
}

TEST_F(BufferBudgetTest, ClosesTheStreamThatHoldsMost) {
  const Open small = open_in_budget();
  const Open big = open_in_budget();
  const Open last = open_in_budget();
  hold(small, 2000);
  hold(big, 5000);
  hold(last, 2500);
  EXPECT_EQ(budget->evicted(), 0U);
  const Open one_more = open_in_budget();
  hold(one_more, 1000);
  EXPECT_EQ(budget->evicted(), 1U);
  EXPECT_TRUE(big.stream->closed());
  EXPECT_FALSE(small.stream->closed());
  EXPECT_FALSE(last.stream->closed());
  const auto error = thrown<StreamBufferFullError>(big.stream->error());
  ASSERT_TRUE(error);
  EXPECT_NE(std::string(error->what()).find("max_total_buffer_size = 10000"), std::string::npos);
  EXPECT_EQ(big.stream->read_buffer_size(), 0U) << "the memory is wanted back";
  EXPECT_LE(budget->total(), 10'000U);
  EXPECT_EQ(log.count("evicted"), 1U);
}

TEST_F(BufferBudgetTest, MayCloseTheStreamThatPassesTheLimit) {
  const Open one = open_in_budget();
  Future<std::string> all = one.stream->read_until_close();
  one.peer.send(std::string(20'000, 'x'));
  EXPECT_TRUE(closed_by<StreamBufferFullError>(all)) << "and not a part as if it were the whole";
  EXPECT_EQ(budget->total(), 0U);
}

TEST_F(BufferBudgetTest, MayCloseAWriterWithinItsWrite) {
  const Open one = open_in_budget();
  static_cast<void>(one.stream->shutdown_write());
  Open two = open_in_budget();
  ours = std::move(two.stream);
  Future<> write;
  while (!ours->closed()) write = ours->write(std::string(256 << 10, 'x'));
  EXPECT_TRUE(closed_by<StreamBufferFullError>(write));
  EXPECT_EQ(budget->total(), 0U);
}

TEST_F(BufferBudgetTest, MayCloseAStreamThatIsShuttingDown) {
  Open one = open_in_budget();
  hold(one, 9'000);
  const Future<> ended = one.stream->shutdown_write();
  Open two = open_in_budget();
  two.peer.send(std::string(8000, 'x'));
  two.stream->set_close_callback([] {});
  Future<std::string> line = two.stream->read_until("\n");
  EXPECT_TRUE(one.stream->closed());
  EXPECT_FALSE(two.stream->closed());
}

TEST_F(BufferBudgetTest, AStreamThatGoesTakesItsShareAlong) {
  {
    const Open one = open_in_budget();
    hold(one, 1000);
    const Open two = open_in_budget();
    hold(two, 1000);
    two.stream->close();
    EXPECT_EQ(budget->total(), 1000U);
  }
  EXPECT_EQ(budget->total(), 0U);
}

TEST_F(BufferBudgetTest, ManyStreamsStayWithinTheBudget) {
  std::vector<Open> all;
  for (int number = 0; number < 50; ++number) {
    all.push_back(open_in_budget());
    hold(all.back(), 300 + 7 * static_cast<std::size_t>(number));
    ASSERT_LE(budget->total(), 10'000U);
  }
  EXPECT_GT(budget->evicted(), 0U);
}

}  // namespace
}  // namespace eddy
