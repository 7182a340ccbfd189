// ServerQueue: how many bytes wait in the kernel that the server has not read.
//
// The kernel tells it of any socket of this machine, by netlink's sock_diag. So a byte can be sent
// just when the server has read the one before, and each is read alone, however slow the server.
#pragma once

#include <cstdint>

#include "socket.h"

namespace load {

class ServerQueue {
 public:
  explicit ServerQueue(const Socket& connection);  // the load's end of the connection
  std::uint32_t unread_bytes() const;

 private:
  const Socket netlink_;
  std::uint16_t server_port_;  // both in network byte order, as netlink wants them
  std::uint16_t own_port_;
};

}  // namespace load
