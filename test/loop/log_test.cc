#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <eddy/loop/log.h>
#include <eddy/loop/pool.h>

#include "../support/fake_clock.h"
#include "../support/log_capture.h"

namespace eddy {
namespace {

using namespace std::chrono_literals;

struct LogTest : testing::Test {
  ~LogTest() override { log::set_level(log::Level::info); }
  void new_second() { clock.advance(1s); }

  FakeClock clock;
  ScopedPlatform installed{clock};
  LogCapture log;
};

TEST_F(LogTest, ALineIsMadeOfItsParts) {
  log::info("parts: ", std::string("text"), ", ", 7, ", ", std::size_t{8}, ", ", -9);
  EXPECT_EQ(log.lines(), std::vector<std::string>{"parts: text, 7, 8, -9"});
}

TEST_F(LogTest, NoControlCharacterGetsThroughWhateverAStrangerSent) {
  const std::string sent =
      "a\r\n\x1b[2J\x07\x9b"
      "b";
  log::warning("bad request: ", sent);
  log::error("failed: ", std::make_exception_ptr(std::runtime_error(sent)));
  for (const std::string& line : log.lines())
    for (const char shown : line) {
      EXPECT_GE(static_cast<unsigned char>(shown), 0x20);
      EXPECT_LT(static_cast<unsigned char>(shown), 0x7f);
    }
  EXPECT_EQ(log.count(R"(a\x0d\x0a\x1b[2J\x07\x9bb)"), 2u);
}

TEST_F(LogTest, AFloodStaysATrickleAndItsNumberIsTold) {
  for (int at = 0; at < 10'000; ++at) log::warning("flood: ", at);
  EXPECT_EQ(log.lines().size(), std::size_t{log::kLinesPerSecond});
  log::warning("another kind: ", 1);
  EXPECT_EQ(log.count("another kind"), 1u);
  new_second();
  log::warning("flood: ", "again");
  EXPECT_EQ(log.count("9980 suppressed like: flood: "), 1u);
  EXPECT_EQ(log.count("flood: again"), 1u);
}

TEST_F(LogTest, ANewReaderBeginsWithNothingSuppressed) {
  for (int at = 0; at < 30; ++at) log::warning("flood: ", at);
  std::vector<std::string> seen;
  log::set_sink([&](log::Level, std::string_view line) { seen.emplace_back(line); });
  log::warning("flood: ", "again");
  new_second();
  log::warning("flood: ", "and again");
  EXPECT_EQ(seen, (std::vector<std::string>{"flood: again", "flood: and again"}));
}

TEST_F(LogTest, LinesBelowTheLevelAreDropped) {
  log::debug("quiet: ", 1);
  log::set_level(log::Level::debug);
  log::debug("spoken: ", 1);
  log::set_level(log::Level::off);
  log::error("silenced: ", 1);
  EXPECT_EQ(log.lines(), std::vector<std::string>{"spoken: 1"});
}

TEST_F(LogTest, WhatAUserAskedToSeeIsShownWhateverTheLevelAndTheNumberOfLines) {
  log::set_level(log::Level::off);
  log::always("first\nsecond");
  EXPECT_EQ(log.lines(), std::vector<std::string>{"first\nsecond"});
}

TEST_F(LogTest, NorDoesAControlCharacterGetThroughThere) {
  log::always("a\x1b[31m\r\n\nb\n");
  EXPECT_EQ(log.lines(), std::vector<std::string>{"a\\x1b[31m\\x0d\n\nb\n"});
}

TEST_F(LogTest, ASinkThatThrowsHarmsNobody) {
  log::set_sink([](log::Level, std::string_view) { throw std::bad_alloc(); });
  log::error("lost: ", 1);
  log::always("lost");
}

TEST_F(LogTest, AClockThatStepsBackDoesNotSilenceIt) {
  for (int at = 0; at < 100; ++at) log::info("steps: ", at);
  clock.advance(-10min);
  log::info("steps: ", "back");
  EXPECT_EQ(log.count("steps: back"), 1u);
}

TEST_F(LogTest, ThreadsMaySpeakAtOnce) {
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int at = 0; at < 4; ++at) threads.emplace_back([] { log::info("thread: ", "speaks"); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(log.count("thread: speaks"), 4u);
}

TEST_F(LogTest, AVeryLongLineIsCut) {
  log::info("long: ", std::string(100'000, 'x'));
  EXPECT_LE(log.lines().front().size(), log::kLongestLine + 3);
}

TEST(LogFork, AChildSpeaksWhateverItsParentsThreadsWereDoing) {
  log::set_sink([](log::Level, std::string_view line) { const std::string copy(line); });
  // A sanitizer's allocator is not made for a fork: what this leaves to it is enough for a child.
  log::always(std::string(1000, 'y'));
  std::atomic<bool> over{false};
  std::vector<std::thread> threads(2);
  for (std::thread& thread : threads)
    thread = std::thread([&] {
      while (!over) log::always(std::string(1000, 'x'));
    });
  int silent = 0;
  for (int forks = 0; forks < (kPooling ? 1000 : 200); ++forks) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::alarm(20);  // ends one that waits for ever
      log::always(std::string(1000, 'y'));
      ::_exit(0);
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    silent += status == 0 ? 0 : 1;
  }
  over = true;
  for (std::thread& thread : threads) thread.join();
  log::set_sink({});
  EXPECT_EQ(silent, 0);
}

TEST(Describe, TellsWhatAnExceptionSays) {
  EXPECT_EQ(log::describe(nullptr), "no error");
  EXPECT_EQ(log::describe(std::make_exception_ptr(std::runtime_error("x"))), "x");
  EXPECT_EQ(log::describe(std::make_exception_ptr(7)), "an unknown exception");
}

}  // namespace
}  // namespace eddy
