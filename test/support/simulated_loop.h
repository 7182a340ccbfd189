// SimulatedLoop: a fixture with a loop whose clock is simulated and whose kernel may fail.
//
// Time passes only when a test says so: by platform.advance(), or in pass(), while the loop sleeps.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <iterator>

#include <eddy/loop/io_loop.h>

#include "faulty_platform.h"
#include "log_capture.h"

namespace eddy {

inline std::size_t open_descriptors() {
  using Entries = std::filesystem::directory_iterator;
  return static_cast<std::size_t>(std::distance(Entries("/proc/self/fd"), Entries()));
}

class SimulatedPlatform {  // before the loop
 public:
  SimulatedPlatform() {  // each test in an hour of its own: the log counts lines within a second
    static int tests = 0;
    platform.advance(std::chrono::hours(++tests));
  }
  FaultyPlatform platform;
  ScopedPlatform installed{platform};
};

class SimulatedLoop : protected SimulatedPlatform, public testing::Test {
 public:
  // Turns the loop, without letting its time pass, until `condition` holds. False: it never does.
  template <class F>
  bool run_until(F condition) {
    constexpr int kMostWaits = 10'000;  // milliseconds of ours, for a kernel that has much to do
    for (int waits = 0; waits < kMostWaits; ++waits) {
      for (int turns = 0; turns < 10; ++turns) {
        loop.turn();
        if (condition()) return true;
      }
      pollfd any_work{.fd = loop.fd(), .events = POLLIN, .revents = 0};
      ::poll(&any_work, 1, 1);
    }
    return false;
  }
  void turn_a_few_times() {
    for (int turns = 0; turns < 10; ++turns) loop.turn();
  }
  // Lets simulated time pass: the loop does what it has to do and sleeps in between.
  void pass(Duration time) {
    const TimePoint end = platform.now() + time;
    while (platform.now() < end) loop.turn(end - platform.now());
    turn_a_few_times();
  }

  LogCapture log;
  IOLoop loop;
};

}  // namespace eddy
