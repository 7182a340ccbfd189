// UniqueFd: the one thing in eddy that closes a file descriptor.
//
// Mirrors Python's socket and file objects, which close what they own when they die.
#pragma once

#include <utility>

namespace eddy {

class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept;
  ~UniqueFd() { reset(); }

  int get() const { return fd_; }  // -1 when empty
  explicit operator bool() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }  // the caller closes it from now on
  void reset();                                     // closes now; an empty one stays as it is

 private:
  int fd_ = -1;
};

// Duplicates a descriptor below 3 upward, so that a daemon that was started with its standard
// streams closed never writes a log line into a client. Anything else is returned as it is.
UniqueFd above_standard_streams(UniqueFd fd);

}  // namespace eddy
