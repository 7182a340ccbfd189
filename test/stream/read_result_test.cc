#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <eddy/loop/io_loop.h>
#include <eddy/loop/pool.h>
#include <eddy/stream/read_result.h>

namespace eddy {
namespace {

// Under a sanitizer nothing is kept, so that it sees each string come and go.
struct ReadResultTest : testing::Test {
  static Future<std::string> make(std::string_view bytes) {
    return ReadResult::make("a test", Location::current(), bytes);
  }
  const char* data_of_a_dropped(std::size_t size) {
    return make(std::string(size, 'd')).result().data();
  }

  IOLoop loop;
  const std::string line = std::string(40, 'x');
};

TEST_F(ReadResultTest, IsDoneAndHasTheBytes) {
  const Future<std::string> result = make(line);
  EXPECT_TRUE(result.done());
  EXPECT_EQ(result.result(), line);
}

TEST_F(ReadResultTest, ADroppedOneLendsItsMemoryToTheNext) {
  const char* const memory = data_of_a_dropped(line.size());
  const Future<std::string> next = make(line);
  EXPECT_EQ(next.result(), line);
  EXPECT_TRUE(!kPooling || next.result().data() == memory);
}

TEST_F(ReadResultTest, ADroppedOneLendsItsMemoryToACopyToo) {
  const char* const memory = data_of_a_dropped(line.size());
  const std::string copied = ReadResult::copy(line);
  EXPECT_EQ(copied, line);
  EXPECT_TRUE(!kPooling || copied.data() == memory);
}

TEST_F(ReadResultTest, OneThatIsStillHeldLendsNothing) {
  const Future<std::string> held = make(line);
  static_cast<void>(Future<std::string>(held));
  const Future<std::string> next = make(std::string(40, 'y'));
  EXPECT_EQ(held.result(), line);
  EXPECT_EQ(next.result(), std::string(40, 'y'));
}

TEST_F(ReadResultTest, WhatIsMovedOutBelongsToItsNewOwner) {
  std::string taken;
  {
    const Future<std::string> result = make(line);
    taken = std::move(result.result());
  }
  const Future<std::string> next = make(std::string(40, 'y'));
  EXPECT_EQ(taken, line);
  EXPECT_NE(next.result().data(), taken.data());
}

TEST_F(ReadResultTest, AKeptOneTakesBytesOfAnyLength) {
  static_cast<void>(data_of_a_dropped(40));
  EXPECT_EQ(make(std::string(5000, 'l')).result(), std::string(5000, 'l'));
}

TEST_F(ReadResultTest, ALongStringGoesBackToTheHeap) {
  static_cast<void>(data_of_a_dropped(2 * ReadResult::kKeptBytes));
  EXPECT_LE(make("short").result().capacity(), ReadResult::kKeptBytes);
}

TEST_F(ReadResultTest, AShortOneIsNotLentMuchRoom) {
  static_cast<void>(data_of_a_dropped(1000));
  EXPECT_LT(make("short").result().capacity(), 40U);
  static_cast<void>(data_of_a_dropped(1000));
  EXPECT_LT(make(line).result().capacity(), 4 * line.size());
  EXPECT_LT(ReadResult::copy(line).capacity(), 4 * line.size());
}

TEST_F(ReadResultTest, AThreadKeepsABoundedNumber) {
  const std::string wide(100, 'w');
  std::vector<Future<std::string>> held;
  for (std::size_t at = 0; at < 2 * ReadResult::kSpares; ++at) held.push_back(make(wide));
  held.clear();
  std::size_t reused = 0;
  for (std::size_t at = 0; at < 2 * ReadResult::kSpares; ++at) {
    held.push_back(make(line));
    if (held.back().result().capacity() >= wide.size()) ++reused;
  }
  EXPECT_EQ(reused, kPooling ? ReadResult::kSpares : 0U);
}

TEST_F(ReadResultTest, OneThatFailedIsNotKept) {
  {
    Promise<std::string> promise(new ReadResult("a test", Location::current()));
    const Future<std::string> failed = promise.future();
    promise.set_exception(std::runtime_error("no bytes"));
    EXPECT_THROW(failed.result(), std::runtime_error);
  }
  EXPECT_EQ(make(line).result(), line);
}

TEST_F(ReadResultTest, OneThatIsDroppedOnAnotherThreadComesHomeFirst) {
  Future<std::string> result = make(line);
  std::thread([moved = std::move(result)] {}).join();
  loop.turn();
  EXPECT_EQ(make(line).result(), line);
}

TEST_F(ReadResultTest, AThreadThatEndsKeepsNone) {  // a leak checker sees it
  std::thread([] {
    const IOLoop its_own;
    static_cast<void>(make(std::string(40, 'x')));
  }).join();
  SUCCEED() << "nothing leaks";
}

}  // namespace
}  // namespace eddy
