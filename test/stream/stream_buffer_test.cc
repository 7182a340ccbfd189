#include <gtest/gtest.h>

#include <string>
#include <utility>

#include <eddy/stream/stream_buffer.h>

namespace eddy {
namespace {

TEST(StreamBuffer, GivesBytesInTheOrderInWhichTheyCame) {
  StreamBuffer buffer;
  buffer.append("one ");
  buffer.append("two ");
  buffer.append("three");
  EXPECT_EQ(buffer.view(), "one two three");
  buffer.consume(4);
  EXPECT_EQ(buffer.view(), "two three");
  buffer.append(" four");
  EXPECT_EQ(buffer.view(), "two three four");
  EXPECT_EQ(buffer.size(), 14U);
}

TEST(StreamBuffer, IsEmptyAtFirstAndAfterAllIsConsumed) {
  StreamBuffer buffer;
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(buffer.view(), "");
  buffer.append("");
  EXPECT_TRUE(buffer.empty());
  buffer.append("x");
  EXPECT_FALSE(buffer.empty());
  buffer.consume(1);
  EXPECT_TRUE(buffer.empty());
}

TEST(StreamBuffer, MakesRoomThatIsCommittedAfterwards) {
  StreamBuffer buffer;
  buffer.append("ab");
  char* const room = buffer.prepare(100);
  room[0] = 'c';
  room[1] = 'd';
  EXPECT_EQ(buffer.view(), "ab");
  buffer.commit(2);
  EXPECT_EQ(buffer.view(), "abcd");
}

TEST(StreamBuffer, KeepsItsBytesHoweverTheyComeAndGo) {
  StreamBuffer buffer;
  std::string model;
  unsigned seed = 1;
  for (int step = 0; step < 20'000; ++step) {
    seed = seed * 1'664'525 + 1'013'904'223;
    const std::size_t size = (seed >> 8) % 3000;
    if (seed & 64) {
      const std::string bytes(size, static_cast<char>('a' + step % 26));
      buffer.append(bytes);
      model += bytes;
    } else {
      const std::size_t taken = std::min(size, model.size());
      buffer.consume(taken);
      model.erase(0, taken);
    }
    if (seed & 1024) buffer.shrink_to_fit();
    ASSERT_EQ(buffer.view(), model) << "in step " << step;
  }
}

TEST(StreamBuffer, PassesOnWhatAReadAnswers) {
  StreamBuffer buffer;
  const auto nothing = [](char*, std::size_t) -> std::ptrdiff_t { return -11; };
  EXPECT_EQ(buffer.append_from(1000, nothing), -11);
  EXPECT_TRUE(buffer.empty());
  const auto two = [](char* place, std::size_t room) -> std::ptrdiff_t {
    EXPECT_EQ(room, 1000U);
    place[0] = 'o';
    place[1] = 'k';
    return 2;
  };
  EXPECT_EQ(buffer.append_from(1000, two), 2);
  EXPECT_EQ(buffer.append_from(1000, two), 2);
  EXPECT_EQ(buffer.view(), "okok");
}

// How often the bytes have moved shows in their address.
template <class Step>
int moves(StreamBuffer& buffer, int steps, Step step) {
  int moved = 0;
  const char* place = buffer.view().data();
  for (int done = 0; done < steps; ++done) {
    step();
    if (std::exchange(place, buffer.view().data()) != buffer.view().data()) ++moved;
  }
  return moved;
}

TEST(StreamBuffer, HardlyMovesALineThatDribblesIn) {
  StreamBuffer buffer;
  const int moved = moves(buffer, 60'000, [&] {
    buffer.append_from(65'536, [](char* place, std::size_t) -> std::ptrdiff_t {
      *place = 'x';
      return 1;
    });
    buffer.shrink_to_fit();
  });
  EXPECT_LT(moved, 60);
  EXPECT_EQ(buffer.size(), 60'000U);
}

TEST(StreamBuffer, HardlyMovesWhatATricklingPeerTakes) {
  StreamBuffer buffer;
  buffer.append(std::string(1 << 20, 'x'));
  const char* block_ends_before = buffer.view().data();
  int moved = 0;
  for (int step = 0; step < 100'000; ++step) {
    buffer.consume(1);
    buffer.append("y");
    if (buffer.view().data() != block_ends_before + 1) ++moved;
    block_ends_before = buffer.view().data();
  }
  EXPECT_LT(moved, 4);
}

}  // namespace
}  // namespace eddy
