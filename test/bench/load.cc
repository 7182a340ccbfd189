// load: the other end of every benchmark. One thread, raw epoll, and only ever 127.0.0.1.
//
//   load MODE --port P [--connections C] [--size S] [--depth D] [--seconds T] [--units N]
//
//   echo    each connection sends a line, waits for all of it to come back, sends the next
//   lines   the same with D lines in one send: a peer that pipelines
//   idle    each connection sends one line, has it back, and says nothing more
//   silent  no connection says anything, but for the last, which shows that all were accepted
//
// It says `connected` and waits for a line on stdin, so that connecting is not measured; `units N`
// is its last word, N being the lines that came back. Every byte is compared with what was sent: a
// fast wrong answer ends the benchmark.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  std::string mode;
  std::uint16_t port = 0;
  std::size_t connections = 1;
  std::size_t size = 64;
  std::size_t depth = 1;
  double seconds = 10;
  std::size_t units = SIZE_MAX;
};

struct Connection {
  int fd;
  std::string batch;         // what one round sends, and has to see again
  std::size_t sent = 0;      // of batch
  std::size_t returned = 0;  // of batch
};

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

Options parse_options(int argc, char** argv) {
  if (argc < 2) throw std::invalid_argument("usage: load echo|lines|idle|silent --port P ...");
  Options options;
  options.mode = argv[1];
  if (options.mode == "lines") options.size = 32, options.depth = 256;
  for (int i = 2; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const std::string value = argv[i + 1];
    if (name == "--port")
      options.port = static_cast<std::uint16_t>(std::stoul(value));
    else if (name == "--connections")
      options.connections = std::stoul(value);
    else if (name == "--size")
      options.size = std::stoul(value);
    else if (name == "--depth")
      options.depth = std::stoul(value);
    else if (name == "--seconds")
      options.seconds = std::stod(value);
    else if (name == "--units")
      options.units = std::stoul(value);
    else
      throw std::invalid_argument("unknown option " + std::string(name));
  }
  if (options.size < 2) throw std::invalid_argument("a line is at least two bytes");
  return options;
}

// Lines that name their connection and their place, so that no other bytes can pass for them.
std::string make_batch(std::size_t connection, const Options& options) {
  std::string batch;
  for (std::size_t i = 0; i < options.depth; ++i) {
    std::string line = "a" + std::to_string(connection) + "." + std::to_string(i) + " ";
    line.resize(options.size - 1, '-');
    batch += line + '\n';
  }
  return batch;
}

int connect_to(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("socket");
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const linger reset{1, 0};  // thousands of closed connections must not wait out TIME_WAIT
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) fail("connect");
  return fd;
}

class Load {
 public:
  explicit Load(const Options& options);
  void warm_up();  // one round on every connection: buffers are there, and the server has us all
  std::size_t run();

 private:
  void drive(std::span<Connection> speakers, std::size_t units, Clock::time_point until);
  void start_round(Connection& connection);
  void send(Connection& connection);
  void receive(Connection& connection);
  void watch(int operation, Connection& connection, std::uint32_t events);
  void handle(Connection& connection);

  Options options_;
  int epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  std::vector<Connection> connections_;
  std::array<epoll_event, 256> events_;
  std::array<char, 65536> buffer_;
  std::size_t units_ = 0;        // lines that came back
  std::size_t started_ = 0;      // lines that were sent, or are being sent
  std::size_t limit_ = 0;        // no round starts beyond this
  std::size_t outstanding_ = 0;  // connections in the middle of a round
};

Load::Load(const Options& options) : options_(options) {
  connections_.reserve(options.connections);  // epoll keeps pointers into it
  for (std::size_t i = 0; i < options.connections; ++i) {
    connections_.push_back({connect_to(options.port), make_batch(i, options)});
    watch(EPOLL_CTL_ADD, connections_.back(), EPOLLIN);
  }
}

void Load::warm_up() {
  std::span<Connection> speakers = connections_;
  if (options_.mode == "silent") speakers = speakers.last(1);
  const std::size_t units = speakers.size() * options_.depth;
  drive(speakers, units, Clock::now() + std::chrono::seconds(60));
  if (units_ != units) throw std::runtime_error("no answer");
}

std::size_t Load::run() {
  if (options_.mode == "idle" || options_.mode == "silent") return 0;
  const auto length = std::chrono::duration<double>(options_.seconds);
  const auto until = Clock::now() + std::chrono::duration_cast<Clock::duration>(length);
  drive(connections_, options_.units, until);
  return units_;
}

// Starts a round on each, and new ones until a limit is met; then waits for those under way.
void Load::drive(std::span<Connection> speakers, std::size_t units, Clock::time_point until) {
  const auto give_up = until + std::chrono::seconds(10);
  units_ = started_ = 0;
  limit_ = units;
  for (Connection& connection : speakers) start_round(connection);
  while (outstanding_ > 0) {
    const int ready = ::epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()), 1000);
    for (int i = 0; i < ready; ++i)
      handle(*static_cast<Connection*>(events_[static_cast<std::size_t>(i)].data.ptr));
    const auto now = Clock::now();
    if (now >= until) limit_ = 0;
    if (now >= give_up) throw std::runtime_error("the server stopped answering");
  }
}

void Load::start_round(Connection& connection) {
  if (started_ >= limit_) return;
  started_ += options_.depth;
  ++outstanding_;
  connection.sent = connection.returned = 0;
  char& first = connection.batch.front();
  const char letter = first == 'z' ? 'a' : static_cast<char>(first + 1);
  for (std::size_t i = 0; i < connection.batch.size(); i += options_.size)
    connection.batch[i] = letter;  // an answer of the round before is not an answer
  send(connection);
}

void Load::send(Connection& connection) {
  const std::string_view rest = std::string_view(connection.batch).substr(connection.sent);
  const ssize_t count =
      ::send(connection.fd, rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (count < 0 && errno != EAGAIN) fail("send");
  if (count > 0) connection.sent += static_cast<std::size_t>(count);
  if (connection.sent < connection.batch.size())
    watch(EPOLL_CTL_MOD, connection, EPOLLIN | EPOLLOUT);
}

void Load::handle(Connection& connection) {
  if (connection.sent < connection.batch.size()) {
    watch(EPOLL_CTL_MOD, connection, EPOLLIN);
    send(connection);
  }
  receive(connection);
}

void Load::receive(Connection& connection) {
  const ssize_t count = ::recv(connection.fd, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
  if (count < 0 && errno == EAGAIN) return;
  if (count < 0) fail("recv");
  const std::string_view received(buffer_.data(), static_cast<std::size_t>(count));
  const std::string_view expected = std::string_view(connection.batch).substr(connection.returned);
  if (received.empty() || !expected.starts_with(received))
    throw std::runtime_error("what came back is not what was sent");
  connection.returned += received.size();
  if (connection.returned < connection.batch.size()) return;
  units_ += options_.depth;
  --outstanding_;
  start_round(connection);
}

void Load::watch(int operation, Connection& connection, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &connection;
  if (::epoll_ctl(epoll_, operation, connection.fd, &event) != 0) fail("epoll_ctl");
}

void wait_for_start() {
  std::puts("connected");
  std::fflush(stdout);
  while (std::getchar() != '\n' && !std::feof(stdin)) continue;
}

}  // namespace

int main(int argc, char** argv) try {
  const Options options = parse_options(argc, argv);
  Load load(options);
  load.warm_up();
  wait_for_start();
  std::printf("units %zu\n", load.run());
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "load: %s\n", error.what());
  return 1;
}
