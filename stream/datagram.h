// Datagram: one message of a datagram socket, whole, and who sent it.
//
// Mirrors the arguments of asyncio.DatagramProtocol.datagram_received. Tornado has none.
#pragma once

#include <string>

#include "socket_address.h"

namespace eddy {

struct Datagram {
  std::string bytes;
  SocketAddress from;      // unnamed: a Unix socket without a name, which cannot be answered
  bool truncated = false;  // it was longer than the socket's max_datagram_size: the rest is lost
};

}  // namespace eddy
