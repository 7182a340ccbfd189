// Platform: the kernel, as eddy sees it while it runs.
//
// Every system call of a running loop, stream or server goes through this one narrow seam, so that
// a simulated clock, network or failure can stand in its place and no other code knows. Each
// function answers as its POSIX namesake does: -1 and errno. The real one costs an indirect call.
//
// Mirrors what Tornado reaches through tornado.platform.interface and Python's own socket and time
// modules. A thread's platform is fixed for an IOLoop when the loop is made.
#pragma once

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <atomic>
#include <cstddef>

#include "clock.h"

namespace eddy {

class Platform {
 public:
  virtual ~Platform() = default;

  virtual TimePoint now();  // CLOCK_MONOTONIC

  virtual int epoll_create();
  virtual int epoll_ctl(int epoll, int operation, int fd, epoll_event* event);
  // Waits at most `timeout`, rounded up to what the kernel can count; Duration::max(): for ever.
  virtual int epoll_wait(int epoll, epoll_event* events, int capacity, Duration timeout);

  virtual int poll(pollfd* watched, std::size_t count, int milliseconds);

  virtual int socket(int family, int type, int protocol);
  virtual int bind(int fd, const sockaddr* address, socklen_t size);
  virtual int listen(int fd, int backlog);
  virtual int accept(int fd, sockaddr* address, socklen_t* size);  // non-blocking, close-on-exec
  virtual int connect(int fd, const sockaddr* address, socklen_t size);
  virtual int getpeername(int fd, sockaddr* address, socklen_t* size);
  virtual int getsockopt(int fd, int level, int name, void* value, socklen_t* size);
  virtual int setsockopt(int fd, int level, int name, const void* value, socklen_t size);
  virtual int shutdown(int fd, int how);

  virtual int bytes_waiting(int fd);  // that a read would give now, without waiting

  virtual ssize_t recv(int fd, void* data, std::size_t size);
  virtual ssize_t send(int fd, const void* data, std::size_t size);  // never raises SIGPIPE
  virtual int recvmmsg(int fd, mmsghdr* messages, unsigned int count);
  virtual ssize_t sendto(int fd, const void* data, std::size_t size, const sockaddr* address,
                         socklen_t address_size);  // never raises SIGPIPE either
  virtual ssize_t read(int fd, void* data, std::size_t size);
  virtual ssize_t write(int fd, const void* data, std::size_t size);
  virtual int openat(int folder, const char* path, int flags);
  // From a file into a socket, from `offset` on, which moves; never raises SIGPIPE either.
  virtual ssize_t sendfile(int to, int from, off_t* offset, std::size_t count);
  virtual ssize_t pread(int fd, void* data, std::size_t size, off_t offset);
  virtual int close(int fd);

  virtual pid_t fork();

  // The calling thread's platform: the real one, until a test installs its own.
  static Platform& current();

 private:
  std::atomic<bool> has_epoll_pwait2_{true};  // until the kernel, or a container's filter, says no
};

// Puts a platform in the place of the calling thread's, for as long as it lives.
class ScopedPlatform {
 public:
  explicit ScopedPlatform(Platform& platform);
  ~ScopedPlatform();
  ScopedPlatform(const ScopedPlatform&) = delete;
  ScopedPlatform& operator=(const ScopedPlatform&) = delete;

 private:
  Platform* previous_;
};

}  // namespace eddy
