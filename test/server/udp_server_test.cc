#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <functional>
#include <list>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <eddy/loop/await.h>
#include <eddy/loop/gen.h>
#include <eddy/server/udp_server.h>

#include "../support/raw_datagram.h"
#include "../support/simulated_loop.h"

namespace eddy {
namespace {

using namespace std::chrono_literals;
using Texts = std::vector<std::string>;
using Handler = std::function<Future<>(Datagram, DatagramSocket&)>;

Future<> echo(Datagram datagram, DatagramSocket& socket) {
  static_cast<void>(socket.send_to(datagram.bytes, datagram.from));
  return {};
}

Future<> echo_later(Datagram datagram, DatagramSocket& socket) {
  co_await sleep(1s);
  co_await socket.send_to(datagram.bytes, datagram.from);
}

class TestServer : public UDPServer {
 public:
  explicit TestServer(Handler handles, const UDPServerOptions& options = {})
      : UDPServer(options), handler(std::move(handles)) {}
  ~TestServer() override { end_all_handlers(); }

  Handler handler;
  Texts got;

 protected:
  Future<> handle_datagram(Datagram datagram, DatagramSocket& socket) override {
    got.push_back(datagram.bytes);
    return handler(std::move(datagram), socket);
  }
};

class UDPServerTest : public SimulatedLoop {
 public:
  TestServer& serve(Handler handler, const UDPServerOptions& options = {}) {
    server = std::make_unique<TestServer>(std::move(handler), options);
    server->listen(0, "127.0.0.1");
    address = server->addresses().front();
    return *server;
  }
  bool run_until_received(RawDatagram& by, const Texts& expected) {
    return run_until([&] { return by.received() == expected; });
  }
  bool run_until_done(const Future<std::size_t>& left) {
    return run_until([&] { return left.done(); });
  }
  bool run_until_got(std::size_t count) {
    return run_until([&] { return server->got.size() == count; });
  }
  void send(int count) {
    for (int i = 0; i < count; ++i) client.send(std::to_string(i), address);
  }

  RawDatagram client;
  std::unique_ptr<TestServer> server;
  SocketAddress address;
};

using UDPServerStop = UDPServerTest;
using UDPServerDrain = UDPServerTest;
using UDPServerFailure = UDPServerTest;

Texts numbered(int count) {
  Texts all;
  for (int i = 0; i < count; ++i) all.push_back(std::to_string(i));
  return all;
}

TEST_F(UDPServerTest, AnswersFromThePortItListensOn) {
  serve(echo);
  client.send("hello", address);
  EXPECT_TRUE(run_until_received(client, {"hello"}));
  EXPECT_EQ(server->received(), 1U);
  EXPECT_EQ(server->handlers(), 0U);
}

TEST_F(UDPServerTest, AHandlerMayAnswerLater) {
  serve(echo_later);
  send(3);
  ASSERT_TRUE(run_until_got(3));
  EXPECT_EQ(server->handlers(), 3U);
  pass(1s);
  EXPECT_TRUE(run_until_received(client, numbered(3)));
  EXPECT_EQ(server->handlers(), 0U);
}

TEST_F(UDPServerTest, ServesUnixDatagramsBesidesAndOnSeveralSockets) {
  serve(echo);
  const std::string name = "@eddy-udp-server-test-" + std::to_string(::getpid());
  server->add_socket(bind_unix_datagram_socket(name));
  RawDatagram local(any_unix_name());
  local.send("local", SocketAddress::unix_path(name));
  client.send("far", address);
  EXPECT_TRUE(run_until_received(local, {"local"}));
  EXPECT_TRUE(run_until_received(client, {"far"}));
  EXPECT_EQ(server->addresses().size(), 2U);
}

TEST_F(UDPServerTest, ASocketMadeElsewhereMayBlock) {
  serve(echo);
  UniqueFd socket = datagram_socket_at(loopback());
  const int fd = socket.get();
  ::fcntl(fd, F_SETFL, 0);
  ::fcntl(fd, F_SETFD, 0);
  server->add_socket(std::move(socket));
  EXPECT_TRUE(::fcntl(fd, F_GETFL) & O_NONBLOCK);
  EXPECT_TRUE(::fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

TEST_F(UDPServerTest, AddsAllSocketsOrNone) {
  serve(echo);
  const std::size_t before = open_descriptors();
  std::vector<UniqueFd> sockets;
  sockets.push_back(datagram_socket_at(loopback()));
  sockets.push_back(datagram_socket_at(loopback()));
  platform.let_pass(Call::epoll_add);
  platform.fail(Call::epoll_add, ENOSPC);
  EXPECT_THROW(server->add_sockets(std::move(sockets)), std::system_error);
  EXPECT_EQ(server->addresses().size(), 1U);
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(UDPServerTest, BeyondTheLimitOfHandlersArrivalsWait) {
  UDPServerOptions options;
  options.max_handlers = 2;
  serve(echo_later, options);
  send(5);
  ASSERT_TRUE(run_until_got(2));
  turn_a_few_times();
  EXPECT_EQ(server->got.size(), 2U);
  EXPECT_EQ(server->handlers(), 2U);
  pass(1s);
  EXPECT_EQ(server->got.size(), 4U);
  pass(2s);
  EXPECT_TRUE(run_until_received(client, numbered(5)));
}

TEST_F(UDPServerTest, TheLimitOfHandlersIsOfAllSocketsTogether) {
  UDPServerOptions options;
  options.max_handlers = 1;
  serve(echo_later, options);
  server->listen(0, "127.0.0.1");
  for (const SocketAddress& each : server->addresses()) client.send("hello", each);
  ASSERT_TRUE(run_until_got(1));
  turn_a_few_times();
  EXPECT_EQ(server->handlers(), 1U);
  pass(1s);
  EXPECT_EQ(server->got.size(), 2U);
  EXPECT_EQ(server->handlers(), 1U);
  pass(1s);
  EXPECT_TRUE(run_until_received(client, {"hello", "hello"}));
}

TEST_F(UDPServerTest, WhatWasCutOffIsCounted) {
  UDPServerOptions options;
  options.datagrams.max_datagram_size = 2;
  serve(echo, options);
  client.send("hello", address);
  EXPECT_TRUE(run_until_received(client, {"he"}));
  EXPECT_EQ(server->truncated(), 1U);
}

TEST_F(UDPServerTest, WhatTheKernelDroppedIsCounted) {
  serve(echo);
  send(2000);
  turn_a_few_times();
  const std::size_t handled = server->received();
  client.receive();
  client.send("one more", address);
  EXPECT_TRUE(run_until([&] { return server->received() == handled + 1; }));
  EXPECT_EQ(server->kernel_drops(), 2000U - handled);
}

TEST_F(UDPServerTest, DroppedWithinAHandlerItEndsAtOnce) {
  serve([this](Datagram, DatagramSocket&) {
    server.reset();
    return Future<>();
  });
  const std::size_t before = open_descriptors();
  send(3);
  EXPECT_TRUE(run_until([&] { return server == nullptr; }));
  turn_a_few_times();
  EXPECT_EQ(open_descriptors(), before - 1);
}

TEST_F(UDPServerTest, DroppedItEndsTheHandlersThatWait) {
  serve(echo_later);
  send(3);
  ASSERT_TRUE(run_until_got(3));
  server.reset();
  pass(2s);
  EXPECT_EQ(client.receive(), Texts());
}

// --- Handlers that fail

TEST_F(UDPServerFailure, IsLoggedAndTheNextOneServed) {
  const Handler failing[] = {
      [](Datagram, DatagramSocket&) -> Future<> { throw std::runtime_error("clumsy"); },
      [](Datagram, DatagramSocket&) -> Future<> {
        throw std::runtime_error("clumsy");
        co_return;
      },
      [](Datagram, DatagramSocket&) -> Future<> {
        co_await moment;
        throw std::runtime_error("clumsy");
      }};
  serve(echo);
  std::size_t failures = 0;
  for (const Handler& handler : failing) {
    server->handler = handler;
    client.send("bad", address);
    EXPECT_TRUE(run_until([&] { return log.lines().size() == failures + 1; }));
    EXPECT_EQ(log.count("Error in datagram handler: clumsy"), ++failures);
    EXPECT_EQ(server->handlers(), 0U);
  }
  server->handler = echo;
  client.send("good", address);
  EXPECT_TRUE(run_until_received(client, {"good"}));
}

TEST_F(UDPServerFailure, OfTheKernelsIsPassedOver) {
  serve(echo);
  platform.fail(Call::recvmmsg, ENOMEM);
  client.send("hello", address);
  EXPECT_TRUE(run_until_received(client, {"hello"}));
}

TEST_F(UDPServerFailure, AnAnswerToSomebodyWithoutANameIsTheHandlersToKnow) {
  const std::string name = "@eddy-udp-server-test-" + std::to_string(::getpid());
  serve([](Datagram datagram, DatagramSocket& socket) -> Future<> {
    co_await socket.send_to("answer", datagram.from);
  });
  server->add_socket(bind_unix_datagram_socket(name));
  const RawDatagram nameless(UniqueFd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)));
  nameless.send("hello", SocketAddress::unix_path(name));
  EXPECT_TRUE(run_until([&] { return log.count("Destination address required") == 1; }));
}

// --- stop()

TEST_F(UDPServerStop, DropsWhatWaitsInTheKernelAndClosesTheSocket) {
  serve(echo);
  send(3);
  server->stop();
  server->stop();
  EXPECT_TRUE(server->addresses().empty());
  turn_a_few_times();
  EXPECT_TRUE(server->got.empty());
  EXPECT_NO_THROW(datagram_socket_at(address)) << "the port is free";
}

TEST_F(UDPServerStop, LetsHandlersAnswer) {
  serve(echo_later);
  client.send("hello", address);
  ASSERT_TRUE(run_until_got(1));
  const std::size_t before = open_descriptors();
  server->stop();
  pass(1s);
  EXPECT_TRUE(run_until_received(client, {"hello"}));
  EXPECT_EQ(open_descriptors(), before - 1) << "closed with the last of them";
}

TEST_F(UDPServerStop, TheSocketStaysUntilTheLastHandlerHasEnded) {
  struct End {
    ~End() { socket_was_open = ::fcntl(fd, F_GETFD) >= 0; }
    const int fd;
    bool& socket_was_open;
  };
  bool socket_was_open = false;
  serve([&socket_was_open](Datagram, DatagramSocket& socket) -> Future<> {
    const End end{socket.fileno(), socket_was_open};
    co_await sleep(24h);
  });
  client.send("hello", address);
  ASSERT_TRUE(run_until_got(1));
  server->stop();
  server->end_all_handlers();
  EXPECT_TRUE(socket_was_open);
  EXPECT_NO_THROW(datagram_socket_at(address)) << "closed with it";
}

TEST_F(UDPServerStop, TheLastHandlerToEndMayDropTheServer) {
  struct End {
    ~End() { server.reset(); }
    std::unique_ptr<TestServer>& server;
  };
  serve([this](Datagram, DatagramSocket&) -> Future<> {
    const End end{server};
    co_await sleep(24h);
  });
  const std::size_t before = open_descriptors();
  client.send("hello", address);
  ASSERT_TRUE(run_until_got(1));
  server->end_all_handlers();
  EXPECT_FALSE(server);
  EXPECT_EQ(open_descriptors(), before - 1);
}

TEST_F(UDPServerStop, WithinAHandlerEndsTheBatch) {
  serve([this](Datagram datagram, DatagramSocket& socket) {
    server->stop();
    return echo(std::move(datagram), socket);
  });
  send(3);
  EXPECT_TRUE(run_until_received(client, {"0"}));
  turn_a_few_times();
  EXPECT_EQ(server->got, Texts{"0"});
  EXPECT_NO_THROW(datagram_socket_at(address));
}

TEST_F(UDPServerStop, ListeningAgainIsAllowed) {
  serve(echo);
  server->stop();
  server->listen(address.port(), "127.0.0.1");
  client.send("hello", address);
  EXPECT_TRUE(run_until_received(client, {"hello"}));
}

// --- drain()

TEST_F(UDPServerDrain, IsDoneAtOnceWhenNothingHasArrived) {
  serve(echo);
  const Future<std::size_t> left = server->drain(10s);
  ASSERT_TRUE(run_until_done(left));
  EXPECT_EQ(left.result(), 0U);
  EXPECT_NO_THROW(datagram_socket_at(address));
}

TEST_F(UDPServerDrain, AnswersWhatHadReachedTheMachineAndNothingLater) {
  UDPServerOptions options;
  options.max_handlers = 2;
  serve(echo_later, options);
  send(5);
  const Future<std::size_t> left = server->drain(10s);
  for (int i = 0; i < 10; ++i) {  // a sender who goes on
    client.send("too late", address);
    pass(500ms);
  }
  ASSERT_TRUE(left.done());
  EXPECT_EQ(left.result(), 0U);
  EXPECT_EQ(server->got, numbered(5));
  EXPECT_TRUE(run_until_received(client, numbered(5)));
}

TEST_F(UDPServerDrain, WaitsForWhatIsStillToBeSent) {
  serve(echo);
  platform.fail(Call::sendto, ENOBUFS, 3);
  client.send("hello", address);
  const Future<std::size_t> left = server->drain(10s);
  turn_a_few_times();
  EXPECT_FALSE(left.done());
  pass(100ms);
  EXPECT_TRUE(left.done());
  EXPECT_TRUE(run_until_received(client, {"hello"}));
}

TEST_F(UDPServerDrain, SaysHowManyAreStuckWhenPatienceEnds) {
  serve([](Datagram, DatagramSocket&) -> Future<> { co_await sleep(24h); });
  send(2);
  const Future<std::size_t> left = server->drain(10s);
  pass(10s - 1ms);
  EXPECT_FALSE(left.done());
  pass(1ms);
  ASSERT_TRUE(left.done());
  EXPECT_EQ(left.result(), 2U);
  server->end_all_handlers();
  EXPECT_EQ(server->handlers(), 0U);
}

TEST_F(UDPServerDrain, FailsWhenTheServerIsDroppedMeanwhile) {
  serve(echo_later);
  client.send("hello", address);
  const Future<std::size_t> left = server->drain(10s);
  ASSERT_TRUE(run_until_got(1));
  server.reset();
  ASSERT_TRUE(run_until_done(left));
  EXPECT_THROW(left.result(), CancelledError);
}

TEST_F(UDPServerDrain, StoppingEndsIt) {
  serve(echo);
  const Future<std::size_t> left = server->drain(10s);
  server->stop();
  EXPECT_TRUE(run_until_done(left));
}

}  // namespace
}  // namespace eddy
