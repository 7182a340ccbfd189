#include <gtest/gtest.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include <eddy/loop/await.h>
#include <eddy/loop/gen.h>
#include <eddy/loop/run_sync.h>
#include <eddy/server/accept_handler.h>
#include <eddy/server/netutil.h>
#include <eddy/server/tcp_client.h>
#include <eddy/server/threaded_resolver.h>
#include <eddy/stream/tls_io_stream.h>

#include "../support/black_hole.h"
#include "../support/log_capture.h"
#include "../support/simulated_network.h"
#include "../support/tls_test.h"

namespace eddy {
namespace {

using namespace std::chrono_literals;
using Texts = std::vector<std::string>;
using Stream = std::unique_ptr<IOStream>;

// Knows one host, as soon as the test says so.
class OneHost : public Resolver {
 public:
  explicit OneHost(const Texts& ips) {
    for (const std::string& ip : ips) addresses_.push_back(SocketAddress::parse(ip, 80).value());
  }
  Duration delay{};
  std::vector<int> families;

 private:
  Future<Addresses> find(std::string, std::uint16_t, int family) override {
    families.push_back(family);
    if (delay > Duration::zero()) co_await sleep(delay);
    co_return addresses_;
  }
  Addresses addresses_;
};

class TCPClientTest : public testing::Test {
 protected:
  static Texts many(int count) {
    Texts ips;
    for (int number = 1; number <= count; ++number)
      ips.push_back("192.0.2." + std::to_string(number));
    return ips;
  }
  static std::string at(int number) { return "192.0.2." + std::to_string(number) + ":80"; }

  // A client of a network where `example.com` has these addresses.
  Future<Stream> connect(const Texts& ips, const ConnectOptions& options = {}) {
    resolver_ = std::make_shared<OneHost>(ips);
    return TCPClient(resolver_).connect("example.com", 80, options);
  }
  // Lets time pass, at most so much; gives how much it was until it was done.
  Duration wait(const Future<Stream>& connection, Duration most = 1h) {
    const TimePoint began = network.now();
    for (;;) {
      for (int turns = 0; turns < 10; ++turns) loop.turn();
      const Duration passed = network.now() - began;
      if (connection.done() || passed >= most) return passed;
      loop.turn(most - passed);
    }
  }
  template <class E>
  static std::optional<E> failure(const Future<Stream>& connection) {
    try {
      connection.result();
    } catch (const E& error) {
      return error;
    }
    ADD_FAILURE() << "no failure";
    return std::nullopt;
  }
  static ConnectOptions within(Duration timeout) {
    ConnectOptions options;
    options.timeout = timeout;
    return options;
  }
  bool nothing_is_left() {
    return network.open_sockets() == 0 && loop.time_to_sleep() == Duration::max();
  }

  SimulatedNetwork network;
  ScopedPlatform installed{network};
  LogCapture log;
  IOLoop loop;
  std::shared_ptr<OneHost> resolver_;
};

TEST_F(TCPClientTest, GivesAStreamToTheHost) {
  network.answers("192.0.2.1:80", 30ms);
  const Future<Stream> connection = connect({"192.0.2.1"});
  EXPECT_EQ(wait(connection), 30ms);
  const Stream& stream = connection.result();
  const UniqueFd theirs = network.accept_one();
  loop.run_sync([&] { return stream->write("hello"); });
  char bytes[8];
  EXPECT_EQ(::recv(theirs.get(), bytes, sizeof bytes, 0), 5);
}

TEST_F(TCPClientTest, TheFamiliesTakeTurnsTheResolversFavouriteFirst) {
  const Future<Stream> connection =
      connect({"2001:db8::1", "2001:db8::2", "2001:db8::3", "192.0.2.1", "192.0.2.2"});
  wait(connection, 1s);
  EXPECT_EQ(network.tried(), (Texts{"[2001:db8::1]:80", "192.0.2.1:80", "[2001:db8::2]:80",
                                    "192.0.2.2:80", "[2001:db8::3]:80"}));
}

TEST_F(TCPClientTest, TheFirstAddressHasAHeadStartAndTheOthersFollowQuickly) {
  const Future<Stream> connection = connect(many(4));
  wait(connection, 1s);
  EXPECT_EQ(network.attempts(), (std::vector<SimulatedNetwork::Attempt>{
                                    {at(1), 0ms}, {at(2), 250ms}, {at(3), 350ms}, {at(4), 450ms}}));
}

TEST_F(TCPClientTest, TriesTheNextAddressAtOnceWhenOneFails) {
  network.answers(at(1), 0ms, ENETUNREACH);
  network.answers(at(2), 40ms, ECONNREFUSED);
  network.answers(at(3), 5ms);
  const Future<Stream> connection = connect(many(4));
  EXPECT_EQ(wait(connection), 45ms);
  EXPECT_EQ(network.attempts(),
            (std::vector<SimulatedNetwork::Attempt>{{at(1), 0ms}, {at(2), 0ms}, {at(3), 40ms}}));
  EXPECT_TRUE(connection.result());
  EXPECT_TRUE(log.lines().empty());
}

TEST_F(TCPClientTest, TheFirstToAnswerWinsAndTheOthersAreClosed) {
  network.answers(at(1), 400ms);
  network.answers(at(2), 60ms);
  const Future<Stream> connection = connect(many(3));
  EXPECT_EQ(wait(connection), 310ms);
  EXPECT_EQ(network.open_sockets(), 1U);
  EXPECT_EQ(network.tried(), (Texts{at(1), at(2)}));
  wait(connect({}), 1s);
  EXPECT_TRUE(connection.result());
  EXPECT_EQ(loop.time_to_sleep(), Duration::max()) << "no timer is left that would start another";
}

TEST_F(TCPClientTest, OfTwoThatAnswerTogetherOneIsClosed) {
  network.answers(at(1), 300ms);
  network.answers(at(2), 50ms);
  const Future<Stream> connection = connect(many(2));
  EXPECT_EQ(wait(connection), 300ms);
  EXPECT_TRUE(connection.result());
  EXPECT_EQ(network.open_sockets(), 1U);
}

TEST_F(TCPClientTest, FiveDeadAddressesOfThirtyCostLessThanASecond) {  // DN-02
  for (int number = 6; number <= 30; ++number) network.answers(at(number), 50ms);
  const Future<Stream> connection = connect(many(30));
  EXPECT_EQ(wait(connection), 700ms);
  EXPECT_TRUE(connection.result());
  EXPECT_EQ(network.open_sockets(), 1U);
}

TEST_F(TCPClientTest, ALateAnswerOfTheFirstStillCounts) {
  network.answers(at(1), 20s);
  const Future<Stream> connection = connect(many(3));
  EXPECT_EQ(wait(connection), 20s);
  EXPECT_EQ(network.open_sockets(), 1U);
}

TEST_F(TCPClientTest, WhenAllFailEachIsNamedWithItsReason) {
  network.answers(at(1), 10ms, ECONNREFUSED);
  network.answers(at(2), 500ms, EHOSTUNREACH);
  network.answers("[2001:db8::1]:80", 0ms, ENETUNREACH);
  const Future<Stream> connection = connect({"192.0.2.1", "192.0.2.2", "2001:db8::1"});
  wait(connection);
  const auto error = failure<std::system_error>(connection);
  ASSERT_TRUE(error);
  EXPECT_STREQ(error->what(),
               "connect to 192.0.2.1:80 (Connection refused), "
               "[2001:db8::1]:80 (Network is unreachable), 192.0.2.2:80: No route to host");
  EXPECT_EQ(error->code().value(), EHOSTUNREACH) << "the last one's";
  EXPECT_TRUE(nothing_is_left());
}

TEST_F(TCPClientTest, OfVeryManyAddressesTheFirst32AreTriedAndTheLimitIsNamed) {
  for (int number = 1; number <= 40; ++number) network.answers(at(number), 0ms, ECONNREFUSED);
  const Future<Stream> connection = connect(many(40));
  wait(connection);
  EXPECT_EQ(network.attempts().size(), TCPClient::kMostAddresses);
  const auto error = failure<std::system_error>(connection);
  ASSERT_TRUE(error);
  const std::string end = at(32) + ", but not 8 more, for kMostAddresses is 32: Connection refused";
  EXPECT_TRUE(std::string(error->what()).ends_with(end)) << error->what();
}

TEST_F(TCPClientTest, ASocketThatCannotBeMadeIsAFailedAttempt) {
  network.fail(Call::socket, EMFILE);
  network.answers(at(2));
  const Future<Stream> connection = connect(many(2));
  wait(connection);
  EXPECT_EQ(network.tried(), Texts{at(2)});
  EXPECT_TRUE(connection.result());
}

TEST_F(TCPClientTest, AHostWithoutAnAddressIsNamed) {
  const Future<Stream> connection = connect({});
  wait(connection);
  const auto error = failure<ResolverError>(connection);
  ASSERT_TRUE(error);
  EXPECT_STREQ(error->what(), "cannot resolve 'example.com': no addresses");
}

TEST_F(TCPClientTest, AsksForTheFamilyThatIsWanted) {
  ConnectOptions options;
  options.family = AF_INET6;
  static_cast<void>(connect(many(1), options));
  EXPECT_EQ(resolver_->families, std::vector<int>{AF_INET6});
}

TEST_F(TCPClientTest, OneDeadlineCoversResolvingAndConnecting) {
  auto slow = std::make_shared<OneHost>(many(3));
  slow->delay = 3s;
  const Future<Stream> connection = TCPClient(slow).connect("example.com", 80, within(5s));
  EXPECT_EQ(wait(connection), 5s);
  const auto error = failure<TimeoutError>(connection);
  ASSERT_TRUE(error);
  EXPECT_STREQ(error->what(), "timed out connecting to 'example.com'");
  EXPECT_EQ(network.attempts().size(), 3U);
  EXPECT_TRUE(nothing_is_left());
}

TEST_F(TCPClientTest, TheDeadlineSaysWhenItWasResolvingThatTookTooLong) {
  auto slow = std::make_shared<OneHost>(many(3));
  slow->delay = 1h;
  const Future<Stream> connection = TCPClient(slow).connect("exa\x1bmple.com", 80, within(5s));
  EXPECT_EQ(wait(connection), 5s);
  const auto error = failure<TimeoutError>(connection);
  ASSERT_TRUE(error);
  EXPECT_STREQ(error->what(), "timed out resolving 'exa\\x1bmple.com'");
  EXPECT_TRUE(network.attempts().empty());
  EXPECT_TRUE(nothing_is_left());
}

TEST_F(TCPClientTest, ADeadlineThatWasMetNoLongerCounts) {
  network.answers(at(1), 10ms);
  const Future<Stream> connection = connect(many(2), within(5s));
  wait(connection);
  EXPECT_EQ(loop.time_to_sleep(), Duration::max());
  EXPECT_FALSE(connection.result()->closed());
}

TEST_F(TCPClientTest, DroppingOrCancellingItGivesEverythingUp) {
  Future<Stream> dropped = connect(many(3), within(1min));
  wait(dropped, 300ms);
  EXPECT_EQ(network.open_sockets(), 2U);
  dropped = {};
  EXPECT_TRUE(nothing_is_left());
  Future<Stream> cancelled = connect(many(3), within(1min));
  wait(cancelled, 300ms);
  cancelled.cancel();
  wait(cancelled);
  EXPECT_THROW(cancelled.result(), CancelledError);
  EXPECT_TRUE(nothing_is_left());
}

TEST_F(TCPClientTest, AConnectionThatNobodyTakesIsClosed) {
  network.answers(at(1), 10ms);
  wait(connect(many(1)));
  EXPECT_TRUE(nothing_is_left());
}

TEST_F(TCPClientTest, TheStreamHasTheLimitsThatWereAskedFor) {
  network.answers(at(1));
  ConnectOptions options;
  options.limits.high_water_mark = 1234;
  const Future<Stream> connection = connect(many(1), options);
  wait(connection);
  EXPECT_EQ(connection.result()->limits().high_water_mark, 1234U);
}

TEST_F(TCPClientTest, MayComeFromAnAddressAndAPort) {
  ConnectOptions options;
  options.source_ip = "127.0.0.2";
  options.source_port = 4321;
  wait(connect(many(1), options), 10ms);
  EXPECT_EQ(network.bound(), Texts{"127.0.0.2:4321"});
}

TEST_F(TCPClientTest, ASourcePortAloneIsOneOfTheLoopback) {
  ConnectOptions options;
  options.source_port = 4321;
  wait(connect({"192.0.2.1", "2001:db8::1"}, options), 300ms);
  EXPECT_EQ(network.bound(), (Texts{"127.0.0.1:4321", "[::1]:4321"}));
}

TEST_F(TCPClientTest, WithoutASourceTheKernelDecides) {
  wait(connect(many(1)), 10ms);
  EXPECT_TRUE(network.bound().empty());
}

TEST_F(TCPClientTest, ASourceThatIsNotOursIsAFailedAttemptAndNamed) {
  network.fail(Call::bind, EADDRNOTAVAIL);
  ConnectOptions options;
  options.source_ip = "10.0.0.1";
  const Future<Stream> connection = connect(many(1), options);
  wait(connection);
  const auto error = failure<std::system_error>(connection);
  ASSERT_TRUE(error);
  EXPECT_STREQ(error->what(),
               "connect to 192.0.2.1:80 from 10.0.0.1:0: Cannot assign requested address");
  EXPECT_TRUE(nothing_is_left());
}

TEST_F(TCPClientTest, ASourceThatIsNoAddressIsRefusedBeforeAnythingElse) {
  ConnectOptions options;
  options.source_ip = "localhost";
  const Future<Stream> connection = connect(many(1), options);
  ASSERT_TRUE(connection.done());
  EXPECT_THROW(connection.result(), std::invalid_argument);
  EXPECT_TRUE(resolver_->families.empty());
}

TEST_F(TCPClientTest, AContextForServersIsRefusedBeforeAnythingElse) {
  ConnectOptions options;
  options.tls = TLSContext::for_server(server_options());
  const Future<Stream> connection = connect(many(1), options);
  ASSERT_TRUE(connection.done());
  EXPECT_THROW(connection.result(), std::invalid_argument);
  EXPECT_TRUE(resolver_->families.empty());
}

TEST_F(TCPClientTest, AHundredNamesThatHangFailByTheirTimeoutsAndNobodyElseWaits) {  // DN-01
  BlackHole nobody;
  OverrideResolver::Table table{{{"known.example.com"}, {"192.0.2.1"}}};
  const auto threads = std::make_shared<ThreadedResolver>(4, 1024, nobody.look_up());
  const TCPClient client(std::make_shared<OverrideResolver>(std::move(table), threads));
  network.answers(at(1), 10ms);

  const auto began = std::chrono::steady_clock::now();
  std::vector<Future<Stream>> hang;
  for (int number = 1; number <= 100; ++number)
    hang.push_back(client.connect("name" + std::to_string(number), 80, within(number * 10ms)));
  nobody.wait_for(4);
  for (const char* host : {"192.0.2.1", "known.example.com"}) {
    const Future<Stream> connection = client.connect(host, 80, within(1s));
    EXPECT_EQ(wait(connection), 10ms);
    EXPECT_TRUE(connection.result());
  }
  for (std::size_t number = 1; number <= hang.size(); ++number) {
    wait(hang[number - 1]);
    EXPECT_THROW(hang[number - 1].result(), TimeoutError);
    EXPECT_TRUE(number < 4 || number == hang.size() || !hang[number].done()) << number;
  }
  EXPECT_LT(std::chrono::steady_clock::now() - began, 10s) << "no turn of the loop has waited";
  EXPECT_EQ(nobody.asked().size(), 4U) << "the others never had a thread";
  EXPECT_TRUE(nothing_is_left());
}

TEST_F(TCPClientTest, TheDeadlineCoversTheTLSHandshakeToo) {
  network.answers(at(1), 1s);  // and then says nothing
  ConnectOptions options = within(5s);
  options.tls = TLSContext::for_client(client_options());
  const Future<Stream> connection = connect(many(1), options);
  EXPECT_EQ(wait(connection), 5s);
  const auto error = failure<TimeoutError>(connection);
  ASSERT_TRUE(error);
  EXPECT_STREQ(error->what(), "timed out in the TLS handshake with 'example.com'");
  EXPECT_TRUE(nothing_is_left());
}

TEST_F(TCPClientTest, TheHandshakeHasATimeoutOfItsOwn) {
  network.answers(at(1), 1s);  // and then says nothing
  ConnectOptions options;
  options.tls = TLSContext::for_client(client_options());
  options.handshake_timeout = 30s;
  const Future<Stream> connection = connect(many(1), options);
  EXPECT_EQ(wait(connection), 31s);
  EXPECT_TRUE(failure<StreamClosedError>(connection));
  EXPECT_TRUE(nothing_is_left());
}

// The kernel's own sockets.
class TCPClientOnThisMachine : public testing::Test {
 protected:
  Stream connect_unix(const std::string& path) {
    return loop_.run_sync([&] { return TCPClient().connect_unix(path); });
  }
  IOLoop loop_;
};

TEST_F(TCPClientOnThisMachine, ConnectsByNameWithoutBeingToldHow) {
  const std::vector<UniqueFd> listening = bind_sockets(0, "localhost");
  const std::uint16_t port = SocketAddress::local_of(listening.front().get()).port();
  const Stream stream = loop_.run_sync([&] { return TCPClient().connect("localhost", port); });
  EXPECT_EQ(SocketAddress::peer_of(stream->fileno()).port(), port);
}

TEST_F(TCPClientOnThisMachine, ConnectsInOneExpressionOfACoroutine) {
  const std::vector<UniqueFd> listening = bind_sockets(0, "127.0.0.1");
  const SocketAddress there = SocketAddress::local_of(listening.front().get());
  const auto connect = [](SocketAddress address) -> Future<SocketAddress> {
    const Stream stream = co_await TCPClient().connect("127.0.0.1", address.port());
    co_return SocketAddress::peer_of(stream->fileno());
  };
  EXPECT_EQ(loop_.run_sync([&] { return connect(there); }).to_string(), there.to_string());
}

TEST_F(TCPClientOnThisMachine, ReallyComesFromItsSource) {
  const std::vector<UniqueFd> listening = bind_sockets(0, "127.0.0.1");
  const std::uint16_t port = SocketAddress::local_of(listening.front().get()).port();
  ConnectOptions options;
  options.source_ip = "127.0.0.2";
  const Stream stream =
      loop_.run_sync([&] { return TCPClient().connect("127.0.0.1", port, options); });
  EXPECT_TRUE(SocketAddress::local_of(stream->fileno()).to_string().starts_with("127.0.0.2:"));
}

TEST_F(TCPClientOnThisMachine, ConnectsToAUnixSocketByItsPath) {
  std::string directory = testing::TempDir() + "eddy-XXXXXX";
  ASSERT_TRUE(::mkdtemp(directory.data()));
  const std::string path = directory + "/socket";
  const UniqueFd listening = bind_unix_socket(path);
  EXPECT_EQ(SocketAddress::peer_of(connect_unix(path)->fileno()).to_string(), "unix:" + path);
  std::filesystem::remove_all(directory);
}

TEST_F(TCPClientOnThisMachine, AUnixSocketThatIsNotThereIsNamed) {
  try {
    connect_unix("@nobody-listens-here");
    ADD_FAILURE();
  } catch (const std::system_error& error) {
    EXPECT_STREQ(error.what(), "connect to unix:@nobody-listens-here: Connection refused");
  }
  EXPECT_THROW(connect_unix(""), std::invalid_argument);
}

TEST_F(TCPClientOnThisMachine, OverAUnixSocketTLSMustBeToldWhomToExpect) {
  const std::string name = "@eddy-tcp-client-test-" + std::to_string(::getpid());
  const UniqueFd listening = bind_unix_socket(name);
  ConnectOptions options;
  options.tls = TLSContext::for_client(client_options());
  const Future<Stream> connection = TCPClient().connect_unix(name, options);
  ASSERT_TRUE(connection.done()) << "before anybody is asked";
  EXPECT_THROW(connection.result(), std::invalid_argument);
}

// A server certified for localhost, which `elsewhere.example.com` leads to as well.
class TCPClientTLS : public TCPClientOnThisMachine {
 protected:
  Stream connect(const std::string& host, const std::string& server_hostname = "") {
    OverrideResolver::Table table{{{"elsewhere.example.com"}, {"127.0.0.1"}}};
    const TCPClient client(
        std::make_shared<OverrideResolver>(std::move(table), default_resolver()));
    ConnectOptions options;
    options.tls = TLSContext::for_client(client_options());
    options.server_hostname = server_hostname;
    return loop_.run_sync([&] { return client.connect(host, port_, options); });
  }
  std::string refusal(const std::string& host) {
    try {
      connect(host);
    } catch (const StreamClosedError& error) {
      return error.what();
    }
    return "none";
  }

 private:
  const LogCapture log_;  // the server's complaints about who refuses it
  const std::shared_ptr<const TLSContext> context_ = TLSContext::for_server(server_options());
  const UniqueFd listening_ = std::move(bind_sockets(0, "127.0.0.1").front());
  std::vector<Stream> accepted_;
  const AcceptHandler accepting_{
      listening_.get(), [this](UniqueFd socket, const SocketAddress&) {
        accepted_.push_back(std::make_unique<TLSIOStream>(std::move(socket), context_));
      }};
  const std::uint16_t port_ = SocketAddress::local_of(listening_.get()).port();
};

TEST_F(TCPClientTLS, GivesAStreamThatSpeaksItToTheHostThatWasAskedFor) {
  for (const char* host : {"localhost", "127.0.0.1"}) {
    const Stream stream = connect(host);
    EXPECT_EQ(dynamic_cast<TLSIOStream&>(*stream).tls_version(), "TLSv1.3");
  }
}

TEST_F(TCPClientTLS, AHostThatIsCertifiedAsSomebodyElseIsRefused) {
  EXPECT_NE(refusal("elsewhere.example.com").find("mismatch"), std::string::npos)
      << refusal("elsewhere.example.com");
  EXPECT_TRUE(connect("elsewhere.example.com", "localhost")) << "by the name that we expect";
}

}  // namespace
}  // namespace eddy
