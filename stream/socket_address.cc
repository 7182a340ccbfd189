#include "socket_address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <stdexcept>
#include <system_error>

#include "../loop/text.h"

namespace eddy {
namespace {

constexpr std::size_t kNameOffset = offsetof(sockaddr_un, sun_path);
constexpr std::size_t kLongestPath = sizeof(sockaddr_un::sun_path) - 1;  // then a NUL

// `eth0` or `2`; 0 when there is no such interface.
std::uint32_t scope_id(const std::string& name) {
  std::uint32_t number = 0;
  const char* end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data(), end, number);
  if (error == std::errc() && stop == end) return number;
  return ::if_nametoindex(name.c_str());
}

bool parse_v4(const std::string& ip, sockaddr_in& address) {
  address.sin_family = AF_INET;
  return ::inet_pton(AF_INET, ip.c_str(), &address.sin_addr) == 1;
}

bool parse_v6(const std::string& ip, sockaddr_in6& address) {
  const std::size_t percent = ip.find('%');
  address.sin6_family = AF_INET6;
  if (percent != ip.npos) {
    address.sin6_scope_id = scope_id(ip.substr(percent + 1));
    if (address.sin6_scope_id == 0) return false;
  }
  return ::inet_pton(AF_INET6, ip.substr(0, percent).c_str(), &address.sin6_addr) == 1;
}

// How much the kernel can have to say of this family. Of a Unix address it may say less, and it
// may count one NUL more than it has room for.
socklen_t full_size(int family) {
  if (family == AF_INET) return sizeof(sockaddr_in);
  if (family == AF_INET6) return sizeof(sockaddr_in6);
  return family == AF_UNIX ? sizeof(sockaddr_un) : 0;
}

using GetName = int (*)(int, sockaddr*, socklen_t*);

SocketAddress ask(int fd, GetName get_name, const char* what) {
  sockaddr_storage storage{};
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  socklen_t size = sizeof storage;
  if (get_name(fd, address, &size) != 0)
    throw std::system_error(errno, std::generic_category(), what);
  return SocketAddress::from(address, size);
}

}  // namespace

std::optional<SocketAddress> SocketAddress::parse(std::string_view ip, std::uint16_t port) {
  if (ip.find('\0') != ip.npos) return std::nullopt;
  const std::string text(ip);
  SocketAddress parsed;
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  if (parse_v4(text, v4)) {
    v4.sin_port = htons(port);
    parsed.address_.v4 = v4;
    parsed.size_ = sizeof v4;
  } else if (parse_v6(text, v6)) {
    v6.sin6_port = htons(port);
    parsed.address_.v6 = v6;
    parsed.size_ = sizeof v6;
  } else {
    return std::nullopt;
  }
  return parsed;
}

SocketAddress SocketAddress::unix_path(std::string_view path) {
  if (path.empty()) throw std::invalid_argument("the path of a Unix socket is empty");
  if (path.find('\0') != path.npos)
    throw std::invalid_argument("the path of a Unix socket holds a NUL: " + printable(path));
  if (path.size() > kLongestPath)
    throw std::invalid_argument("the path of a Unix socket is longer than " +
                                std::to_string(kLongestPath) + " bytes: " + printable(path));
  SocketAddress address;
  std::copy(path.begin(), path.end(), address.address_.local.sun_path);
  const bool abstract = path.front() == '@';
  if (abstract) address.address_.local.sun_path[0] = '\0';
  address.size_ = static_cast<socklen_t>(kNameOffset + path.size() + (abstract ? 0 : 1));
  return address;
}

SocketAddress SocketAddress::from(const sockaddr* address, socklen_t size) {
  SocketAddress copy;
  if (size < sizeof(sa_family_t)) return copy;  // a datagram from a Unix socket without a name
  const int family = address->sa_family;
  const socklen_t full = full_size(family);
  if (full == 0 || (size < full && family != AF_UNIX))
    throw std::system_error(EAFNOSUPPORT, std::generic_category(), "socket address");
  copy.size_ = std::min(size, full);
  std::memcpy(static_cast<void*>(&copy.address_), address, copy.size_);
  return copy;
}

SocketAddress SocketAddress::local_of(int fd) { return ask(fd, ::getsockname, "getsockname"); }

SocketAddress SocketAddress::peer_of(int fd) { return ask(fd, ::getpeername, "getpeername"); }

std::uint16_t SocketAddress::port() const {
  if (family() == AF_INET) return ntohs(address_.v4.sin_port);
  return family() == AF_INET6 ? ntohs(address_.v6.sin6_port) : std::uint16_t{0};
}

std::string_view SocketAddress::unix_name() const {
  const char* name = address_.local.sun_path;
  const std::size_t length = size_ - std::min<std::size_t>(size_, kNameOffset);
  const bool abstract = length > 0 && name[0] == '\0';
  return {name, abstract ? length : ::strnlen(name, length)};
}

std::string SocketAddress::to_string() const {
  if (family() == AF_UNIX) {
    const std::string_view name = unix_name();
    const bool abstract = !name.empty() && name[0] == '\0';
    return "unix:" + (abstract ? "@" + printable(name.substr(1)) : printable(name));
  }
  char ip[NI_MAXHOST] = "?";
  ::getnameinfo(get(), size_, ip, sizeof ip, nullptr, 0, NI_NUMERICHOST);
  const std::string port = ":" + std::to_string(this->port());
  return family() == AF_INET ? ip + port : '[' + std::string(ip) + ']' + port;
}

bool operator==(const SocketAddress& a, const SocketAddress& b) {
  if (a.family() == AF_UNIX) return b.family() == AF_UNIX && a.unix_name() == b.unix_name();
  return a.size_ == b.size_ && std::memcmp(&a.address_, &b.address_, a.size_) == 0;
}

bool is_valid_ip(std::string_view ip) { return SocketAddress::parse(ip, 0).has_value(); }

}  // namespace eddy
