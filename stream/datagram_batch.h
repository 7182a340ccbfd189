// DatagramBatch: several datagrams from the kernel in one system call.
//
// What recvmmsg wants laid out in memory. All sockets of a thread share one, since whatever comes
// in is copied out at once.
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "../loop/platform.h"
#include "datagram.h"

namespace eddy {

class DatagramBatch {
 public:
  static constexpr std::size_t kDatagrams = 64;
  static constexpr std::size_t kBytes = 1 << 20;  // fewer datagrams, when so many could be longer

  static DatagramBatch& of_this_thread();

  // How many came, each cut off after `longest` bytes, or -1 and errno.
  int receive(Platform& platform, int fd, std::size_t longest);
  bool full(int count) const { return static_cast<std::size_t>(count) == asked_for_; }

  Datagram datagram(int index) const;
  // What the kernel had dropped before this one since the socket was made; nothing: not a single
  // one, or it does not count (SO_RXQ_OVFL).
  std::optional<std::uint32_t> drops_before(int index) const;

 private:
  struct Message {
    iovec place;
    sockaddr_storage from;
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(std::uint32_t))];
  };
  void lay_out(std::size_t longest);

  std::unique_ptr<char[]> memory_;
  std::size_t size_ = 0;  // of it
  std::size_t asked_for_ = 0;
  mmsghdr headers_[kDatagrams];
  Message messages_[kDatagrams];
};

}  // namespace eddy
