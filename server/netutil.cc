#include "netutil.h"

#include <netdb.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
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

bool set_options(int fd, int family, const BindOptions& options) {
  return switch_on(fd, SOL_SOCKET, SO_REUSEADDR) &&  // no waiting for the last run's connections
         (!options.reuse_port || switch_on(fd, SOL_SOCKET, SO_REUSEPORT)) &&
         (!options.urgent_inline || switch_on(fd, SOL_SOCKET, SO_OOBINLINE)) &&
         (family != AF_INET6 || switch_on(fd, IPPROTO_IPV6, IPV6_V6ONLY));
}

void bind_and_listen(int fd, const SocketAddress& address, int backlog) {
  Platform& platform = Platform::current();
  if (platform.bind(fd, address.get(), address.size()) < 0 || platform.listen(fd, backlog) < 0)
    throw cannot_listen(errno, address);
}

UniqueFd bind_socket(const SocketAddress& address, const BindOptions& options) {
  UniqueFd socket = above_standard_streams(
      UniqueFd(Platform::current().socket(address.family(), SOCK_STREAM, 0)));
  if (!socket || !set_options(socket.get(), address.family(), options))
    throw cannot_listen(errno, address);
  bind_and_listen(socket.get(), address, options.backlog);
  return socket;
}

// Of the several addresses of a name this machine may not have all: then none.
UniqueFd bind_if_ours(const SocketAddress& address, const BindOptions& options) {
  try {
    return bind_socket(address, options);
  } catch (const std::system_error& error) {
    const int number = error.code().value();
    if (number != EAFNOSUPPORT && number != EADDRNOTAVAIL) throw;
    return {};
  }
}

// Only a socket that nobody listens on is in the way of nobody.
void remove_leftover(const std::string& path, const SocketAddress& address) {
  struct stat file {};
  if (::lstat(path.c_str(), &file) < 0 || !S_ISSOCK(file.st_mode)) return;
  const UniqueFd probe = open_socket(AF_UNIX);
  const int connected = Platform::current().connect(probe.get(), address.get(), address.size());
  if (connected < 0 && errno == ECONNREFUSED) ::unlink(path.c_str());
}

}  // namespace

std::vector<UniqueFd> bind_sockets(std::uint16_t port, const std::string& address,
                                   const BindOptions& options) {
  const Addresses addresses = look_up(address, port, options.family, AI_PASSIVE);
  std::vector<UniqueFd> sockets;
  for (const SocketAddress& wanted : addresses) {
    // The first socket picks the port when none is given; the others take the same.
    const SocketAddress one = with_port(wanted, port);
    UniqueFd socket =
        addresses.size() == 1 ? bind_socket(one, options) : bind_if_ours(one, options);
    if (!socket) continue;
    port = SocketAddress::local_of(socket.get()).port();
    sockets.push_back(std::move(socket));
  }
  if (sockets.empty())
    throw std::runtime_error("cannot listen on '" + address + "': no address is on this machine");
  return sockets;
}

UniqueFd bind_unix_socket(const std::string& path, mode_t mode, int backlog) {
  const SocketAddress address = SocketAddress::unix_path(path);
  const bool in_filesystem = path.front() != '@';
  if (in_filesystem) remove_leftover(path, address);
  UniqueFd socket = open_socket(AF_UNIX);
  // The file takes the socket's mode, less the umask; what the umask took comes back afterwards.
  if (in_filesystem && ::fchmod(socket.get(), mode) < 0) throw cannot_listen(errno, address);
  bind_and_listen(socket.get(), address, backlog);
  if (in_filesystem && ::chmod(path.c_str(), mode) < 0) throw cannot_listen(errno, address);
  return socket;
}

}  // namespace eddy
