// Accept: connections come, say one line, have it back and end; a few at a time.
//
//   connect, send --the line is back--> our side ended --the server's EOF--> closed, and the next
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "load.h"
#include "socket.h"

namespace load {
namespace {

struct Connection {
  Socket socket;
  std::string line;
  std::size_t returned = 0;
};

class Accept : public Load {
 public:
  explicit Accept(const Options& options) : options_(options), connections_(options.connections) {
    limit_ = connections_.size();  // the server has seen a connection before it is measured
    drive({0, options.patience});
    limit_ = options.units;
  }

  std::size_t run() override {
    finished_ = started_ = 0;
    drive({options_.seconds, options_.patience});
    return finished_;
  }

 private:
  void drive(const Deadline& deadline) {
    for (Connection& connection : connections_) begin(connection);
    while (outstanding_ > 0) {
      const int ready =
          ::epoll_wait(epoll_.fd(), events_.data(), static_cast<int>(events_.size()), 1000);
      for (int i = 0; i < ready; ++i)
        receive(*static_cast<Connection*>(events_[static_cast<std::size_t>(i)].data.ptr));
      const auto now = Clock::now();
      if (now >= deadline.until) limit_ = 0;
      if (now >= deadline.give_up) throw TooSlow();
    }
  }

  void begin(Connection& connection) {
    if (started_ >= limit_) return;
    ++outstanding_;
    connection.socket = connect_to(options_.port, OnClose::wait);
    connection.line = "a" + std::to_string(++started_) + " ";
    connection.line.resize(options_.size - 1, '-');
    connection.line += '\n';
    connection.returned = 0;
    watch(connection);
    send_all(connection.socket, connection.line);
  }

  void watch(Connection& connection) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = &connection;
    if (::epoll_ctl(epoll_.fd(), EPOLL_CTL_ADD, connection.socket.fd(), &event) != 0)
      fail("epoll_ctl");
  }

  void receive(Connection& connection) {
    const ssize_t count = ::recv(connection.socket.fd(), buffer_.data(), buffer_.size(), 0);
    if (count < 0) fail("recv");
    const std::string_view received(buffer_.data(), static_cast<std::size_t>(count));
    const std::string_view awaited = std::string_view(connection.line).substr(connection.returned);
    if (!awaited.starts_with(received) || received.empty() != awaited.empty())
      throw std::runtime_error("what came back is not what should");
    if (received.empty()) return end(connection);
    connection.returned += received.size();
    if (received.size() == awaited.size()) ::shutdown(connection.socket.fd(), SHUT_WR);
  }

  void end(Connection& connection) {
    connection.socket = Socket();
    ++finished_;
    --outstanding_;
    begin(connection);
  }

  const Options options_;
  const Socket epoll_{::epoll_create1(EPOLL_CLOEXEC)};
  std::vector<Connection> connections_;
  std::array<epoll_event, 64> events_;
  std::array<char, 65536> buffer_;
  std::size_t finished_ = 0;
  std::size_t started_ = 0;
  std::size_t limit_ = 0;
  std::size_t outstanding_ = 0;
};

}  // namespace

std::unique_ptr<Load> make_accept(const Options& options) {
  return std::make_unique<Accept>(options);
}

}  // namespace load
