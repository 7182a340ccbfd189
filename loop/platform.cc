#include "platform.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <ctime>

#include "without_sigpipe.h"

namespace eddy {
namespace {

thread_local Platform* current_platform = nullptr;

timespec to_timespec(Duration duration) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(duration);
  return {.tv_sec = seconds.count(), .tv_nsec = (duration - seconds).count()};
}

// epoll_wait knows milliseconds only: rounded up, or a loop would spin through the last fraction.
int to_milliseconds(Duration duration) {
  const auto rounded = std::chrono::ceil<std::chrono::milliseconds>(duration).count();
  return rounded > INT_MAX ? INT_MAX : static_cast<int>(rounded);
}

}  // namespace

Platform& Platform::current() {
  static Platform& real = *new Platform;  // also for threads that go on when the program ends
  return current_platform ? *current_platform : real;
}

ScopedPlatform::ScopedPlatform(Platform& platform) : previous_(current_platform) {
  current_platform = &platform;
}

ScopedPlatform::~ScopedPlatform() { current_platform = previous_; }

TimePoint Platform::now() { return Clock::now(); }

int Platform::epoll_create() { return ::epoll_create1(EPOLL_CLOEXEC); }

int Platform::epoll_ctl(int epoll, int operation, int fd, epoll_event* event) {
  return ::epoll_ctl(epoll, operation, fd, event);
}

int Platform::epoll_wait(int epoll, epoll_event* events, int capacity, Duration timeout) {
  if (timeout <= Duration::zero()) return ::epoll_wait(epoll, events, capacity, 0);
  if (timeout == Duration::max()) return ::epoll_wait(epoll, events, capacity, -1);
  if (has_epoll_pwait2_.load(std::memory_order_relaxed)) {
    const timespec limit = to_timespec(timeout);
    const int ready = ::epoll_pwait2(epoll, events, capacity, &limit, nullptr);
    if (ready >= 0 || (errno != ENOSYS && errno != EPERM)) return ready;
    has_epoll_pwait2_.store(false, std::memory_order_relaxed);
  }
  return ::epoll_wait(epoll, events, capacity, to_milliseconds(timeout));
}

int Platform::poll(pollfd* watched, std::size_t count, int milliseconds) {
  return ::poll(watched, count, milliseconds);
}

int Platform::socket(int family, int type, int protocol) {
  return ::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
}

int Platform::bind(int fd, const sockaddr* address, socklen_t size) {
  return ::bind(fd, address, size);
}

int Platform::listen(int fd, int backlog) { return ::listen(fd, backlog); }

int Platform::accept(int fd, sockaddr* address, socklen_t* size) {
  return ::accept4(fd, address, size, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

int Platform::connect(int fd, const sockaddr* address, socklen_t size) {
  return ::connect(fd, address, size);
}

int Platform::getpeername(int fd, sockaddr* address, socklen_t* size) {
  return ::getpeername(fd, address, size);
}

int Platform::getsockopt(int fd, int level, int name, void* value, socklen_t* size) {
  return ::getsockopt(fd, level, name, value, size);
}

int Platform::setsockopt(int fd, int level, int name, const void* value, socklen_t size) {
  return ::setsockopt(fd, level, name, value, size);
}

int Platform::shutdown(int fd, int how) { return ::shutdown(fd, how); }

int Platform::bytes_waiting(int fd) {
  int count = 0;
  return ::ioctl(fd, FIONREAD, &count) < 0 ? -1 : count;
}

ssize_t Platform::recv(int fd, void* data, std::size_t size) { return ::recv(fd, data, size, 0); }

ssize_t Platform::send(int fd, const void* data, std::size_t size) {
  return ::send(fd, data, size, MSG_NOSIGNAL);  // a host's SIGPIPE belongs to the host, not to us
}

int Platform::recvmmsg(int fd, mmsghdr* messages, unsigned int count) {
  return ::recvmmsg(fd, messages, count, 0, nullptr);
}

ssize_t Platform::sendto(int fd, const void* data, std::size_t size, const sockaddr* address,
                         socklen_t address_size) {
  return ::sendto(fd, data, size, MSG_NOSIGNAL, address, address_size);
}

ssize_t Platform::read(int fd, void* data, std::size_t size) { return ::read(fd, data, size); }

ssize_t Platform::write(int fd, const void* data, std::size_t size) {
  return ::write(fd, data, size);
}

int Platform::openat(int folder, const char* path, int flags) {
  return ::openat(folder, path, flags);
}

ssize_t Platform::sendfile(int to, int from, off_t* offset, std::size_t count) {
  const WithoutSigpipe held_back;  // there is no MSG_NOSIGNAL for it
  const ssize_t sent = ::sendfile(to, from, offset, count);
  if (sent < 0 && errno == EPIPE) held_back.take_away();
  return sent;
}

ssize_t Platform::pread(int fd, void* data, std::size_t size, off_t offset) {
  return ::pread(fd, data, size, offset);
}

int Platform::close(int fd) { return ::close(fd); }

pid_t Platform::fork() { return ::fork(); }

}  // namespace eddy
