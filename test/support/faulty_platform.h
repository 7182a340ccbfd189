// FaultyPlatform: the real kernel, which fails where a test says so, on a simulated clock.
//
//   platform.fail(Call::accept, EMFILE, 2);   // the next two calls fail, those behind them do not
//   platform.let_pass(Call::bind);            // the next one is real, then what follows here
//
// A call that fails leaves the kernel untouched, as under strace's injection.
#pragma once

#include <array>
#include <cerrno>
#include <cstddef>
#include <limits>
#include <list>

#include "fake_clock.h"

namespace eddy {

enum class Call { socket, bind, listen, accept, setsockopt, epoll_add, sendto, recvmmsg, openat };

class FaultyPlatform : public FakeClock {
 public:
  static constexpr int kAlways = std::numeric_limits<int>::max();

  void fail(Call call, int error_number, int times = 1) {
    script(call).push_back({error_number, times});
  }
  void let_pass(Call call, int times = 1) { fail(call, 0, times); }
  void heal(Call call) { script(call).clear(); }
  std::size_t calls(Call call) const { return calls_[static_cast<std::size_t>(call)]; }

  int socket(int family, int type, int protocol) override {
    return fails(Call::socket) ? -1 : FakeClock::socket(family, type, protocol);
  }
  int bind(int fd, const sockaddr* address, socklen_t size) override {
    return fails(Call::bind) ? -1 : FakeClock::bind(fd, address, size);
  }
  int listen(int fd, int backlog) override {
    return fails(Call::listen) ? -1 : FakeClock::listen(fd, backlog);
  }
  int accept(int fd, sockaddr* address, socklen_t* size) override {
    return fails(Call::accept) ? -1 : FakeClock::accept(fd, address, size);
  }
  int setsockopt(int fd, int level, int name, const void* value, socklen_t size) override {
    return fails(Call::setsockopt) ? -1 : FakeClock::setsockopt(fd, level, name, value, size);
  }
  int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) override {
    if (operation == EPOLL_CTL_ADD && fails(Call::epoll_add)) return -1;
    return FakeClock::epoll_ctl(epoll, operation, fd, event);
  }
  ssize_t sendto(int fd, const void* data, std::size_t size, const sockaddr* address,
                 socklen_t address_size) override {
    return fails(Call::sendto) ? -1 : FakeClock::sendto(fd, data, size, address, address_size);
  }
  int recvmmsg(int fd, mmsghdr* messages, unsigned int count) override {
    return fails(Call::recvmmsg) ? -1 : FakeClock::recvmmsg(fd, messages, count);
  }
  int openat(int folder, const char* path, int flags) override {
    return fails(Call::openat) ? -1 : FakeClock::openat(folder, path, flags);
  }

 private:
  struct Outcome {
    int error_number;  // 0: as the kernel likes
    int times;
  };
  std::list<Outcome>& script(Call call) { return scripts_[static_cast<std::size_t>(call)]; }

  bool fails(Call call) {
    ++calls_[static_cast<std::size_t>(call)];
    if (script(call).empty()) return false;
    Outcome& outcome = script(call).front();
    const int error_number = outcome.error_number;
    if (outcome.times != kAlways && --outcome.times == 0) script(call).pop_front();
    if (error_number != 0) errno = error_number;
    return error_number != 0;
  }

  static constexpr std::size_t kCalls = 9;
  std::array<std::list<Outcome>, kCalls> scripts_;
  std::array<std::size_t, kCalls> calls_{};
};

}  // namespace eddy
