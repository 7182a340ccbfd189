// CountingPlatform: the kernel, counted, on a simulated clock, and failing where a test says so.
//
// Install it before the IOLoop is made. Time passes only when nothing is ready, or when a test says
// so; a loop that would sleep for ever returns instead, and the test's bound ends it.
#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <vector>

#include <eddy/loop/platform.h>

namespace eddy {

class CountingPlatform : public Platform {
 public:
  enum Call {
    kEpollWait,
    kEpollCtl,
    kConnect,
    kRecv,
    kSend,
    kSendfile,
    kReadPipe,
    kWritePipe,
    kShutdown,
    kClose
  };

  std::size_t calls(Call call) const { return calls_[call]; }
  void forget_calls() { calls_ = {}; }

  // After `before` more calls, the next `times` fail with this errno and do nothing.
  void fail(Call call, int error_number, std::size_t times = 1, std::size_t before = 0) {
    faults_.push_back({call, error_number, calls_[call] + before, times});
  }
  void interrupt_every(std::size_t nth) { interrupted_ = nth; }  // of all that a signal interrupts
  void cut(Call call, std::size_t most) { most_[call] = most; }  // bytes in one call

  void receive_endlessly() { endless_ = true; }  // recv finds as much as it asks for, always

  void advance(Duration duration) { now_ += duration; }

  TimePoint now() override { return now_; }
  int epoll_wait(int epoll, epoll_event* events, int capacity, Duration timeout) override {
    return attempt(kEpollWait, [&] {
      const bool sleeps = timeout > Duration::zero();
      const Duration real = sleeps ? Duration(std::chrono::milliseconds(1)) : Duration::zero();
      const int ready = Platform::epoll_wait(epoll, events, capacity, std::min(real, timeout));
      if (ready == 0 && sleeps && timeout != Duration::max()) now_ += timeout;
      return ready;
    });
  }
  int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) override {
    return attempt(kEpollCtl, [&] { return Platform::epoll_ctl(epoll, operation, fd, event); });
  }
  int connect(int fd, const sockaddr* address, socklen_t size) override {
    return attempt(kConnect, [&] { return Platform::connect(fd, address, size); });
  }
  int shutdown(int fd, int how) override {
    return attempt(kShutdown, [&] { return Platform::shutdown(fd, how); });
  }
  ssize_t recv(int fd, void* data, std::size_t size) override {
    return attempt(kRecv, [&] {
      if (endless_) return static_cast<ssize_t>(size);
      return Platform::recv(fd, data, std::min(size, most_[kRecv]));
    });
  }
  ssize_t send(int fd, const void* data, std::size_t size) override {
    return attempt(kSend, [&] { return Platform::send(fd, data, std::min(size, most_[kSend])); });
  }
  ssize_t sendfile(int to, int from, off_t* offset, std::size_t count) override {
    return attempt(kSendfile, [&] {
      return Platform::sendfile(to, from, offset, std::min(count, most_[kSendfile]));
    });
  }
  ssize_t read(int fd, void* data, std::size_t size) override {
    return attempt(kReadPipe,
                   [&] { return Platform::read(fd, data, std::min(size, most_[kReadPipe])); });
  }
  ssize_t write(int fd, const void* data, std::size_t size) override {
    return attempt(kWritePipe,
                   [&] { return Platform::write(fd, data, std::min(size, most_[kWritePipe])); });
  }
  int close(int fd) override {
    return attempt(kClose, [&] { return Platform::close(fd); });
  }

 private:
  static constexpr std::size_t kCalls = kClose + 1;
  struct Fault {
    Call call;
    int error_number;
    std::size_t after;
    std::size_t times;
  };

  template <class F>
  auto attempt(Call call, F really) -> decltype(really()) {
    const std::size_t number = calls_[call]++;
    for (const Fault& fault : faults_)
      if (fault.call == call && number >= fault.after && number < fault.after + fault.times) {
        errno = fault.error_number;
        return -1;
      }
    const bool interruptible = call != kEpollCtl && call != kShutdown && call != kClose;
    if (interrupted_ > 0 && interruptible && ++interruptible_ % interrupted_ == 0) {
      errno = EINTR;
      return -1;
    }
    return really();
  }

  static constexpr std::array<std::size_t, kCalls> unlimited() {
    std::array<std::size_t, kCalls> all{};
    all.fill(SIZE_MAX);
    return all;
  }

  std::array<std::size_t, kCalls> calls_{};
  std::array<std::size_t, kCalls> most_ = unlimited();
  std::vector<Fault> faults_;
  bool endless_ = false;
  std::size_t interrupted_ = 0;
  std::size_t interruptible_ = 0;
  TimePoint now_{std::chrono::hours(1)};
};

}  // namespace eddy
