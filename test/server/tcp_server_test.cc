#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <ostream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <eddy/loop/await.h>
#include <eddy/loop/coroutine.h>
#include <eddy/loop/gen.h>
#include <eddy/server/tcp_server.h>
#include <eddy/stream/close_gracefully.h>

#include "../support/raw_client.h"
#include "../support/simulated_loop.h"

#include <eddy/loop/yield.h>

namespace eddy {
namespace {

using namespace std::chrono_literals;
using Stream = std::unique_ptr<IOStream>;
using Conversation = std::function<Future<>(Stream)>;

// --- An echo of lines in each style

Future<> echo_by_co_await(Stream stream) {
  for (;;) co_await stream->write(co_await stream->read_until("\n"));
}

class EchoSession : public Coroutine<> {
 public:
  explicit EchoSession(Stream stream) : stream_(std::move(stream)) {}

 private:
  void body() override {
    CO_BEGIN;
    for (;;) {
      CO_AWAIT(line_ = stream_->read_until("\n"));
      CO_AWAIT(stream_->write(line_.result()));
    }
    CO_END;
  }

  const Stream stream_;
  Future<std::string> line_;
};

Future<> echo_by_macro(Stream stream) { return start_coroutine<EchoSession>(std::move(stream)); }

class EchoByCallbacks : public std::enable_shared_from_this<EchoByCallbacks> {
 public:
  explicit EchoByCallbacks(Stream stream) : stream_(std::move(stream)) {}
  Future<> run() {
    read();
    return over_.future();
  }

 private:
  void read() {
    stream_->loop().add_future(
        stream_->read_until("\n"),
        [self = shared_from_this()](const Future<std::string>& line) { self->answer(line); });
  }
  void answer(const Future<std::string>& line) {
    if (line.exception()) {
      over_.set_result();
      return;
    }
    static_cast<void>(stream_->write(line.result()));
    read();
  }

  const Stream stream_;
  Promise<> over_;
};

Future<> echo_by_callbacks(Stream stream) {
  return std::make_shared<EchoByCallbacks>(std::move(stream))->run();
}

Future<> wait_for_ever(Stream stream) { co_await stream->read_until_close(); }

// --- A server whose conversations are what a test says

class TestServer : public TCPServer {
 public:
  explicit TestServer(Conversation talk, const TCPServerOptions& options = {})
      : TCPServer(options), converse(std::move(talk)) {}
  ~TestServer() override { close_all_connections(); }

  Conversation converse;
  Conversation refuse;  // as TCPServer does, while there is none
  std::function<void()> when_draining = [] {};
  std::vector<std::string> peers;

 protected:
  Future<> handle_stream(Stream stream, SocketAddress address) override {
    peers.push_back(address.to_string());
    return converse(std::move(stream));
  }
  Future<> refuse_stream(Stream stream, SocketAddress address) override {
    if (refuse) return refuse(std::move(stream));
    return TCPServer::refuse_stream(std::move(stream), address);
  }
  void draining() override { when_draining(); }
};

class TCPServerTest : public SimulatedLoop {
 public:
  TestServer& serve(Conversation conversation, const TCPServerOptions& options = {}) {
    server = std::make_unique<TestServer>(std::move(conversation), options);
    server->listen(0, "127.0.0.1");
    address = server->addresses().front();
    return *server;
  }
  RawClient& connect() { return clients.emplace_back(address); }
  bool run_until_connections(std::size_t count) {
    return run_until([&] { return server->connections() == count; });
  }
  bool answers(RawClient& client, const std::string& line) {
    const std::string expected = client.received() + line;
    client.send(line);
    return run_until([&] { return client.received() == expected; });
  }
  bool run_until_over(RawClient& client) {
    return run_until([&] { return client.over(); });
  }
  bool run_until_done(const Future<std::size_t>& left) {
    return run_until([&] { return left.done(); });
  }

  std::unique_ptr<TestServer> server;
  SocketAddress address;
  std::list<RawClient> clients;
};
using TCPServerStop = TCPServerTest;
using TCPServerDrain = TCPServerTest;
using TCPServerLimits = TCPServerTest;
using TCPServerDropped = TCPServerTest;

// --- Listening

TEST_F(TCPServerTest, ListensAtOnce) {
  serve(echo_by_co_await);
  EXPECT_TRUE(answers(connect(), "hello\n"));
}

TEST_F(TCPServerTest, ListensOnSeveralPortsAndSaysWhere) {
  serve(echo_by_co_await).listen(0, "127.0.0.1");
  const std::vector<SocketAddress> addresses = server->addresses();
  ASSERT_EQ(addresses.size(), 2U);
  EXPECT_FALSE(addresses[0] == addresses[1]);
  for (const SocketAddress& one : addresses)
    EXPECT_TRUE(answers(clients.emplace_back(one), "hello\n")) << one.to_string();
}

TEST_F(TCPServerTest, WhatIsBoundIsAcceptedFromStartOn) {
  server = std::make_unique<TestServer>(echo_by_co_await);
  server->bind(0, "127.0.0.1");
  server->bind(0, "127.0.0.1");
  const std::vector<SocketAddress> addresses = server->addresses();
  ASSERT_EQ(addresses.size(), 2U);
  for (const SocketAddress& one : addresses) clients.emplace_back(one);
  turn_a_few_times();
  EXPECT_EQ(server->connections(), 0U);
  EXPECT_EQ(server->start(), std::nullopt);
  EXPECT_TRUE(run_until_connections(2));
  EXPECT_EQ(server->addresses(), addresses);
}

TEST_F(TCPServerTest, WhatIsBoundAfterStartIsAcceptedAtOnce) {
  server = std::make_unique<TestServer>(echo_by_co_await);
  EXPECT_EQ(server->start(), std::nullopt);
  server->bind(0, "127.0.0.1");
  address = server->addresses().front();
  EXPECT_TRUE(answers(connect(), "hello\n"));
}

TEST_F(TCPServerTest, StartsOnlyOnce) {
  server = std::make_unique<TestServer>(echo_by_co_await);
  EXPECT_EQ(server->start(), std::nullopt);
  EXPECT_THROW(static_cast<void>(server->start()), InvalidStateError);
}

TEST_F(TCPServerTest, StoppedBeforeItStartsItLeavesWhatItBound) {
  server = std::make_unique<TestServer>(echo_by_co_await);
  server->bind(0, "127.0.0.1");
  const SocketAddress bound = server->addresses().front();
  server->stop();
  EXPECT_TRUE(server->addresses().empty());
  EXPECT_THROW(RawClient{bound}, std::system_error);
}

TEST_F(TCPServerTest, TakesSocketsMadeElsewhere) {
  server = std::make_unique<TestServer>(echo_by_co_await);
  server->add_sockets(bind_sockets(0, "127.0.0.1"));
  address = server->addresses().front();
  EXPECT_TRUE(answers(connect(), "hello\n"));
}

TEST_F(TCPServerTest, ASocketMadeElsewhereMayBlock) {
  UniqueFd listener(::socket(AF_INET, SOCK_STREAM, 0));
  ASSERT_EQ(::listen(listener.get(), 1), 0);
  server = std::make_unique<TestServer>(echo_by_co_await);
  const int fd = listener.get();
  server->add_socket(std::move(listener));
  ASSERT_TRUE(::fcntl(fd, F_GETFL) & O_NONBLOCK);
  EXPECT_TRUE(::fcntl(fd, F_GETFD) & FD_CLOEXEC);
  address = *SocketAddress::parse("127.0.0.1", server->addresses().front().port());
  EXPECT_TRUE(answers(connect(), "hello\n"));
}

TEST_F(TCPServerTest, ServesUnixSocketsToo) {
  const std::string name = "@eddy-server-" + std::to_string(::getpid());
  server = std::make_unique<TestServer>(echo_by_co_await);
  server->add_socket(bind_unix_socket(name));
  address = server->addresses().front();
  EXPECT_TRUE(answers(connect(), "hello\n"));
  EXPECT_EQ(server->peers, std::vector<std::string>{"unix:"});
}

TEST_F(TCPServerTest, WhatIsNoDescriptorIsAnError) {
  server = std::make_unique<TestServer>(echo_by_co_await);
  EXPECT_THROW(server->add_socket(UniqueFd()), std::system_error);
}

TEST_F(TCPServerTest, AddsAllSocketsOrNone) {
  server = std::make_unique<TestServer>(echo_by_co_await);
  std::vector<UniqueFd> both = bind_sockets(0, "127.0.0.1");
  both.push_back(std::move(bind_sockets(0, "127.0.0.1").front()));
  const std::size_t before = open_descriptors();
  platform.let_pass(Call::epoll_add);
  platform.fail(Call::epoll_add, ENOSPC);
  EXPECT_THROW(server->add_sockets(std::move(both)), std::system_error);
  EXPECT_TRUE(server->addresses().empty());
  both.clear();
  EXPECT_EQ(open_descriptors(), before - 2);
}

// --- Conversations

struct Style {
  const char* name;
  Conversation converse;
};
void PrintTo(const Style& style, std::ostream* out) { *out << style.name; }

class TCPServerStyle : public TCPServerTest, public testing::WithParamInterface<Style> {};

TEST_P(TCPServerStyle, ServesManyAtOnceAndEndsWithThePeer) {
  serve(GetParam().converse);
  for (int i = 0; i < 3; ++i) connect();
  for (RawClient& client : clients) EXPECT_TRUE(answers(client, "one\n"));
  for (RawClient& client : clients) EXPECT_TRUE(answers(client, "two\n"));
  EXPECT_EQ(server->connections(), 3U);
  clients.front().end();
  EXPECT_TRUE(run_until_over(clients.front()));
  EXPECT_TRUE(run_until_connections(2));
  clients.clear();
  EXPECT_TRUE(run_until_connections(0));
  EXPECT_TRUE(log.lines().empty()) << "that a peer goes is no event";
}

TEST_P(TCPServerStyle, PeersThatResetAreForgotten) {
  serve(GetParam().converse);
  const std::size_t before = open_descriptors();
  for (int i = 0; i < 50; ++i) connect().send("hello\n");
  for (int i = 0; i < 25; ++i) {  // half of them before they are accepted
    clients.back().reset();
    clients.pop_back();
  }
  EXPECT_TRUE(run_until([&] { return server->peers.size() >= 25; }));
  for (RawClient& client : clients) client.reset();
  EXPECT_TRUE(run_until_connections(0));
  turn_a_few_times();
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_TRUE(log.lines().empty());
}

INSTANTIATE_TEST_SUITE_P(Each, TCPServerStyle,
                         testing::Values(Style{"Callbacks", echo_by_callbacks},
                                         Style{"Macro", echo_by_macro},
                                         Style{"CoAwait", echo_by_co_await}),
                         [](const auto& style) { return std::string(style.param.name); });

TEST_F(TCPServerTest, AConversationLearnsThePeersAddress) {
  serve(echo_by_co_await);
  connect();
  ASSERT_TRUE(run_until_connections(1));
  EXPECT_EQ(server->peers.front(), clients.front().address().to_string());
}

TEST_F(TCPServerTest, StreamsHaveTheServersLimits) {
  TCPServerOptions options;
  options.stream.max_buffer_size = 10'000;
  options.stream.read_chunk_size = 100;
  std::size_t max_buffer_size = 0;
  std::size_t read_chunk_size = 0;
  serve(
      [&](Stream stream) {
        max_buffer_size = stream->limits().max_buffer_size;
        read_chunk_size = stream->limits().read_chunk_size;
        return Future<>();
      },
      options);
  connect();
  ASSERT_TRUE(run_until([&] { return !server->peers.empty(); }));
  EXPECT_EQ(max_buffer_size, 10'000U);
  EXPECT_EQ(read_chunk_size, 100U);
}

TEST_F(TCPServerTest, AcceptingDoesNotWaitForAConversation) {
  serve(wait_for_ever);
  connect();
  connect();
  EXPECT_TRUE(run_until_connections(2));
}

TEST_F(TCPServerTest, AConversationCountsFromItsFirstStep) {
  std::size_t connections = 0;
  serve([&](Stream stream) {
    connections = server->connections();
    return wait_for_ever(std::move(stream));
  });
  connect();
  connect();
  ASSERT_TRUE(run_until_connections(2));
  EXPECT_EQ(connections, 2U);
}

TEST_F(TCPServerTest, AConversationThatReturnsClosesItsStream) {
  serve([](Stream stream) -> Future<> { co_await stream->write("bye\n"); });
  EXPECT_TRUE(run_until_over(connect()));
  EXPECT_EQ(clients.front().received(), "bye\n");
  EXPECT_EQ(server->connections(), 0U);
}

TEST_F(TCPServerTest, PlainCodeMayKeepTheStreamAndIsThenNotCounted) {
  Stream kept;
  serve([&](Stream stream) {
    kept = std::move(stream);
    return Future<>();
  });
  connect();
  ASSERT_TRUE(run_until([&] { return kept != nullptr; }));
  EXPECT_EQ(server->connections(), 0U);
  EXPECT_FALSE(clients.front().over());
  kept.reset();
  EXPECT_TRUE(run_until_over(clients.front()));
}

TEST_F(TCPServerTest, AStreamThatPlainCodeKeepsIsClosedWithTheServer) {
  Stream kept;
  serve([&](Stream stream) {
    kept = std::move(stream);
    return Future<>();
  });
  connect();
  ASSERT_TRUE(run_until([&] { return kept != nullptr; }));
  server.reset();
  EXPECT_TRUE(kept->closed());
  EXPECT_TRUE(clients.front().over());
}

TEST_F(TCPServerTest, AKernelThatKnowsNoNodelayHarmsNobody) {
  serve([](Stream stream) {
    stream->set_nodelay(true);
    return echo_by_co_await(std::move(stream));
  });
  platform.fail(Call::setsockopt, EINVAL);
  EXPECT_TRUE(answers(connect(), "hello\n"));
  EXPECT_TRUE(log.lines().empty());
}

TEST_F(TCPServerTest, AKernelThatRefusesToWatchAConnectionEndsOnlyThatOne) {
  serve(echo_by_co_await);
  platform.fail(Call::epoll_add, ENOSPC);
  EXPECT_TRUE(run_until_over(connect()));
  EXPECT_TRUE(answers(connect(), "hello\n"));
  EXPECT_EQ(server->connections(), 1U);
}

// --- Conversations that fail

struct Failure {
  const char* name;
  Conversation conversation;
};
std::string name_of(const testing::TestParamInfo<Failure>& info) { return info.param.name; }

class TCPServerFailure : public TCPServerTest, public testing::WithParamInterface<Failure> {
 protected:
  void expect_the_next_one_is_served() {
    server->converse = echo_by_co_await;
    EXPECT_TRUE(answers(connect(), "hello\n"));
    EXPECT_EQ(server->connections(), 1U);
  }
};
using TCPServerQuietFailure = TCPServerFailure;

template <class Error>
Future<> fail_later(Stream stream, Error error) {
  co_await stream->write("bye\n");
  co_await moment;
  throw error;
}
template <class Error>
Conversation fails_later(Error error) {
  return [error](Stream stream) { return fail_later(std::move(stream), error); };
}
template <class Error>
Future<> fail_before_any_wait(Stream, Error error) {
  throw error;
  co_return;
}
template <class Error>
Conversation fails_before_any_wait(Error error) {
  return [error](Stream stream) { return fail_before_any_wait(std::move(stream), error); };
}
template <class Error>
Conversation throws(Error error) {
  return [error](Stream) -> Future<> { throw error; };
}

TEST_P(TCPServerFailure, IsLoggedAndTheStreamClosed) {
  serve(GetParam().conversation);
  EXPECT_TRUE(run_until_over(connect()));
  EXPECT_EQ(log.lines().size(), 1U);
  EXPECT_EQ(log.count("Error in conversation: clumsy"), 1U);
  expect_the_next_one_is_served();
}

INSTANTIATE_TEST_SUITE_P(
    Each, TCPServerFailure,
    testing::Values(Failure{"ThrownByPlainCode", throws(std::runtime_error("clumsy"))},
                    Failure{"BeforeAnyWait", fails_before_any_wait(std::runtime_error("clumsy"))},
                    Failure{"Later", fails_later(std::runtime_error("clumsy"))}),
    name_of);

TEST_P(TCPServerQuietFailure, IsTheUsualEndAndNotLogged) {
  serve(GetParam().conversation);
  EXPECT_TRUE(run_until_over(connect()));
  EXPECT_TRUE(log.lines().empty());
  expect_the_next_one_is_served();
}

INSTANTIATE_TEST_SUITE_P(
    Each, TCPServerQuietFailure,
    testing::Values(Failure{"ClosedThrownByPlainCode", throws(StreamClosedError())},
                    Failure{"ClosedBeforeAnyWait", fails_before_any_wait(StreamClosedError())},
                    Failure{"ClosedLater", fails_later(StreamClosedError())},
                    Failure{"CancelledLater", fails_later(CancelledError())}),
    name_of);

TEST_F(TCPServerTest, AFailureThatIsNoExceptionClassIsLoggedToo) {
  serve([](Stream) -> Future<> { throw 42; });
  EXPECT_TRUE(run_until_over(connect()));
  EXPECT_EQ(log.count("Error in conversation: "), 1U);
}

// --- stop()

TEST_F(TCPServerStop, ClosesTheListenersAndLetsConversationsGoOn) {
  serve(echo_by_co_await);
  RawClient& client = connect();
  ASSERT_TRUE(answers(client, "before\n"));
  server->stop();
  EXPECT_TRUE(server->addresses().empty());
  EXPECT_THROW(connect(), std::system_error);
  EXPECT_TRUE(answers(client, "after\n"));
}

TEST_F(TCPServerStop, TwiceIsHarmless) {
  serve(echo_by_co_await);
  server->stop();
  server->stop();
  EXPECT_THROW(connect(), std::system_error);
}

TEST_F(TCPServerStop, DropsWhoWaitsInTheKernelsQueue) {
  serve(echo_by_co_await);
  connect();
  server->stop();
  EXPECT_TRUE(run_until_over(clients.front()));
  EXPECT_TRUE(server->peers.empty());
}

TEST_F(TCPServerStop, FromAConversationEndsTheBatch) {
  serve([this](Stream stream) {
    server->stop();
    return echo_by_co_await(std::move(stream));
  });
  for (int i = 0; i < 3; ++i) connect();
  EXPECT_TRUE(answers(clients.front(), "hello\n"));
  EXPECT_EQ(server->peers.size(), 1U);
}

TEST_F(TCPServerStop, ListeningAgainIsAllowed) {
  serve(echo_by_co_await);
  server->stop();
  server->listen(0, "127.0.0.1");
  address = server->addresses().front();
  EXPECT_TRUE(answers(connect(), "hello\n"));
}

// --- drain()

TEST_F(TCPServerDrain, IsDoneAtOnceWhenNobodyIsThere) {
  serve(echo_by_co_await);
  const Future<std::size_t> left = server->drain(10s);
  ASSERT_TRUE(left.done());
  EXPECT_EQ(left.result(), 0U);
  EXPECT_THROW(connect(), std::system_error);
}

TEST_F(TCPServerDrain, WaitsForConversationsThatAreBusy) {
  serve([](Stream stream) -> Future<> {
    const std::string line = co_await stream->read_until("\n");
    co_await sleep(1s);
    co_await stream->write(line);
  });
  connect().send("hello\n");
  ASSERT_TRUE(run_until_connections(1));
  const Future<std::size_t> left = server->drain(10s);
  pass(999ms);
  EXPECT_FALSE(left.done());
  pass(1ms);
  ASSERT_TRUE(run_until_done(left));
  EXPECT_EQ(left.result(), 0U);
  EXPECT_TRUE(run_until_over(clients.front()));
  EXPECT_EQ(clients.front().received(), "hello\n");
}

TEST_F(TCPServerDrain, SaysHowManyAreStuckWhenPatienceEnds) {
  serve(wait_for_ever);
  connect();
  connect();
  ASSERT_TRUE(run_until_connections(2));
  const Future<std::size_t> left = server->drain(10s);
  pass(10s - 1ms);
  EXPECT_FALSE(left.done());
  pass(1ms);
  ASSERT_TRUE(left.done());
  EXPECT_EQ(left.result(), 2U);
  EXPECT_FALSE(clients.front().over()) << "ending them is the caller's decision";
  server->close_all_connections();
  EXPECT_EQ(server->connections(), 0U);
  for (RawClient& client : clients) EXPECT_TRUE(run_until_over(client));
}

TEST_F(TCPServerDrain, TellsIdleConversationsToEnd) {
  Promise<> over;
  serve([&](Stream stream) -> Future<> {
    co_await over.future();
    co_await stream->write("bye\n");
  });
  int told = 0;
  server->when_draining = [&] {
    ++told;
    over.set_result();
  };
  connect();
  ASSERT_TRUE(run_until_connections(1));
  const Future<std::size_t> left = server->drain(10s);
  ASSERT_TRUE(run_until_done(left));
  EXPECT_EQ(left.result(), 0U);
  EXPECT_EQ(told, 1);
  EXPECT_TRUE(run_until_over(clients.front()));
  EXPECT_EQ(clients.front().received(), "bye\n");
}

TEST_F(TCPServerDrain, ServesWhoHadReachedTheMachine) {
  serve(
      [](Stream stream) -> Future<> { co_await stream->write(co_await stream->read_until("\n")); });
  for (int i = 0; i < 3; ++i) connect().send("hello\n");
  const Future<std::size_t> left = server->drain(10s);
  EXPECT_EQ(server->peers.size(), 3U);
  ASSERT_TRUE(run_until_done(left));
  EXPECT_EQ(left.result(), 0U);
  for (RawClient& client : clients) {
    EXPECT_TRUE(run_until_over(client));
    EXPECT_EQ(client.received(), "hello\n");
  }
}

TEST_F(TCPServerDrain, OfOneOfSeveralThatShareAPortLeavesTheOthers) {
  TCPServerOptions options;
  options.bind.reuse_port = true;
  serve(echo_by_co_await, options);
  TestServer other(echo_by_co_await, options);
  other.listen(address.port(), "127.0.0.1");
  for (int i = 0; i < 32; ++i) connect().send("hello\n");
  static_cast<void>(server->drain(10s));  // with those that the kernel had given to it
  for (int i = 0; i < 8; ++i) connect().send("hello\n");
  for (RawClient& client : clients)
    EXPECT_TRUE(run_until([&] { return client.received() == "hello\n"; }));
  EXPECT_GE(other.connections(), 8U);
  EXPECT_EQ(server->connections() + other.connections(), 40U);
}

TEST_F(TCPServerDrain, TellsThoseItHasJustTakenInAsWell) {
  serve(wait_for_ever);
  std::size_t connections = 0;
  server->when_draining = [&] { connections = server->connections(); };
  connect();
  const Future<std::size_t> left = server->drain(10s);
  EXPECT_EQ(connections, 1U);
}

TEST_F(TCPServerDrain, WithoutPatienceCountsWhoIsThere) {
  serve(wait_for_ever);
  connect();
  ASSERT_TRUE(run_until_connections(1));
  const Future<std::size_t> left = server->drain(0s);
  ASSERT_TRUE(run_until_done(left));
  EXPECT_EQ(left.result(), 1U);
}

TEST_F(TCPServerDrain, WithPatienceWithoutEndWaitsForAll) {
  serve(wait_for_ever);
  connect();
  ASSERT_TRUE(run_until_connections(1));
  const Future<std::size_t> left = server->drain(Duration::max());
  pass(24h);
  EXPECT_FALSE(left.done());
  clients.clear();
  EXPECT_TRUE(run_until_done(left));
}

TEST_F(TCPServerDrain, TwiceAtOnceWaitsTwice) {
  serve(wait_for_ever);
  connect();
  ASSERT_TRUE(run_until_connections(1));
  const Future<std::size_t> impatient = server->drain(1s);
  const Future<std::size_t> patient = server->drain(10s);
  pass(1s);
  ASSERT_TRUE(impatient.done());
  EXPECT_EQ(impatient.result(), 1U);
  EXPECT_FALSE(patient.done());
  clients.clear();
  ASSERT_TRUE(run_until_done(patient));
  EXPECT_EQ(patient.result(), 0U);
}

TEST_F(TCPServerDrain, ClosingAllConnectionsEndsIt) {
  serve(wait_for_ever);
  connect();
  ASSERT_TRUE(run_until_connections(1));
  const Future<std::size_t> left = server->drain(10s);
  server->close_all_connections();
  ASSERT_TRUE(run_until_done(left));
  EXPECT_EQ(left.result(), 0U);
}

TEST_F(TCPServerDrain, StopsWhatItTakesInWhenAConversationStops) {
  serve([this](Stream stream) {
    server->stop();
    return echo_by_co_await(std::move(stream));
  });
  for (int i = 0; i < 3; ++i) connect();
  const Future<std::size_t> left = server->drain(10s);
  EXPECT_EQ(server->connections(), 1U);
}

TEST_F(TCPServerDrain, MayBeAskedForByAConversation) {
  std::optional<Future<std::size_t>> left;
  serve([&](Stream stream) {
    if (!left) left = server->drain(1s);
    return echo_by_co_await(std::move(stream));
  });
  for (int i = 0; i < 3; ++i) connect();
  EXPECT_TRUE(run_until([&] { return left.has_value(); }));
  EXPECT_EQ(server->connections(), 3U) << "those behind it were taken in first";
}

TEST_F(TCPServerDrain, DuringAShortageOfDescriptorsLeavesNothingBehind) {
  serve(echo_by_co_await);
  platform.fail(Call::accept, EMFILE, FaultyPlatform::kAlways);
  connect();
  ASSERT_TRUE(run_until([&] { return log.count("cannot accept connections") == 1; }));
  const Future<std::size_t> left = server->drain(1s);
  EXPECT_TRUE(left.done());
  pass(1s);
  EXPECT_EQ(log.lines().size(), 1U);
}

TEST_F(TCPServerDrain, FailsWhenTheServerIsDropped) {
  serve(wait_for_ever);
  connect();
  ASSERT_TRUE(run_until_connections(1));
  const Future<std::size_t> left = server->drain(10s);
  server.reset();
  ASSERT_TRUE(run_until_done(left));
  EXPECT_THROW(left.result(), CancelledError);
}

TEST_F(TCPServerDrain, FailsWhenTheServerIsDroppedByAConversationItTakesIn) {
  int taken_in = 0;
  serve([&](Stream) -> Future<> {
    ++taken_in;
    server.reset();
    return {};
  });
  for (int i = 0; i < 3; ++i) connect();
  const Future<std::size_t> left = server->drain(10s);
  ASSERT_TRUE(left.done());
  EXPECT_THROW(left.result(), CancelledError);
  EXPECT_EQ(taken_in, 1);
}

TEST_F(TCPServerDrain, FailsWhenTheServerIsDroppedAsItIsTold) {
  serve(wait_for_ever);
  server->when_draining = [this] { server.reset(); };
  const Future<std::size_t> left = server->drain(10s);
  ASSERT_TRUE(left.done());
  EXPECT_THROW(left.result(), CancelledError);
}

// --- Limits

TCPServerOptions at_most(std::size_t connections) {
  TCPServerOptions options;
  options.max_connections = connections;
  return options;
}

TEST_F(TCPServerLimits, BeyondMaxConnectionsPeersAreClosedCountedAndLogged) {
  serve(echo_by_co_await, at_most(2));
  for (int i = 0; i < 5; ++i) connect();
  ASSERT_TRUE(run_until([&] { return server->refused() == 3; }));
  EXPECT_EQ(server->connections(), 2U);
  EXPECT_TRUE(answers(clients.front(), "hello\n"));
  EXPECT_TRUE(run_until_over(clients.back()));
  EXPECT_EQ(log.lines().size(), 3U);
  EXPECT_EQ(log.count("refused, max_connections = 2: " + clients.back().address().to_string()), 1U);
}

TEST_F(TCPServerLimits, WhenOneLeavesThereIsRoomAgain) {
  serve(echo_by_co_await, at_most(1));
  connect();
  ASSERT_TRUE(run_until_connections(1));
  clients.front().close();
  ASSERT_TRUE(run_until_connections(0));
  EXPECT_TRUE(answers(connect(), "hello\n"));
  EXPECT_EQ(server->refused(), 0U);
}

TEST_F(TCPServerLimits, ARefusalMaySayWhyFirst) {
  serve(wait_for_ever, at_most(1));
  server->refuse = [](Stream stream) -> Future<> {
    static_cast<void>(stream->write("full\n"));
    co_await close_gracefully(*stream, 1s);
  };
  connect();
  ASSERT_TRUE(run_until_connections(1));
  RawClient& refused = connect();
  EXPECT_TRUE(run_until_over(refused));
  EXPECT_EQ(refused.received(), "full\n");
  EXPECT_EQ(server->connections(), 1U) << "a refusal is no conversation";
  EXPECT_TRUE(log.lines().empty());
}

TEST_F(TCPServerLimits, ARefusalThatFailsIsLogged) {
  serve(wait_for_ever, at_most(1));
  server->refuse = throws(std::runtime_error("clumsy"));
  connect();
  ASSERT_TRUE(run_until_connections(1));
  EXPECT_TRUE(run_until_over(connect()));
  EXPECT_EQ(log.count("Error in conversation: clumsy"), 1U);
}

TEST_F(TCPServerLimits, DrainLetsRefusalsFinish) {
  serve(echo_by_co_await, at_most(1));
  server->refuse = [](Stream stream) -> Future<> {
    co_await sleep(1s);
    co_await stream->write("full\n");
  };
  connect();
  connect();
  const Future<std::size_t> left = server->drain(10s);
  clients.front().close();
  ASSERT_TRUE(run_until_connections(0));
  turn_a_few_times();
  EXPECT_FALSE(left.done());
  pass(1s);
  ASSERT_TRUE(run_until_done(left));
  EXPECT_EQ(clients.back().received(), "full\n");
}

TEST_F(TCPServerLimits, TheFullestStreamIsClosedWhenAllTogetherHoldTooMuch) {
  TCPServerOptions options;
  options.max_total_buffer_size = 100'000;
  serve(echo_by_co_await, options);
  RawClient& modest = connect();
  RawClient& greedy = connect();
  modest.send(std::string(30'000, 'm'));
  greedy.send(std::string(60'000, 'g'));
  ASSERT_TRUE(run_until([&] { return server->buffers().total() == 90'000; }));
  modest.send(std::string(20'000, 'm'));
  EXPECT_TRUE(run_until_over(greedy));
  EXPECT_TRUE(run_until([&] { return server->buffers().total() == 50'000; }));
  EXPECT_EQ(server->buffers().evicted(), 1U);
  EXPECT_EQ(log.count("max_total_buffer_size = 100000"), 1U);
  modest.send("\n");
  EXPECT_TRUE(run_until([&] { return modest.received().size() == 50'001; }));
  EXPECT_EQ(server->buffers().total(), 0U);
}

// --- Dropping the server

TEST_P(TCPServerStyle, DroppingTheServerEndsThemAll) {
  serve(GetParam().converse);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(answers(connect(), "hello\n"));
  server.reset();
  for (RawClient& client : clients) EXPECT_TRUE(client.over());
  EXPECT_THROW(connect(), std::system_error);
  turn_a_few_times();
  EXPECT_TRUE(log.lines().empty());
}

TEST_P(TCPServerStyle, ClosingAllConnectionsEndsThemAllAndTheServerGoesOn) {
  serve(GetParam().converse);
  ASSERT_TRUE(answers(connect(), "hello\n"));
  server->close_all_connections();
  EXPECT_TRUE(clients.front().over());
  EXPECT_EQ(server->connections(), 0U);
  EXPECT_TRUE(answers(connect(), "hello\n"));
}

TEST_F(TCPServerDropped, EndsItsConversationsAndRefusals) {
  const std::size_t before = open_descriptors();
  serve(wait_for_ever, at_most(2));
  server->refuse = wait_for_ever;
  for (int i = 0; i < 3; ++i) connect();
  ASSERT_TRUE(run_until([&] { return server->refused() == 1; }));
  server.reset();
  for (RawClient& client : clients) EXPECT_TRUE(run_until_over(client));
  clients.clear();
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(TCPServerDropped, ByAConversationThatBeginsAcceptsNoMore) {
  int begun = 0;
  serve([&](Stream stream) {
    ++begun;
    server.reset();
    return echo_by_co_await(std::move(stream));
  });
  for (int i = 0; i < 3; ++i) connect();
  for (RawClient& client : clients) EXPECT_TRUE(run_until_over(client));
  EXPECT_EQ(begun, 1);
}

TEST_F(TCPServerDropped, ByAConversationThatThenFails) {
  serve([&](Stream) -> Future<> {
    server.reset();
    throw std::runtime_error("clumsy");
  });
  EXPECT_TRUE(run_until_over(connect()));
  EXPECT_EQ(log.count("clumsy"), 1U);
}

TEST_F(TCPServerDropped, ByAConversationThatWaitedEndsItAtTheNextWait) {
  bool dropped = false;
  bool went_on = false;
  serve([&](Stream stream) -> Future<> {  // whose captures go with the server
    return [](Stream own, std::unique_ptr<TestServer>& its_server, bool& did_drop,
              bool& did_go_on) -> Future<> {
      co_await own->read_until("\n");
      its_server.reset();
      did_drop = true;
      co_await moment;
      did_go_on = true;
    }(std::move(stream), server, dropped, went_on);
  });
  connect();
  connect().send("end\n");
  EXPECT_TRUE(run_until_over(clients.back()));
  EXPECT_TRUE(run_until_over(clients.front()));
  EXPECT_TRUE(dropped);
  EXPECT_FALSE(went_on);
}

TEST_F(TCPServerDropped, ByARefusal) {
  serve(wait_for_ever, at_most(1));
  server->refuse = [this](Stream) -> Future<> {
    server.reset();
    return {};
  };
  for (int i = 0; i < 3; ++i) connect();
  for (RawClient& client : clients) EXPECT_TRUE(run_until_over(client));
}

TEST_F(TCPServerDropped, ByAConversationThatIsEndedByCloseAllConnections) {
  struct DropsServer {
    std::unique_ptr<TestServer>& server;
    ~DropsServer() { std::unique_ptr<TestServer>(std::move(server)).reset(); }
  };
  serve([this](Stream stream) -> Future<> {
    return [](Stream own, std::unique_ptr<TestServer>& dropped) -> Future<> {
      const DropsServer at_the_end{dropped};
      co_await own->read_until_close();
    }(std::move(stream), server);
  });
  connect();
  connect();
  ASSERT_TRUE(run_until_connections(2));
  server->close_all_connections();
  EXPECT_EQ(server, nullptr);
}

TEST_F(TCPServerDropped, AConversationMayAskTheServerAsItEnds) {
  struct AsksServer {
    TestServer& server;
    std::size_t& connections;
    ~AsksServer() {
      connections = server.connections();
      server.stop();
    }
  };
  std::size_t connections = SIZE_MAX;
  serve([&](Stream stream) -> Future<> {
    return [](Stream own, TestServer& its_server, std::size_t& left) -> Future<> {
      const AsksServer at_the_end{its_server, left};
      co_await own->read_until_close();
    }(std::move(stream), *server, connections);
  });
  connect();
  ASSERT_TRUE(run_until_connections(1));
  server.reset();
  EXPECT_EQ(connections, 0U);
}

TEST(TCPServerAtTheEnd, MayOutliveItsLoop) {
  std::optional<IOLoop> loop(std::in_place);
  TestServer server(echo_by_co_await);
  server.listen(0, "127.0.0.1");
  RawClient client(server.addresses().front());
  for (int turns = 0; server.connections() == 0 && turns < 1000; ++turns)
    loop->turn(std::chrono::milliseconds(10));
  EXPECT_EQ(server.connections(), 1U);
  loop.reset();
}

}  // namespace
}  // namespace eddy
