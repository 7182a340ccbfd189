#include "socket.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cmath>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "load.h"

namespace load {
namespace {

sockaddr_in loopback(std::uint32_t host, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(host);
  return address;
}

void switch_on(int fd, int level, int option) {
  const int on = 1;
  if (::setsockopt(fd, level, option, &on, sizeof on) != 0) fail("setsockopt");
}

void reset_on_close(int fd) {
  const linger reset{1, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
}

// Ten thousand ports of each address in 127/8, then the next address.
void choose_source(int fd) {
  static std::uint32_t connections = 0;
  const std::uint32_t host = INADDR_LOOPBACK + 1 + connections++ / 10000 % 250;
  switch_on(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT);
  const sockaddr_in address = loopback(host, 0);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fail("bind");
}

[[noreturn]] void fail_or_too_slow(const char* what) {
  if (errno == EAGAIN) throw TooSlow();
  fail(what);
}

}  // namespace

void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

Socket::Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

Socket& Socket::operator=(Socket&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

Socket::~Socket() {
  if (fd_ >= 0) ::close(fd_);
}

Socket connect_to(std::uint16_t port, OnClose on_close) {
  Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket.fd() < 0) fail("socket");
  switch_on(socket.fd(), IPPROTO_TCP, TCP_NODELAY);
  if (on_close == OnClose::reset)
    reset_on_close(socket.fd());
  else
    choose_source(socket.fd());
  const sockaddr_in address = loopback(INADDR_LOOPBACK, port);
  if (::connect(socket.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    fail("connect");
  return socket;
}

void set_patience(const Socket& socket, double seconds) {
  const timeval patience{.tv_sec = static_cast<time_t>(std::ceil(seconds)), .tv_usec = 0};
  ::setsockopt(socket.fd(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  ::setsockopt(socket.fd(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
}

void send_all(const Socket& socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(socket.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0) fail_or_too_slow("send");
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

std::string receive_line(const Socket& socket) {
  std::string line;
  std::array<char, 4096> buffer;
  while (!line.ends_with('\n')) {
    const ssize_t count = ::recv(socket.fd(), buffer.data(), buffer.size(), 0);
    if (count < 0) fail_or_too_slow("recv");
    if (count == 0) throw std::runtime_error("the server closed before it answered");
    line.append(buffer.data(), static_cast<std::size_t>(count));
  }
  return line;
}

void expect_line(const Socket& socket, std::string_view line) {
  const std::string answer = receive_line(socket);
  if (answer == line) return;
  throw std::runtime_error("the server answered " + answer.substr(0, 40) + ", not " +
                           std::string(line.substr(0, 40)));
}

}  // namespace load
