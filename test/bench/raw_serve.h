// raw_serve: a server with nothing between it and the kernel.
//
// The floor that the benchmark compares everything with: level-triggered epoll, one recv and one
// send for whatever arrived together, no epoll_ctl unless a peer stops reading. It does what a
// careful hand would do for this one job, and nothing that only a library needs. What the bytes
// mean is said in a class derived from it.
#pragma once

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <system_error>

#include "serve.h"

namespace bench {

constexpr std::size_t kLongestLine = 65536;

// Where the last whole line ends. A server has to see each of its lines, so this looks for each.
inline std::size_t end_of_lines(std::string_view received) {
  std::size_t end = 0;
  while (const void* newline = std::memchr(received.data() + end, '\n', received.size() - end))
    end = static_cast<std::size_t>(static_cast<const char*>(newline) - received.data()) + 1;
  return end;
}

class RawServer {
 public:
  explicit RawServer(std::uint16_t port);
  virtual ~RawServer() = default;
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;

  [[noreturn]] void run() {
    announce(port());
    for (;;) turn();
  }

 protected:
  struct Connection {
    int fd;
    std::string unfinished = {};  // the beginning of a line whose end has not arrived
    std::string unsent = {};      // while there is any, we wait for EPOLLOUT and read nothing
    std::size_t count = 0;        // the bytes of a sink, the calls of a peer
  };

  // False when the connection is over. The bytes stay for the length of the call.
  virtual bool receive(Connection& connection, std::string_view bytes) = 0;
  virtual void end(Connection&) {}  // the peer has ended its side

  // Hands whole lines, together, to answer(lines), and keeps the beginning of the next one. Bytes
  // that have been looked at are not looked at again.
  template <class Answer>
  static bool split(Connection& connection, std::string_view bytes, Answer answer);
  bool send(Connection& connection, std::string_view bytes);

 private:
  std::uint16_t port() const;
  void turn();
  void watch(int operation, int fd, std::uint32_t events, Connection* connection);
  void accept_all();
  void handle(Connection& connection, std::uint32_t events);
  bool read(Connection& connection);  // both: false when the connection is over
  bool flush(Connection& connection);
  static void close(Connection& connection);

  int epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  int listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  std::array<epoll_event, 256> events_;
  std::array<char, 65536> buffer_;  // one for all: nothing stays in it between two connections
};

inline bool would_block() { return errno == EAGAIN || errno == EINTR; }

inline RawServer::RawServer(std::uint16_t port) {
  const int on = 1;
  ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener_, kBacklog) != 0)
    throw std::system_error(errno, std::generic_category(), "listen on 127.0.0.1");
  watch(EPOLL_CTL_ADD, listener_, EPOLLIN, nullptr);
}

inline std::uint16_t RawServer::port() const {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

inline void RawServer::turn() {
  const int ready = ::epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()), -1);
  for (int i = 0; i < ready; ++i) {
    const epoll_event& event = events_[static_cast<std::size_t>(i)];
    if (auto* connection = static_cast<Connection*>(event.data.ptr))
      handle(*connection, event.events);
    else
      accept_all();
  }
}

inline void RawServer::watch(int operation, int fd, std::uint32_t events, Connection* connection) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = connection;
  ::epoll_ctl(epoll_, operation, fd, &event);
}

inline void RawServer::accept_all() {
  for (;;) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    watch(EPOLL_CTL_ADD, fd, EPOLLIN, new Connection{.fd = fd});
  }
}

inline void RawServer::handle(Connection& connection, std::uint32_t events) {
  const bool alive = (events & EPOLLOUT) ? flush(connection) : read(connection);
  if (!alive) close(connection);
}

inline bool RawServer::read(Connection& connection) {
  const ssize_t count = ::recv(connection.fd, buffer_.data(), buffer_.size(), 0);
  if (count < 0) return would_block();
  if (count > 0) return receive(connection, {buffer_.data(), static_cast<std::size_t>(count)});
  end(connection);
  return false;
}

template <class Answer>
bool RawServer::split(Connection& connection, std::string_view bytes, Answer answer) {
  const std::size_t end = end_of_lines(bytes);
  if (end == 0) {
    connection.unfinished.append(bytes);
    return connection.unfinished.size() <= kLongestLine;
  }
  const std::string_view rest = bytes.substr(end);
  if (connection.unfinished.empty()) {
    connection.unfinished.assign(rest);
    return answer(bytes.substr(0, end));
  }
  const std::string whole = std::move(connection.unfinished.append(bytes.substr(0, end)));
  connection.unfinished = rest;
  return answer(std::string_view(whole));
}

inline bool RawServer::send(Connection& connection, std::string_view bytes) {
  const ssize_t count = ::send(connection.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (count < 0 && !would_block()) return false;
  const std::size_t sent = count < 0 ? 0 : static_cast<std::size_t>(count);
  if (sent == bytes.size()) return true;
  connection.unsent.assign(bytes.substr(sent));
  watch(EPOLL_CTL_MOD, connection.fd, EPOLLOUT, &connection);
  return true;
}

inline bool RawServer::flush(Connection& connection) {
  const std::string unsent = std::move(connection.unsent);
  connection.unsent.clear();
  if (!send(connection, unsent)) return false;
  if (connection.unsent.empty()) watch(EPOLL_CTL_MOD, connection.fd, EPOLLIN, &connection);
  return true;
}

inline void RawServer::close(Connection& connection) {
  ::close(connection.fd);
  delete &connection;  // epoll reports a descriptor once per wait: nobody else holds it now
}

}  // namespace bench
