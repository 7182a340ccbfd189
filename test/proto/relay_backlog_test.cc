#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>

#include <eddy/proto/relay_backlog.h>

namespace eddy {
namespace {

constexpr std::size_t kMegabyte = 1 << 20;

// Frames whose bytes differ, the first of them number `first`.
std::string frames(std::size_t frame_size, std::size_t count, std::uint64_t first = 0) {
  std::string bytes;
  for (std::uint64_t number = first; number < first + count; ++number) {
    std::string frame = std::to_string(number);
    frame.resize(frame_size, '.');
    bytes += frame;
  }
  return bytes;
}

// All from the position on, piece by piece.
std::string read(const RelayBacklog& backlog, std::uint64_t position) {
  std::string all;
  for (std::string_view piece = backlog.at(position); !piece.empty();
       piece = backlog.at(position)) {
    EXPECT_EQ(piece.size() % backlog.frame_size(), 0U);
    all += piece;
    position += piece.size();
  }
  return all;
}

TEST(RelayBacklog, IsEmptyAtFirstAndHoldsNoMemory) {
  const RelayBacklog backlog(12, kMegabyte);
  EXPECT_EQ(backlog.begin(), backlog.end());
  EXPECT_EQ(backlog.at(backlog.end()), "");
  EXPECT_EQ(backlog.memory(), 0U);
}

TEST(RelayBacklog, GivesBackWhatWasAppendedFromAnyPosition) {
  RelayBacklog backlog(12, kMegabyte);
  const std::string all = frames(12, 20'000);
  for (std::size_t at = 0; at < all.size(); at += 12 * 77)
    backlog.append(std::string_view(all).substr(at, 12 * 77));
  for (const std::uint64_t position : {std::uint64_t{0}, std::uint64_t{12}, std::uint64_t{120'000},
                                       std::uint64_t{all.size() - 12}, std::uint64_t{all.size()}})
    EXPECT_EQ(read(backlog, position), all.substr(position)) << position;
}

TEST(RelayBacklog, LosesWholeFramesTheOldestFirst) {
  RelayBacklog backlog(12, 100);  // eight frames
  backlog.append(frames(12, 8));
  EXPECT_EQ(backlog.begin(), 0U);
  backlog.append(frames(12, 3, 8));
  EXPECT_EQ(backlog.begin(), 3 * 12U);
  EXPECT_EQ(read(backlog, backlog.begin()), frames(12, 8, 3));
}

TEST(RelayBacklog, NeverLosesWhatIsBeingAppended) {
  RelayBacklog backlog(1024, 1);
  backlog.append(frames(1024, 1));
  EXPECT_EQ(read(backlog, 0), frames(1024, 1));
  backlog.append(frames(1024, 100, 1));
  EXPECT_EQ(read(backlog, backlog.begin()), frames(1024, 100, 1));
}

TEST(RelayBacklog, HoldsItsLimitAndLittleMore) {
  RelayBacklog backlog(1024, kMegabyte);
  for (int round = 0; round < 100; ++round) {
    backlog.append(frames(1024, 64));
    EXPECT_LE(backlog.memory(), kMegabyte + (64 << 10));
  }
  EXPECT_EQ(backlog.end() - backlog.begin(), kMegabyte);
}

TEST(RelayBacklog, GivesItsMemoryBackButForOneBlock) {
  RelayBacklog backlog(12, kMegabyte);
  backlog.append(frames(12, 50'000));
  const std::size_t full = backlog.memory();
  backlog.clear();
  EXPECT_LT(backlog.memory(), full / 20);
  EXPECT_EQ(backlog.begin(), backlog.end());
  backlog.append(frames(12, 5));
  EXPECT_EQ(read(backlog, backlog.begin()), frames(12, 5));
}

// Whoever has just taken the last frames may still look at them.
TEST(RelayBacklog, LeavesTheLastPieceInItsPlaceWhenCleared) {
  RelayBacklog backlog(12, kMegabyte);
  backlog.append(frames(12, 5'000));
  std::uint64_t position = 0;
  std::string_view last;
  for (std::string_view piece = backlog.at(0); !piece.empty(); piece = backlog.at(position)) {
    last = piece;
    position += piece.size();
  }
  backlog.clear();
  EXPECT_EQ(last, frames(12, last.size() / 12, 5'000 - last.size() / 12));
}

TEST(RelayBacklog, HoldsTheSameAsAStringWouldWhateverHappens) {
  std::minstd_rand random(1);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same each time
  for (const std::size_t frame_size : {4U, 12U, 1000U, 1024U}) {
    const std::size_t limit = 40'000;
    RelayBacklog backlog(frame_size, limit);
    std::string model;
    std::uint64_t number = 0;
    for (int step = 0; step < 300; ++step) {
      if (random() % 20 == 0) {
        backlog.clear();
        model.clear();
      }
      const std::size_t count = random() % (50'000 / frame_size);
      const std::string more = frames(frame_size, count, number);
      number += count;
      backlog.append(more);
      const std::size_t most = std::max(limit / frame_size * frame_size, more.size());
      model += more;
      if (count > 0 && model.size() > most) model.erase(0, model.size() - most);
      ASSERT_EQ(read(backlog, backlog.begin()), model) << frame_size << " at step " << step;
    }
  }
}

}  // namespace
}  // namespace eddy
