#include "client.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace eddy {
namespace {

constexpr int kDeadline = 20'000;  // milliseconds

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

bool ready(int fd, short events, int milliseconds) {
  pollfd one{fd, events, 0};
  return ::poll(&one, 1, milliseconds) == 1;
}

// A pause of the whole machine costs one look, and not all of them.
bool stays_blocked(int fd) {
  for (int look = 0; look < 10; ++look)
    if (ready(fd, POLLOUT, 50)) return false;
  return true;
}

void wait_until_ready(int fd, short events, const char* what) {
  if (!ready(fd, events, kDeadline)) throw std::runtime_error(std::string(what) + ": timed out");
}

}  // namespace

Client::Client(std::uint16_t port, const Options& options) {
  const SocketAddress server = options.unix_path.empty()
                                   ? SocketAddress::parse(options.address, port).value()
                                   : SocketAddress::unix_path(options.unix_path);
  socket_ = UniqueFd(::socket(server.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket_) fail("socket");
  if (options.receive_buffer > 0)
    ::setsockopt(fd(), SOL_SOCKET, SO_RCVBUF, &options.receive_buffer, sizeof(int));
  const int on = 1;
  ::setsockopt(fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (!options.unix_name.empty()) bind(SocketAddress::unix_path(options.unix_name));
  if (::connect(fd(), server.get(), server.size()) < 0) fail("connect");
}

void Client::bind(const SocketAddress& address) const {
  if (::bind(fd(), address.get(), address.size()) < 0) fail("bind");
}

unsigned Client::retransmissions() const {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(fd(), IPPROTO_TCP, TCP_INFO, &info, &size) < 0) fail("TCP_INFO");
  return info.tcpi_total_retrans;
}

std::string Client::name() const { return SocketAddress::local_of(fd()).to_string(); }

void Client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    wait_until_ready(fd(), POLLOUT, "send");
    const ssize_t count = ::send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && errno != EAGAIN) fail("send");
    if (count > 0) bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

std::size_t Client::send_until_blocked(std::string_view bytes, std::size_t most) {
  std::size_t sent = 0;
  while (sent < most && !stays_blocked(fd())) {
    const std::string_view rest = bytes.substr(sent % bytes.size());
    const ssize_t count = ::send(fd(), rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && errno != EAGAIN) break;
    if (count > 0) sent += static_cast<std::size_t>(count);
  }
  return sent;
}

void Client::send_urgent(char byte) { ::send(fd(), &byte, 1, MSG_OOB | MSG_NOSIGNAL); }

void Client::half_close() { ::shutdown(fd(), SHUT_WR); }

void Client::reset() {
  const linger at_once{1, 0};
  ::setsockopt(fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  socket_.reset();
}

std::string Client::read_some() {
  if (!buffered_.empty()) return std::exchange(buffered_, std::string());
  char bytes[65536];
  wait_until_ready(fd(), POLLIN, "read");
  const ssize_t count = ::recv(fd(), bytes, sizeof bytes, 0);
  if (count < 0) fail("read");
  return {bytes, static_cast<std::size_t>(count)};
}

std::string Client::read_until(std::string_view delimiter) {
  std::string all = read_some();
  std::size_t searched = 0;
  for (;;) {
    const std::size_t found = all.find(delimiter, searched);
    if (found != std::string::npos) {
      buffered_ = all.substr(found + delimiter.size());
      all.resize(found + delimiter.size());
      return all;
    }
    searched = all.size() - std::min(all.size(), delimiter.size());
    const std::string more = read_some();
    if (more.empty()) throw std::runtime_error("the server ended after: " + all);
    all += more;
  }
}

std::string Client::read_line() {
  std::string line = read_until("\r\n");
  line.resize(line.size() - 2);
  return line;
}

std::string Client::read_to_end() {
  std::string all;
  for (std::string more = read_some(); !more.empty(); more = read_some()) all += more;
  return all;
}

}  // namespace eddy
