// Rounds: each connection sends a batch, waits for the whole answer, and sends the next.
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "load.h"
#include "socket.h"

namespace load {
namespace {

constexpr double kWarmUpPatience = 30;  // ten thousand come at once

struct Connection {
  Socket socket;
  std::string batch;         // what one round sends
  std::string answer;        // what comes back, where that is not the batch itself
  std::size_t calls = 0;     // so far, and so the number of the last one
  std::size_t sent = 0;      // of batch
  std::size_t returned = 0;  // of what is expected
};

// Lines that name their connection and their place, so that no other bytes can pass for them.
std::string make_lines(std::size_t connection, const Options& options) {
  std::string batch;
  for (std::size_t i = 0; i < options.depth; ++i) {
    std::string line = "a" + std::to_string(connection) + "." + std::to_string(i) + " ";
    line.resize(options.size - 1, '-');
    batch += line + '\n';
  }
  return batch;
}

std::string make_calls(const Options& options) {
  std::string batch;
  for (std::size_t i = 0; i < options.depth; ++i) batch += "math\nadd 1 2\n";
  return batch;
}

class Rounds : public Load {
 public:
  explicit Rounds(const Options& options);
  std::size_t run() override;

 private:
  using Speakers = std::vector<Connection*>;
  void connect_all();
  void warm_up();
  Speakers choose_speakers(std::size_t count);
  void drive(const Speakers& speakers, std::size_t units, const Deadline& deadline);
  void start_round(Connection& connection);
  void make_new(Connection& connection);
  std::string_view expected(const Connection& connection) const;
  void send(Connection& connection);
  void receive(Connection& connection);
  void watch(int operation, Connection& connection, std::uint32_t events);
  void handle(Connection& connection);

  const Options options_;
  const bool calls_ = options_.mode == "rpc";
  const Socket epoll_{::epoll_create1(EPOLL_CLOEXEC)};
  std::vector<Connection> connections_;
  std::array<epoll_event, 256> events_;
  std::array<char, 65536> buffer_;
  std::size_t units_ = 0;        // lines or calls that were answered
  std::size_t started_ = 0;      // that were sent, or are being sent
  std::size_t limit_ = 0;        // no round starts beyond this
  std::size_t outstanding_ = 0;  // connections in the middle of a round
};

Rounds::Rounds(const Options& options) : options_(options) {
  connect_all();
  warm_up();
}

void Rounds::connect_all() {
  connections_.reserve(options_.connections);  // epoll keeps pointers into it
  for (std::size_t i = 0; i < options_.connections; ++i) {
    connections_.push_back({connect_to(options_.port, OnClose::reset),
                            calls_ ? make_calls(options_) : make_lines(i, options_),
                            {}});
    watch(EPOLL_CTL_ADD, connections_.back(), EPOLLIN);
  }
}

// One round on every connection: buffers are there, and the server has us all.
void Rounds::warm_up() {
  const Speakers speakers = options_.mode == "silent" ? Speakers{&connections_.back()}
                                                      : choose_speakers(connections_.size());
  drive(speakers, speakers.size() * options_.depth, {0, kWarmUpPatience});
}

// Spread evenly, so that no table of the server's has them side by side.
Rounds::Speakers Rounds::choose_speakers(std::size_t count) {
  Speakers speakers;
  for (std::size_t i = 0; i < count; ++i)
    speakers.push_back(&connections_[i * connections_.size() / count]);
  return speakers;
}

std::size_t Rounds::run() {
  if (options_.mode == "idle" || options_.mode == "silent") return 0;
  const auto speakers = choose_speakers(std::min(options_.busy, connections_.size()));
  drive(speakers, options_.units, {options_.seconds, options_.patience});
  return units_;
}

// Starts a round on each, and new ones until a limit is met; then waits for those under way.
void Rounds::drive(const Speakers& speakers, std::size_t units, const Deadline& deadline) {
  units_ = started_ = 0;
  limit_ = units;
  for (Connection* connection : speakers) start_round(*connection);
  while (outstanding_ > 0) {
    const int ready =
        ::epoll_wait(epoll_.fd(), events_.data(), static_cast<int>(events_.size()), 1000);
    for (int i = 0; i < ready; ++i)
      handle(*static_cast<Connection*>(events_[static_cast<std::size_t>(i)].data.ptr));
    const auto now = Clock::now();
    if (now >= deadline.until) limit_ = 0;
    if (now >= deadline.give_up) throw TooSlow();
  }
}

void Rounds::start_round(Connection& connection) {
  if (started_ >= limit_) return;
  started_ += options_.depth;
  ++outstanding_;
  connection.sent = connection.returned = 0;
  make_new(connection);
  send(connection);
}

// An answer of the round before is not an answer.
void Rounds::make_new(Connection& connection) {
  if (calls_) {
    connection.answer.clear();
    for (std::size_t i = 0; i < options_.depth; ++i)
      connection.answer += "[" + std::to_string(++connection.calls) + "] ok 3\r\n";
    return;
  }
  char& first = connection.batch.front();
  const char letter = first == 'z' ? 'a' : static_cast<char>(first + 1);
  for (std::size_t i = 0; i < connection.batch.size(); i += options_.size)
    connection.batch[i] = letter;
}

std::string_view Rounds::expected(const Connection& connection) const {
  return calls_ ? connection.answer : connection.batch;
}

void Rounds::send(Connection& connection) {
  const std::string_view rest = std::string_view(connection.batch).substr(connection.sent);
  const ssize_t count =
      ::send(connection.socket.fd(), rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (count < 0 && errno != EAGAIN) fail("send");
  if (count > 0) connection.sent += static_cast<std::size_t>(count);
  if (connection.sent < connection.batch.size())
    watch(EPOLL_CTL_MOD, connection, EPOLLIN | EPOLLOUT);
}

void Rounds::handle(Connection& connection) {
  if (connection.sent < connection.batch.size()) {
    watch(EPOLL_CTL_MOD, connection, EPOLLIN);
    send(connection);
  }
  receive(connection);
}

void Rounds::receive(Connection& connection) {
  const ssize_t count =
      ::recv(connection.socket.fd(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
  if (count < 0 && errno == EAGAIN) return;
  if (count < 0) fail("recv");
  const std::string_view received(buffer_.data(), static_cast<std::size_t>(count));
  const std::string_view awaited = expected(connection).substr(connection.returned);
  if (received.empty() || !awaited.starts_with(received))
    throw std::runtime_error("what came back is not what should");
  connection.returned += received.size();
  if (received.size() < awaited.size()) return;
  units_ += options_.depth;
  --outstanding_;
  start_round(connection);
}

void Rounds::watch(int operation, Connection& connection, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &connection;
  if (::epoll_ctl(epoll_.fd(), operation, connection.socket.fd(), &event) != 0) fail("epoll_ctl");
}

}  // namespace

std::unique_ptr<Load> make_rounds(const Options& options) {
  return std::make_unique<Rounds>(options);
}

}  // namespace load
