// RawDatagram: a peer that sends and receives datagrams by plain system calls, and never waits.
#pragma once

#include <sys/socket.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <eddy/loop/unique_fd.h>
#include <eddy/stream/socket_address.h>

namespace eddy {

// A non-blocking socket at `address`, as a server has it.
inline UniqueFd datagram_socket_at(const SocketAddress& address) {
  UniqueFd socket(::socket(address.family(), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (::bind(socket.get(), address.get(), address.size()) < 0)
    throw std::system_error(errno, std::generic_category(), "bind " + address.to_string());
  return socket;
}

inline SocketAddress loopback() { return *SocketAddress::parse("127.0.0.1", 0); }
inline SocketAddress any_unix_name() { return {}; }  // the kernel finds one that is free

class RawDatagram {
 public:
  explicit RawDatagram(const SocketAddress& at = loopback()) : socket_(datagram_socket_at(at)) {}
  explicit RawDatagram(UniqueFd socket) : socket_(std::move(socket)) {}

  bool send(std::string_view text, const SocketAddress& to) const {  // false: the kernel refused
    return ::sendto(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL, to.get(), to.size()) >=
           0;
  }
  std::vector<std::string> receive() const {  // what is there
    std::vector<std::string> all;
    for (std::string one(1 << 16, '\0');;) {
      const ssize_t size = ::recv(socket_.get(), one.data(), one.size(), 0);
      if (size < 0) return all;
      all.push_back(one.substr(0, static_cast<std::size_t>(size)));
    }
  }
  const std::vector<std::string>& received() {  // so far
    for (std::string& one : receive()) received_.push_back(std::move(one));
    return received_;
  }
  SocketAddress address() const { return SocketAddress::local_of(socket_.get()); }

 private:
  UniqueFd socket_;
  std::vector<std::string> received_;
};

}  // namespace eddy
