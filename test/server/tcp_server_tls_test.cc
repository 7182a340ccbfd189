#include <gtest/gtest.h>

#include <list>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <eddy/loop/await.h>
#include <eddy/server/tcp_server.h>
#include <eddy/stream/close_gracefully.h>
#include <eddy/stream/tls_io_stream.h>

#include "../support/certificates.h"
#include "../support/demo_process.h"
#include "../support/raw_client.h"
#include "../support/simulated_loop.h"
#include "../support/tls_peer.h"
#include "../support/tls_test.h"

namespace eddy {
namespace {

using namespace std::chrono_literals;

// Echoes lines, and gives what it reads last before it ends by itself.
class EchoServer : public TCPServer {
 public:
  explicit EchoServer(const TCPServerOptions& options) : TCPServer(options) {}
  ~EchoServer() override { close_all_connections(); }

 protected:
  Future<> handle_stream(std::unique_ptr<IOStream> stream, SocketAddress) override {
    for (std::string line; line != "bye\n";) {
      line = co_await stream->read_until("\n");
      co_await stream->write(line);
    }
    co_await close_gracefully(*stream, 5s);
  }
};

// Begins TLS by itself, and keeps the streams when it is done.
class UpgradingServer : public TCPServer {
 public:
  UpgradingServer(const TCPServerOptions& options, std::list<std::unique_ptr<IOStream>>& streams)
      : TCPServer(options), kept_(streams) {}
  ~UpgradingServer() override { close_all_connections(); }

 protected:
  Future<> handle_stream(std::unique_ptr<IOStream> stream, SocketAddress) override {
    Future<std::unique_ptr<IOStream>> upgraded =
        stream->start_tls(TLSContext::for_server(server_options()));
    kept_.push_back(co_await std::move(upgraded));
  }

 private:
  std::list<std::unique_ptr<IOStream>>& kept_;
};

class TCPServerTLS : public SimulatedLoop {
 public:
  // A client whose TLS a test may hold back.
  struct Client {
    explicit Client(const SocketAddress& server) : raw(server) {}
    void exchange() {
      const std::string& all = raw.received();
      peer.feed(std::string_view(all).substr(fed));
      fed = all.size();
      raw.send(peer.take());
    }
    RawClient raw;
    TLSPeer peer = TLSPeer::client();
    std::size_t fed = 0;
  };

  TCPServerOptions options() {
    TCPServerOptions made;
    made.tls = TLSContext::for_server(server_options());
    return made;
  }
  void serve(const TCPServerOptions& how) {
    server = std::make_unique<EchoServer>(how);
    server->listen(0, "127.0.0.1");
    address = server->addresses().front();
  }
  void serve() { serve(options()); }
  Client& connect() { return clients.emplace_back(address); }
  bool answers(Client& client, const std::string& line) {
    const std::string expected = client.peer.received() + line;
    client.peer.write(line);
    return run_until([&] {
      client.exchange();
      return client.peer.received() == expected;
    });
  }
  bool run_until_established(Client& client) {
    return run_until([&] {
      client.exchange();
      return client.peer.established();
    });
  }
  std::unique_ptr<TLSIOStream> connect_ours() {
    return std::make_unique<TLSIOStream>(open_socket(AF_INET),
                                         TLSContext::for_client(client_options()),
                                         HandshakeOptions{.server_hostname = "127.0.0.1"});
  }

  std::unique_ptr<EchoServer> server;
  SocketAddress address;
  std::list<Client> clients;
};

TEST_F(TCPServerTLS, EveryStreamSpeaksIt) {
  serve();
  Client& client = connect();
  ASSERT_TRUE(run_until_established(client));
  EXPECT_TRUE(answers(client, "hello\n"));
  client.peer.say_goodbye();
  EXPECT_TRUE(run_until([&] {
    client.exchange();
    return client.raw.over();
  }));
  EXPECT_TRUE(client.peer.heard_goodbye());
  EXPECT_TRUE(log.lines().empty());
}

TEST_F(TCPServerTLS, OurOwnClientConnectsInOneCall) {
  serve();
  const auto stream = connect_ours();
  const Future<> connected = stream->connect(address);
  const Future<> written = stream->write("hello\n");
  const Future<std::string> line = stream->read_until("\n");
  ASSERT_TRUE(run_until([&] { return connected.done(); }));
  EXPECT_EQ(stream->tls_version(), "TLSv1.3") << "done when both are";
  ASSERT_TRUE(run_until([&] { return line.done(); }));
  EXPECT_EQ(line.result(), "hello\n");
}

TEST_F(TCPServerTLS, ARefusedConnectionIsTheReasonAsWithoutTLS) {
  serve();
  server.reset();
  const auto stream = connect_ours();
  const Future<> connected = stream->connect(address);
  ASSERT_TRUE(run_until([&] { return connected.done(); }));
  const auto error = TLSTest::thrown<StreamClosedError>(connected.exception());
  ASSERT_TRUE(error);
  EXPECT_EQ(error->error_number(), ECONNREFUSED);
}

TEST_F(TCPServerTLS, TheDeadlineOfConnectCoversTheHandshake) {
  serve();
  const UniqueFd silent = StreamTest::listen_on_loopback();
  const auto stream = connect_ours();
  const Future<> connected =
      stream->connect(SocketAddress::local_of(silent.get()), platform.now() + 3s);
  turn_a_few_times();
  EXPECT_FALSE(connected.done());
  pass(4s);
  ASSERT_TRUE(connected.done());
  const auto error = TLSTest::thrown<StreamClosedError>(connected.exception());
  ASSERT_TRUE(error);
  EXPECT_NE(std::string(error->what()).find("timed out connecting to 127.0.0.1:"),
            std::string::npos);
}

TEST_F(TCPServerTLS, AContextForClientsIsRefused) {
  TCPServerOptions wrong;
  wrong.tls = TLSContext::for_client(client_options());
  EXPECT_THROW(EchoServer{wrong}, std::invalid_argument);
}

TEST_F(TCPServerTLS, SilenceIsClosedAtTheHandshakeTimeoutAndAcceptingGoesOn) {
  TCPServerOptions impatient = options();
  impatient.handshake_timeout = 3s;
  serve(impatient);
  Client& silent = connect();
  ASSERT_TRUE(run_until([&] { return server->connections() == 1; }));
  pass(2s);
  EXPECT_FALSE(silent.raw.over());
  Client& other = connect();
  EXPECT_TRUE(run_until_established(other));
  pass(2s);
  EXPECT_TRUE(silent.raw.over());
  EXPECT_TRUE(answers(other, "hello\n"));
  EXPECT_EQ(server->connections(), 1U);
}

TEST_F(TCPServerTLS, PlainHTTPIsClosedWithOneLineInTheLog) {
  serve();
  RawClient plain(address);
  plain.send("GET / HTTP/1.1\r\n\r\n");
  ASSERT_TRUE(run_until([&] { return plain.over(); }));
  ASSERT_EQ(log.lines().size(), 1U);
  EXPECT_EQ(log.lines().front(), "TLS failed: " + plain.address().to_string() + ": http request");
}

TEST_F(TCPServerTLS, APortScannerLeavesNoTrace) {
  serve();
  for (const bool resets : {true, false}) {
    RawClient scanner(address);
    ASSERT_TRUE(run_until([&] { return server->connections() == 1; }));
    resets ? scanner.reset() : scanner.close();
    ASSERT_TRUE(run_until([&] { return server->connections() == 0; }));
  }
  EXPECT_TRUE(log.lines().empty());
}

TEST_F(TCPServerTLS, BeyondTheLimitHandshakesWaitUnwatchedInTheOrderTheyCame) {
  TCPServerOptions narrow = options();
  narrow.max_handshakes = 2;
  serve(narrow);
  for (int number = 0; number < 4; ++number) {
    connect().exchange();  // its greeting, and no more
    turn_a_few_times();
  }
  const auto answered = [](Client& client) { return !client.raw.received().empty(); };
  auto client = clients.begin();
  ASSERT_TRUE(run_until([&] { return answered(*std::next(client)); }));
  Client& third = *std::next(client, 2);
  Client& fourth = *std::next(client, 3);
  third.raw.end();  // which an event would tell of, if it was watched
  const std::size_t sleeps = platform.sleeps;
  for (int turn = 0; turn < 10; ++turn) loop.turn(1ms);
  EXPECT_EQ(platform.sleeps, sleeps + 10) << "nothing is polled meanwhile";
  EXPECT_FALSE(answered(third) || answered(fourth));
  ASSERT_TRUE(run_until_established(*client));
  ASSERT_TRUE(run_until([&] { return answered(third) && answered(fourth); }))
      << "the third has ended, so that the fourth follows at once";
}

TEST_F(TCPServerTLS, PeersThatFallSilentInTheirHandshakeHoldUpNobodyForLong) {
  TCPServerOptions narrow = options();
  narrow.max_handshakes = 2;
  serve(narrow);
  Client& first = connect();
  Client& second = connect();
  first.exchange();
  second.exchange();
  ASSERT_TRUE(
      run_until([&] { return !first.raw.received().empty() && !second.raw.received().empty(); }));
  pass(5s);
  Client& third = connect();
  EXPECT_TRUE(run_until_established(third));
  EXPECT_TRUE(run_until([&] { return first.raw.over() || second.raw.over(); }));
  EXPECT_EQ(server->connections(), 2U) << "one place was enough";
}

TEST_F(TCPServerTLS, ADrainWaitsASecondForHandshakesThatHaveBegunAndForNoOthers) {
  serve();
  Client& silent = connect();
  Client& stopped = connect();
  Client& slow = connect();
  stopped.exchange();
  slow.exchange();
  ASSERT_TRUE(
      run_until([&] { return !stopped.raw.received().empty() && !slow.raw.received().empty(); }));
  ASSERT_TRUE(run_until([&] { return server->connections() == 3; }));
  const Future<std::size_t> left = server->drain(60s);
  EXPECT_TRUE(run_until([&] { return silent.raw.over(); }));
  EXPECT_TRUE(run_until_established(slow));
  EXPECT_TRUE(answers(slow, "hello\n"));
  EXPECT_FALSE(stopped.raw.over());
  pass(HandshakeQueue::kDrainPatience);
  EXPECT_TRUE(stopped.raw.over());
  EXPECT_EQ(server->connections(), 1U);
}

TEST_F(TCPServerTLS, ManyAtOnceAllGetThroughAndLeaveTheTurnsToOthers) {
  constexpr int kClients = 200;
  TCPServerOptions narrow = options();
  narrow.max_handshakes = 50;
  serve(narrow);
  for (int number = 0; number < kClients; ++number) connect().exchange();
  ASSERT_TRUE(run_until([&] { return server->connections() == kClients; }));
  std::size_t done = 0;
  std::size_t most_in_a_turn = 0;
  std::vector<bool> answered(kClients);
  ASSERT_TRUE(run_until([&] {
    std::size_t in_this_turn = 0;
    std::size_t number = 0;
    for (Client& client : clients) {
      if (!answered[number] && !client.raw.received().empty()) {
        answered[number] = true;
        ++in_this_turn;
      }
      ++number;
      client.exchange();
    }
    done += in_this_turn;
    most_in_a_turn = std::max(most_in_a_turn, in_this_turn);
    return done == kClients;
  }));
  EXPECT_LE(most_in_a_turn, std::size_t{HandshakeQueue::kStepsPerTurn});
  for (Client& client : clients) ASSERT_TRUE(run_until_established(client));
  EXPECT_TRUE(answers(clients.back(), "hello\n"));
}

TEST_F(TCPServerTLS, DroppingTheServerEndsItsStreamsHandshakingOrNot) {
  const std::size_t before = open_descriptors();
  TCPServerOptions narrow = options();
  narrow.max_handshakes = 2;
  serve(narrow);
  ASSERT_TRUE(run_until_established(connect()));
  for (int number = 0; number < 4; ++number) connect().exchange();
  ASSERT_TRUE(run_until([&] { return server->connections() == 5; }));
  server.reset();
  for (Client& client : clients) EXPECT_TRUE(run_until([&] { return client.raw.over(); }));
  clients.clear();
  turn_a_few_times();
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(TCPServerTLS, AStreamThatBeganInPlainTextIsTheServersAsAnyOther) {
  TCPServerOptions narrow;
  narrow.max_handshakes = 1;
  std::list<std::unique_ptr<IOStream>> kept;
  auto upgrading = std::make_unique<UpgradingServer>(narrow, kept);
  upgrading->listen(0, "127.0.0.1");
  address = upgrading->addresses().front();
  Client& first = connect();
  first.exchange();
  ASSERT_TRUE(run_until([&] { return !first.raw.received().empty(); }));
  Client& second = connect();
  second.exchange();
  ASSERT_TRUE(run_until([&] { return upgrading->connections() == 2; }));
  turn_a_few_times();
  EXPECT_TRUE(second.raw.received().empty()) << "it waits for its turn";
  ASSERT_TRUE(run_until_established(first));
  ASSERT_TRUE(run_until_established(second));
  ASSERT_TRUE(run_until([&] { return kept.size() == 2; }));
  upgrading.reset();
  for (const auto& stream : kept) EXPECT_TRUE(stream->closed());
}

// The real client, from outside.

class TCPServerTLSAndOpenSSL : public TCPServerTLS {
 public:
  std::unique_ptr<DemoProcess> s_client(const DemoProcess::Words& words) const {
    DemoProcess::Words all = {"s_client", "-connect", address.to_string(), "-CAfile",
                              Certificates::common().authority()};
    all.insert(all.end(), words.begin(), words.end());
    return std::make_unique<DemoProcess>("/usr/bin/openssl", all);
  }
  bool run_until_says(DemoProcess& process, std::string_view what) {
    return run_until([&] {
      const std::string said = process.out().text() + process.err().text();
      return said.find(what) != std::string::npos;
    });
  }
};

TEST_F(TCPServerTLSAndOpenSSL, VerifiesUsAndHearsOurGoodbye) {
  serve();
  const auto client =
      s_client({"-msg", "-ign_eof", "-verify_return_error", "-verify_ip", "127.0.0.1"});
  EXPECT_TRUE(run_until_says(*client, "Verify return code: 0 (ok)"));
  ASSERT_TRUE(run_until([&] { return server->connections() == 1; }));
  turn_a_few_times();  // its last word has come: the step that this asks for is a turn later
  server->close_all_connections();
  EXPECT_TRUE(run_until_says(*client, "<<< TLS 1.3, Alert [length 0002], warning close_notify"));
}

TEST_F(TCPServerTLSAndOpenSSL, OldVersionsAreRefused) {
  serve();
  for (const char* version : {"-tls1", "-tls1_1"}) {
    const auto client = s_client({version, "-cipher", "ALL:@SECLEVEL=0"});
    EXPECT_TRUE(run_until_says(*client, "alert protocol version")) << version;
  }
  EXPECT_EQ(log.count("unsupported protocol"), 2U);
}

TEST_F(TCPServerTLSAndOpenSSL, WeakCiphersAreRefused) {
  serve();
  for (const char* cipher :
       {"eNULL:@SECLEVEL=0", "AES128-SHA:@SECLEVEL=0", "ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0"}) {
    const auto client = s_client({"-tls1_2", "-cipher", cipher});
    EXPECT_TRUE(run_until_says(*client, "alert handshake failure")) << cipher;
  }
  EXPECT_EQ(log.count("no shared cipher"), 3U);
}

}  // namespace
}  // namespace eddy
