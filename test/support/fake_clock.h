// FakeClock: a platform whose time passes only while the loop sleeps, or when a test says so.
//
// Install it before the IOLoop is made. Descriptors are the kernel's own; only the waiting is not
// real: when nothing is ready, epoll_wait moves the clock on by what it was asked to wait. A loop
// that would sleep for ever throws, so that a test fails instead of hanging.
#pragma once

#include <cstddef>
#include <stdexcept>

#include <eddy/loop/platform.h>

namespace eddy {

class FakeClock : public Platform {
 public:
  TimePoint now() override {
    ++readings;
    return now_;
  }
  int epoll_wait(int epoll, epoll_event* events, int capacity, Duration timeout) override {
    ++waits;
    const int ready = Platform::epoll_wait(epoll, events, capacity, Duration::zero());
    if (ready != 0 || timeout <= Duration::zero()) return ready;
    if (timeout == Duration::max()) throw std::logic_error("the loop would sleep for ever");
    ++sleeps;
    now_ += timeout;
    return 0;
  }

  void advance(Duration duration) { now_ += duration; }  // backward, too

  std::size_t readings = 0;  // of the clock
  std::size_t waits = 0;     // calls of epoll_wait
  std::size_t sleeps = 0;    // those in which time passed

 private:
  TimePoint now_{std::chrono::hours(1)};
};

}  // namespace eddy
