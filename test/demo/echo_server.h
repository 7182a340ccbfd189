// EchoServer: an echo that runs in one of its ways, and peers that speak to it.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <eddy/stream/socket_address.h>

#include "../support/demo_server.h"
#include "../support/raw_datagram.h"
#include "../support/temporary_folder.h"

namespace eddy {

// A peer of either kind, which waits for its answers, and never for ever.
class EchoPeer {
 public:
  virtual ~EchoPeer() = default;
  virtual std::string name() const = 0;
  virtual void send(std::string_view message) = 0;
  virtual std::string receive(std::size_t size) = 0;  // so many bytes, or one datagram

  bool is_answered(const std::string& message) {  // with what echo promises
    const std::string expected = name() + ' ' + message;
    send(message);
    const std::string answer = receive(expected.size());
    EXPECT_EQ(answer, expected);
    return answer == expected;
  }
};

class StreamPeer final : public EchoPeer {
 public:
  StreamPeer(std::uint16_t port, const Client::Options& options, std::string name)
      : client_(port, options), name_(name.empty() ? client_.name() : std::move(name)) {}
  std::string name() const override { return name_; }
  void send(std::string_view message) override { client_.send(message); }
  std::string receive(std::size_t size) override {
    std::string all;
    while (all.size() < size) {
      const std::string some = client_.read_some();
      if (some.empty()) break;
      all += some;
    }
    return all;
  }
  Client& client() { return client_; }

 private:
  Client client_;
  const std::string name_;
};

class DatagramPeer final : public EchoPeer {
 public:
  DatagramPeer(const SocketAddress& at, const SocketAddress& server)
      : DatagramPeer(datagram_socket_at(at), server) {}
  DatagramPeer(UniqueFd socket, const SocketAddress& server)
      : socket_(std::move(socket)), server_(server) {
    const int flags = ::fcntl(socket_.get(), F_GETFL);
    ::fcntl(socket_.get(), F_SETFL, flags & ~O_NONBLOCK);
    const timeval patience{.tv_sec = 20, .tv_usec = 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  std::string name() const override { return SocketAddress::local_of(socket_.get()).to_string(); }
  void send(std::string_view message) override {
    EXPECT_EQ(
        ::sendto(socket_.get(), message.data(), message.size(), 0, server_.get(), server_.size()),
        static_cast<ssize_t>(message.size()));
  }
  std::string receive(std::size_t) override {
    std::string one(1 << 16, '\0');
    const ssize_t size = ::recv(socket_.get(), one.data(), one.size(), 0);
    one.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
    return one;
  }

 private:
  UniqueFd socket_;
  const SocketAddress server_;
};

// How a server of a test listens, and where it serves.
struct EchoWay {
  const char* name;
  DemoProcess::Words flags;
  bool unix_socket = false;
  bool datagrams = false;
};

class EchoServer {
 public:
  explicit EchoServer(EchoWay way, DemoProcess::Words flags = {}, const Surroundings& around = {})
      : way_(std::move(way)), server_("echo", all_flags(std::move(flags)), around) {}

  DemoServer& process() { return server_; }
  std::string path() const { return folder_.file("socket"); }

  std::unique_ptr<EchoPeer> join() {
    if (!way_.datagrams) return stream();
    if (way_.unix_socket)
      return std::make_unique<DatagramPeer>(any_unix_name(), SocketAddress::unix_path(path()));
    return std::make_unique<DatagramPeer>(loopback(),
                                          *SocketAddress::parse("127.0.0.1", server_.port()));
  }
  std::unique_ptr<StreamPeer> stream() {
    if (!way_.unix_socket)
      return std::make_unique<StreamPeer>(server_.port(), Client::Options(), "");
    Client::Options options;
    options.unix_path = path();
    return std::make_unique<StreamPeer>(0, options, "unix:#" + std::to_string(++nameless_));
  }

 private:
  DemoProcess::Words all_flags(DemoProcess::Words flags) const {
    flags.insert(flags.end(), way_.flags.begin(), way_.flags.end());
    if (way_.unix_socket) flags.insert(flags.end(), {"--unix", path()});
    return flags;
  }

  const TemporaryFolder folder_;
  const EchoWay way_;
  DemoServer server_;
  int nameless_ = 0;
};

inline const EchoWay kEchoStreamWays[] = {
    {.name = "TCP", .flags = {}},
    {.name = "Unix", .flags = {}, .unix_socket = true},
    {.name = "Threads", .flags = {"--threads", "4"}},
    {.name = "Fork", .flags = {"--fork"}},
    {.name = "UnixThreads",
     .flags = {"--transport", "unix", "--threads", "2"},
     .unix_socket = true},
    {.name = "UnixFork", .flags = {"--fork"}, .unix_socket = true},
};
inline const EchoWay kEchoDatagramWays[] = {
    {.name = "UDP", .flags = {"--transport", "udp"}, .datagrams = true},
    {.name = "UnixDatagrams",
     .flags = {"--transport", "unix-dgram"},
     .unix_socket = true,
     .datagrams = true},
};
inline std::string name_of_way(const testing::TestParamInfo<EchoWay>& info) {
  return info.param.name;
}

}  // namespace eddy
