// Pairs of descriptors for tests: a pipe, or two connected sockets. Non-blocking.
#pragma once

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <system_error>

#include <eddy/loop/unique_fd.h>

namespace eddy {

struct Pipe {
  UniqueFd reader;
  UniqueFd writer;
  Pipe() {
    int both[2];
    if (::pipe2(both, O_NONBLOCK | O_CLOEXEC) < 0)
      throw std::system_error(errno, std::generic_category(), "pipe2");
    reader = UniqueFd(both[0]);
    writer = UniqueFd(both[1]);
  }
  void fill() const { static_cast<void>(!::write(writer.get(), "x", 1)); }
  void empty() const {
    char byte = 0;
    static_cast<void>(!::read(reader.get(), &byte, 1));
  }
};

struct SocketPair {
  UniqueFd ours;
  UniqueFd theirs;
  SocketPair() {
    int both[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, both) < 0)
      throw std::system_error(errno, std::generic_category(), "socketpair");
    ours = UniqueFd(both[0]);
    theirs = UniqueFd(both[1]);
  }
};

}  // namespace eddy
