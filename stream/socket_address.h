// SocketAddress: where a socket is, or who is at the other end of it.
//
// Mirrors the address tuples of Python's socket module and what tornado.netutil does with them.
// IPv4, IPv6 and Unix addresses in one value, laid out as the kernel wants it.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace eddy {

class SocketAddress {
 public:
  SocketAddress() = default;  // the Unix address without a name, as most Unix clients have it

  // A numeric IPv4 or IPv6 address, also `fe80::1%eth0`. Nothing for anything else: no name is
  // ever looked up.
  static std::optional<SocketAddress> parse(std::string_view ip, std::uint16_t port);
  // A path, or `@name` in Linux's abstract namespace. Throws std::invalid_argument when empty,
  // too long, or with a NUL inside.
  static SocketAddress unix_path(std::string_view path);

  // As the kernel tells it. Throws std::system_error (EAFNOSUPPORT) for any other family.
  static SocketAddress from(const sockaddr* address, socklen_t size);
  static SocketAddress local_of(int fd);  // these two throw std::system_error
  static SocketAddress peer_of(int fd);

  int family() const { return address_.any.sa_family; }
  bool unnamed() const { return size_ == sizeof(sa_family_t); }
  std::uint16_t port() const;  // 0 for a Unix address
  const sockaddr* get() const { return &address_.any; }
  socklen_t size() const { return size_; }

  // `127.0.0.1:40312`, `[::1]:40312`, `unix:/run/x.sock`, `unix:@name`, or `unix:` without a name.
  std::string to_string() const;

  friend bool operator==(const SocketAddress& a, const SocketAddress& b);

 private:
  std::string_view unix_name() const;

  union {
    sockaddr_un local = {AF_UNIX, {}};
    sockaddr_in v4;
    sockaddr_in6 v6;
    sockaddr any;
  } address_;
  socklen_t size_ = sizeof(sa_family_t);
};

// Mirrors tornado.netutil.is_valid_ip: is this a numeric IPv4 or IPv6 address?
bool is_valid_ip(std::string_view ip);

}  // namespace eddy
