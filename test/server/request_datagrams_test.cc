// A RequestServer of datagrams: the same handlers, each for one message.

#include "../support/raw_datagram.h"
#include "request_server_test.h"

namespace eddy {
namespace {

using namespace std::chrono_literals;
using Strings = std::vector<std::string>;

class RequestDatagramsTest : public RequestServerTest {
 public:
  void serve_datagrams(RequestServer::MakeHandler handler, UniqueFd socket,
                       const UDPServerOptions& options = {}) {
    server = std::make_unique<TestRequestServer>(std::move(handler), OnLoop(), TCPServerOptions(),
                                                 options);
    server->add_socket(std::move(socket));
    address = server->addresses().front();
  }
  void serve_udp(RequestServer::MakeHandler handler, const UDPServerOptions& options = {}) {
    serve_datagrams(std::move(handler), std::move(bind_datagram_sockets(0, "127.0.0.1").front()),
                    options);
  }
  bool receives(RawDatagram& client, const Strings& all) {
    const bool received = run_until([&] { return client.received().size() >= all.size(); });
    EXPECT_EQ(client.received(), all);
    return received;
  }
};

TEST_F(RequestDatagramsTest, TheHandlerOfConnectionsAnswersThemToo) {
  serve_udp(handled_by<EchoHandler>());
  RawDatagram client;
  client.send("hello", address);
  EXPECT_TRUE(receives(client, {client.address().to_string() + " hello"}));
  EXPECT_TRUE(run_until_connections(0));
}

TEST_F(RequestDatagramsTest, OverAUnixSocketToo) {
  serve_datagrams(handled_by<EchoHandler>(), datagram_socket_at(any_unix_name()));
  RawDatagram client(any_unix_name());
  client.send("hello", address);
  EXPECT_TRUE(receives(client, {client.address().to_string() + " hello"}));
}

class WholeHandler : public RequestHandler {
  Future<> handle() override {
    std::string answer = request().is_datagram() ? "datagram" : "connection";
    for (int i = 0; i < 2; ++i) answer += " '" + co_await request().read() + "'";
    co_await request().write(answer);
  }
};

TEST_F(RequestDatagramsTest, OneIsReadWholeAndThenComesTheEnd) {
  serve_udp(handled_by<WholeHandler>());
  RawDatagram client;
  client.send("hello", address);
  client.send("", address);
  EXPECT_TRUE(receives(client, {"datagram 'hello' ''", "datagram '' ''"}));
}

TEST_F(RequestDatagramsTest, ThereIsNoStream) {
  class Asking : public RequestHandler {
    Future<> handle() override {
      request().stream();
      return {};
    }
  };
  serve_udp(handled_by<Asking>());
  const RawDatagram client;
  client.send("hello", address);
  ASSERT_TRUE(run_until([&] { return server->errors.size() == 1; }));
  EXPECT_EQ(server->errors.all().front(), "Request::stream: the request is a datagram");
}

TEST_F(RequestDatagramsTest, OneThatIsCutIsDroppedAndLogged) {
  UDPServerOptions options;
  options.datagrams.max_datagram_size = 8;
  serve_udp(handled_by<EchoHandler>(), options);
  RawDatagram client;
  client.send("123456789", address);
  client.send("12345678", address);
  EXPECT_TRUE(receives(client, {client.address().to_string() + " 12345678"}));
  EXPECT_EQ(log.count("dropped, a datagram longer than max_datagram_size: 127.0.0.1:"), 1U);
}

TEST_F(RequestDatagramsTest, WhoIsNotVerifiedIsNotAnswered) {
  serve_udp(handled_by<EchoHandler>());
  RawDatagram client;
  server->accepts_all = false;
  client.send("one", address);
  ASSERT_TRUE(run_until([&] { return server->refused() == 1; }));
  server->accepts_all = true;
  client.send("two", address);
  EXPECT_TRUE(receives(client, {client.address().to_string() + " two"}));
}

TEST_F(RequestDatagramsTest, WhatHasArrivedIsAnsweredBeforeItEnds) {
  serve_udp(handled_by<EchoHandler>());
  RawDatagram client;
  client.send("hello", address);
  const Future<std::size_t> left = server->drain(20s);
  ASSERT_TRUE(run_until([&] { return left.done(); }));
  EXPECT_EQ(left.result(), 0U);
  EXPECT_TRUE(receives(client, {client.address().to_string() + " hello"}));
  EXPECT_TRUE(server->addresses().empty());
}

TEST_F(RequestDatagramsTest, ConnectionsMayBeServedBeside) {
  serve_udp(handled_by<WholeHandler>());
  server->listen(0, "127.0.0.1");
  RawClient connection(server->addresses().front());
  connection.send("hello");
  connection.end();
  EXPECT_TRUE(run_until_over(connection));
  EXPECT_EQ(connection.received(), "connection 'hello' ''");
  RawDatagram client;
  client.send("hello", address);
  EXPECT_TRUE(receives(client, {"datagram 'hello' ''"}));
}

TEST_F(RequestDatagramsTest, TheyRunOnTheLoopOnly) {
  serve(handled_by<EchoHandler>(), OnThreads());
  EXPECT_THROW(server->add_sockets(bind_datagram_sockets(0, "127.0.0.1")), InvalidStateError);
}

}  // namespace
}  // namespace eddy
