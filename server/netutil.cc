#include "netutil.h"

#include <fcntl.h>
#include <netdb.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <system_error>

#include "../loop/platform.h"
#include "../stream/io_stream.h"
#include "look_up.h"

namespace eddy {
namespace {

std::system_error cannot_listen(int error_number, const SocketAddress& address) {
  return {error_number, std::generic_category(), "listen on " + address.to_string()};
}

SocketAddress with_port(const SocketAddress& address, std::uint16_t port) {
  sockaddr_storage storage{};
  std::memcpy(&storage, address.get(), address.size());
  auto* any = reinterpret_cast<sockaddr*>(&storage);
  if (address.family() == AF_INET)
    reinterpret_cast<sockaddr_in*>(any)->sin_port = htons(port);
  else
    reinterpret_cast<sockaddr_in6*>(any)->sin6_port = htons(port);
  return SocketAddress::from(any, address.size());
}

bool switch_on(int fd, int level, int name) {
  const int on = 1;
  return Platform::current().setsockopt(fd, level, name, &on, sizeof on) == 0;
}

// Reusing an address means no waiting for the last run's connections. There are none of datagrams:
// two sockets would have the same port, and one of them all that arrives.
bool set_options(int fd, int family, int type, const BindOptions& options) {
  return (type == SOCK_DGRAM || switch_on(fd, SOL_SOCKET, SO_REUSEADDR)) &&
         (!options.reuse_port || switch_on(fd, SOL_SOCKET, SO_REUSEPORT)) &&
         (type == SOCK_DGRAM || !options.urgent_inline ||
          switch_on(fd, SOL_SOCKET, SO_OOBINLINE)) &&
         (family != AF_INET6 || switch_on(fd, IPPROTO_IPV6, IPV6_V6ONLY));
}

// A datagram socket listens from its bind on.
void bind_and_listen(int fd, int type, const SocketAddress& address, int backlog) {
  Platform& platform = Platform::current();
  if (platform.bind(fd, address.get(), address.size()) < 0 ||
      (type == SOCK_STREAM && platform.listen(fd, backlog) < 0))
    throw cannot_listen(errno, address);
}

UniqueFd bind_socket(int type, const SocketAddress& address, const BindOptions& options) {
  UniqueFd socket =
      above_standard_streams(UniqueFd(Platform::current().socket(address.family(), type, 0)));
  if (!socket || !set_options(socket.get(), address.family(), type, options))
    throw cannot_listen(errno, address);
  bind_and_listen(socket.get(), type, address, options.backlog);
  return socket;
}

// Of the several addresses of a name this machine may not have all: then none.
UniqueFd bind_if_ours(int type, const SocketAddress& address, const BindOptions& options) {
  try {
    return bind_socket(type, address, options);
  } catch (const std::system_error& error) {
    const int number = error.code().value();
    if (number != EAFNOSUPPORT && number != EADDRNOTAVAIL) throw;
    return {};
  }
}

// Only a socket that nobody listens on is in the way of nobody. A live one of the other type,
// stream or datagram, answers EPROTOTYPE.
void remove_leftover(const std::string& path, const SocketAddress& address) {
  struct stat file {};
  if (::lstat(path.c_str(), &file) < 0 || !S_ISSOCK(file.st_mode)) return;
  const UniqueFd probe = open_socket(AF_UNIX);
  const int connected = Platform::current().connect(probe.get(), address.get(), address.size());
  if (connected < 0 && errno == ECONNREFUSED) ::unlink(path.c_str());
}

// The first socket picks the port when none is given; the others take the same.
std::vector<UniqueFd> bind_each(int type, std::uint16_t port, const Addresses& addresses,
                                const BindOptions& options) {
  std::vector<UniqueFd> sockets;
  for (const SocketAddress& wanted : addresses) {
    const SocketAddress one = with_port(wanted, port);
    UniqueFd socket =
        addresses.size() == 1 ? bind_socket(type, one, options) : bind_if_ours(type, one, options);
    if (!socket) continue;
    port = SocketAddress::local_of(socket.get()).port();
    sockets.push_back(std::move(socket));
  }
  return sockets;
}

// A port that is free at one address may be taken at the next: then another one is picked.
std::vector<UniqueFd> bind_free_port(int type, const Addresses& addresses,
                                     const BindOptions& options) {
  constexpr int kTries = 10;
  for (int tries = 1;; ++tries) {
    try {
      return bind_each(type, 0, addresses, options);
    } catch (const std::system_error& error) {
      if (error.code().value() != EADDRINUSE || tries == kTries) throw;
    }
  }
}

std::vector<UniqueFd> bind_all(int type, std::uint16_t port, const std::string& address,
                               const BindOptions& options) {
  const Addresses addresses = look_up(address, port, options.family, AI_PASSIVE);
  std::vector<UniqueFd> sockets = port == 0 ? bind_free_port(type, addresses, options)
                                            : bind_each(type, port, addresses, options);
  if (sockets.empty())
    throw std::runtime_error("cannot listen on '" + address + "': no address is on this machine");
  return sockets;
}

// Between bind() and listen() a live socket looks like a dead one: while this is held, nobody else
// who asks for it is there. Without it, things go on as they would without the others.
UniqueFd lock_folder_of(const std::string& path) {
  constexpr int kTries = 200;
  constexpr int kPause = 10;  // milliseconds
  const std::string folder = std::filesystem::path(path).parent_path();
  UniqueFd lock = above_standard_streams(
      UniqueFd(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)));
  for (int tries = 0; lock && ::flock(lock.get(), LOCK_EX | LOCK_NB) < 0 && tries < kTries; ++tries)
    Platform::current().poll(nullptr, 0, kPause);
  return lock;
}

UniqueFd bind_unix(int type, const std::string& path, mode_t mode, int backlog) {
  const SocketAddress address = SocketAddress::unix_path(path);
  const bool in_filesystem = path.front() != '@';
  const UniqueFd lock = in_filesystem ? lock_folder_of(path) : UniqueFd();
  if (in_filesystem) remove_leftover(path, address);
  UniqueFd socket = open_socket(AF_UNIX, type);
  // The file takes the socket's mode, less the umask; what the umask took comes back afterwards.
  if (in_filesystem && ::fchmod(socket.get(), mode) < 0) throw cannot_listen(errno, address);
  bind_and_listen(socket.get(), type, address, backlog);
  if (in_filesystem && ::chmod(path.c_str(), mode) < 0) throw cannot_listen(errno, address);
  return socket;
}

}  // namespace

std::vector<UniqueFd> bind_sockets(std::uint16_t port, const std::string& address,
                                   const BindOptions& options) {
  return bind_all(SOCK_STREAM, port, address, options);
}

std::vector<UniqueFd> bind_datagram_sockets(std::uint16_t port, const std::string& address,
                                            const BindOptions& options) {
  return bind_all(SOCK_DGRAM, port, address, options);
}

UniqueFd bind_unix_socket(const std::string& path, mode_t mode, int backlog) {
  return bind_unix(SOCK_STREAM, path, mode, backlog);
}

UniqueFd bind_unix_datagram_socket(const std::string& path, mode_t mode) {
  return bind_unix(SOCK_DGRAM, path, mode, 0);
}

void make_non_blocking(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
      ::fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
    throw std::system_error(errno, std::generic_category(), "add_socket");
}

PeerCredentials peer_credentials(int fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (Platform::current().getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
    throw std::system_error(errno, std::generic_category(), "SO_PEERCRED");
  if (peer.uid == static_cast<uid_t>(-1))  // what it says of any other kind of socket
    throw std::system_error(EOPNOTSUPP, std::generic_category(), "SO_PEERCRED");
  return {peer.pid, peer.uid, peer.gid};
}

}  // namespace eddy
