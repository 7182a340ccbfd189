// A RequestServer whose requests run in child processes: bounded, without zombies, and each child
// with nothing of its parent's.

#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <iterator>
#include <ostream>
#include <set>
#include <thread>

#include <eddy/stream/tls_context.h>

#include "../support/tls_peer.h"
#include "../support/tls_test.h"
#include "request_server_test.h"

namespace eddy {
namespace {

using namespace std::chrono_literals;
// Of the thread that asks; those that nobody has waited for yet, too.
std::set<pid_t> children() {
  std::ifstream stream("/proc/thread-self/children");
  return {std::istream_iterator<pid_t>(stream), {}};
}

class RequestChildrenFork : public RequestServerTest {
 public:
  bool no_child_is_left() const { return children() == before_; }

 private:
  const std::set<pid_t> before_ = children();  // of what else this process ran
};

// Answers each message with what `tell` says of the child.
class TellingHandler : public RequestHandler {
 public:
  using Tell = std::string (*)();
  explicit TellingHandler(Tell tell) : tell_(tell) {}

 private:
  Future<> handle() override {
    while (!request().recv().empty()) request().send(tell_());
    return {};
  }
  const Tell tell_;
};

pid_t first_child(const RequestServer& server) {
  return std::stoi(server.workers().front().substr(6));  // child PID: client
}

std::string process_id() { return std::to_string(::getpid()); }

std::string count_sockets() {
  int sockets = 0;
  for (int fd = 3; fd < 1024; ++fd) {
    struct stat what {};
    sockets += ::fstat(fd, &what) == 0 && S_ISSOCK(what.st_mode);
  }
  return std::to_string(sockets);
}

std::string signal_dispositions() {
  struct sigaction action {};
  ::sigaction(SIGUSR1, nullptr, &action);
  sigset_t mask;
  ::pthread_sigmask(SIG_BLOCK, nullptr, &mask);
  return std::string(action.sa_handler == SIG_DFL ? "default" : "handled") +
         (sigismember(&mask, SIGUSR1) ? ", blocked" : ", open");
}

TEST_F(RequestChildrenFork, EachClientHasAProcessOfItsOwn) {
  serve(handled_by<TellingHandler>(process_id), InChildren());
  std::vector<std::string> told;
  for (int i = 0; i < 3; ++i) {
    RawClient& client = connect();
    client.send("who?");
    ASSERT_TRUE(run_until([&] { return !client.received().empty(); }));
    told.push_back("child " + client.received() + ": " + name_of(client));
  }
  std::vector<std::string> workers = server->workers();
  std::sort(told.begin(), told.end());
  std::sort(workers.begin(), workers.end());
  EXPECT_EQ(workers, told);
}

TEST_F(RequestChildrenFork, AChildHasNoSocketButItsClients) {
  serve(handled_by<TellingHandler>(count_sockets), InChildren());
  for (int i = 0; i < 3; ++i) {
    RawClient& client = connect();
    client.send("how many?");
    EXPECT_TRUE(receives(client, "1"));
  }
}

TEST_F(RequestChildrenFork, AChildHasTheSignalsUsualActions) {
  loop.add_signal_handler(SIGUSR1, [] {});
  struct sigaction before {};
  ::sigaction(SIGUSR1, nullptr, &before);
  ::signal(SIGUSR1, [](int) {});
  serve(handled_by<TellingHandler>(signal_dispositions), InChildren());
  connect().send("which?");
  EXPECT_TRUE(receives(clients.front(), "default, open"));
  ::sigaction(SIGUSR1, &before, nullptr);
}

TEST_F(RequestChildrenFork, ASignalAtItsVeryBeginningIsNotLostToAHandlerOfItsParent) {
  for (const int signal : {SIGTERM, SIGINT}) {
    struct sigaction before {};
    ::sigaction(signal, nullptr, &before);
    ::signal(signal, [](int) {});
    platform.first_signal = signal;
    serve(handled_by<EchoHandler>(), InChildren());
    RawClient& client = connect();
    client.send("hello");
    EXPECT_TRUE(run_until_over(client)) << "it is asked to end";
    EXPECT_EQ(client.received(), name_of(client) + " hello");
    ::sigaction(signal, &before, nullptr);
  }
}

TEST_F(RequestChildrenFork, TheNextClientWaitsUnacceptedUntilAChildEnds) {
  serve(handled_by<EchoHandler>(), InChildren{.max_children = 2});
  for (int i = 0; i < 3; ++i) connect().send("hello");
  RawClient& waits = clients.back();
  for (RawClient* client : {&clients.front(), &*std::next(clients.begin())})
    ASSERT_TRUE(receives(*client, name_of(*client) + " hello"));
  for (int turn = 0; turn < 20; ++turn) loop.turn(1ms);
  EXPECT_EQ(server->verified.size(), 2U);
  EXPECT_EQ(server->workers().size(), 2U);
  clients.front().close();
  EXPECT_TRUE(receives(waits, name_of(waits) + " hello"));
}

TEST_F(RequestChildrenFork, ADrainServesThoseWhoWaitForAChild) {
  serve(handled_by<EchoHandler>(), InChildren{.max_children = 2});
  for (int i = 0; i < 7; ++i) connect().send("hello");
  const Future<std::size_t> left = server->drain(20s);
  ASSERT_TRUE(run_until([&] { return left.done(); }));
  EXPECT_EQ(left.result(), 0U);
  for (RawClient& client : clients) {
    EXPECT_TRUE(run_until_over(client));
    EXPECT_EQ(client.received(), name_of(client) + " hello");
  }
  EXPECT_TRUE(no_child_is_left());
}

TEST_F(RequestChildrenFork, NoZombieIsLeft) {
  serve(handled_by<EchoHandler>(), InChildren());
  for (int i = 0; i < 200; ++i) {
    connect().send("quit");
    loop.turn();
    EXPECT_LE(server->workers().size(), 40U);
  }
  for (RawClient& client : clients) ASSERT_TRUE(run_until_over(client));
  EXPECT_TRUE(run_until_connections(0));
  EXPECT_TRUE(no_child_is_left());
  EXPECT_EQ(server->verified.size(), 200U);
}

TEST_F(RequestChildrenFork, ClosingTheServerEndsTheChildren) {
  serve(handled_by<EchoHandler>(), InChildren());
  for (int i = 0; i < 3; ++i) connect();
  ASSERT_TRUE(run_until([&] { return server->workers().size() == 3; }));
  server.reset();
  EXPECT_TRUE(no_child_is_left());
  for (RawClient& client : clients) EXPECT_TRUE(run_until_over(client));
}

TEST_F(RequestChildrenFork, AChildThatASignalEndsIsLoggedAndTheServerLives) {
  class Dying : public RequestHandler {
    Future<> handle() override {
      ::raise(SIGKILL);
      return {};
    }
  };
  serve(handled_by<Dying>(), InChildren());
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(run_until_over(connect()));
  ASSERT_TRUE(run_until_connections(0));
  EXPECT_EQ(log.count("the child of 127.0.0.1:"), 2U);
  EXPECT_EQ(log.count("was ended by signal 9"), 2U);
}

TEST_F(RequestChildrenFork, AHandlerThatFailsEndsOnlyItsChild) {
  class Failing : public RequestHandler {
    Future<> handle() override { throw std::runtime_error("clumsy"); }
    Future<> finish() override { return request().write("finished"); }
  };
  serve(handled_by<Failing>(), InChildren());
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(run_until_over(connect()));
    EXPECT_EQ(clients.back().received(), "finished");
  }
  EXPECT_TRUE(run_until_connections(0));
  EXPECT_TRUE(log.lines().empty()) << "it failed in the child, and is logged there";
}

struct AskedToEnd {
  const char* name;
  RequestServer::MakeHandler handler;
  int signal;
};
void PrintTo(const AskedToEnd& one, std::ostream* out) { *out << one.name; }

class RequestChildAskedToEndFork : public RequestServerTest,
                                   public testing::WithParamInterface<AskedToEnd> {};
INSTANTIATE_TEST_SUITE_P(
    Each, RequestChildAskedToEndFork,
    testing::Values(AskedToEnd{"CoroutineBySIGTERM", handled_by<EchoHandler>(), SIGTERM},
                    AskedToEnd{"CoroutineBySIGINT", handled_by<EchoHandler>(), SIGINT},
                    AskedToEnd{"PlainBySIGTERM", handled_by<PlainEchoHandler>(), SIGTERM},
                    AskedToEnd{"PlainBySIGINT", handled_by<PlainEchoHandler>(), SIGINT}),
    [](const auto& one) { return std::string(one.param.name); });

TEST_P(RequestChildAskedToEndFork, ServesWhatHasArrived) {
  serve(GetParam().handler, InChildren());
  RawClient& client = connect();
  client.send("hello");
  ASSERT_TRUE(receives(client, name_of(client) + " hello"));
  ::kill(first_child(*server), GetParam().signal);
  EXPECT_TRUE(run_until_over(client));
  EXPECT_TRUE(run_until_connections(0));
  EXPECT_TRUE(log.lines().empty());
}

// --- Shortages

class RequestChildrenShortageFork : public RequestChildrenFork {
 protected:
  void serve_three(int forks_refused) {
    serve(handled_by<EchoHandler>(), InChildren());
    platform.forks_to_refuse = forks_refused;
    for (int i = 0; i < 3; ++i) connect().send("hello");
  }
  void expect_all_served_and_it_said_once() {
    for (RawClient& client : clients) EXPECT_TRUE(receives(client, name_of(client) + " hello"));
    EXPECT_EQ(log.count("cannot fork for a client: fork: Resource temporarily unavailable"), 1U);
    EXPECT_EQ(log.lines().size(), 1U);
  }
};

TEST_F(RequestChildrenShortageFork, OfProcessesIsWaitedOut) {
  serve_three(5);
  ASSERT_TRUE(run_until([&] { return platform.forks_to_refuse == 1; }));
  EXPECT_EQ(server->verified.size(), 1U) << "the others wait unaccepted";
  EXPECT_TRUE(server->workers().empty());
  expect_all_served_and_it_said_once();
}

TEST_F(RequestChildrenShortageFork, LosesNobodyInADrain) {
  serve_three(5);
  const Future<std::size_t> left = server->drain(20s);
  ASSERT_TRUE(run_until([&] { return left.done(); }));
  EXPECT_EQ(left.result(), 0U);
  expect_all_served_and_it_said_once();
}

TEST_F(RequestChildrenShortageFork, EndsWithTheServer) {
  serve_three(1000);
  ASSERT_TRUE(run_until([&] { return server->connections() == 1; }));
  server.reset();
  loop.turn(20ms);
  for (RawClient& client : clients) EXPECT_TRUE(run_until_over(client));
}

TEST_F(RequestChildrenShortageFork, OfRoomToWatchAChildCostsOnlyThatChild) {
  serve(handled_by<EchoHandler>(), InChildren());
  platform.watches_to_refuse = 1;
  RawClient& client = connect();
  client.send("hello");
  EXPECT_TRUE(receives(client, name_of(client) + " hello"));
  EXPECT_EQ(server->workers().size(), 1U);
  client.send("quit");
  EXPECT_TRUE(run_until_connections(0));
  EXPECT_TRUE(no_child_is_left());
  EXPECT_EQ(log.count("cannot fork for a client: "), 1U);
}

// --- TLS: a child in its client's handshake has no request yet

class RequestChildrenInAHandshakeFork : public RequestServerTest {
 protected:
  RequestChildrenInAHandshakeFork() {
    TCPServerOptions options;
    options.tls = TLSContext::for_server(server_options());
    serve(handled_by<EchoHandler>(), InChildren(), options);
    client = &connect();
    EXPECT_TRUE(run_until([&] { return server->workers().size() == 1; }));
  }
  void begin_handshake() {
    client->send(peer.take());
    EXPECT_TRUE(run_until([&] { return !client->received().empty(); }));
  }
  bool run_until_over_tls(RawClient& raw) {
    std::size_t fed = 0;
    return run_until([&] {
      const std::string& all = raw.received();
      peer.feed(std::string_view(all).substr(fed));
      fed = all.size();
      raw.send(peer.take());
      return raw.over();
    });
  }

  RawClient* client = nullptr;
  TLSPeer peer = TLSPeer::client();
};

TEST_F(RequestChildrenInAHandshakeFork, ADrainIsHeardOnceTheHandshakeIsOver) {
  begin_handshake();
  const Future<std::size_t> left = server->drain(20s);
  loop.turn();
  EXPECT_TRUE(run_until_over_tls(*client));
  EXPECT_TRUE(peer.established());
  EXPECT_TRUE(run_until([&] { return left.done(); }));
  EXPECT_EQ(left.result(), 0U);
}

TEST_F(RequestChildrenInAHandshakeFork, ADrainWaitsForNoneThatHasNotBegun) {
  const Future<std::size_t> left = server->drain(20s);
  EXPECT_TRUE(run_until([&] { return client->over(); }));
  EXPECT_EQ(client->received(), "");
  EXPECT_TRUE(run_until([&] { return left.done(); }));
  EXPECT_EQ(left.result(), 0U);
}

TEST_F(RequestChildrenInAHandshakeFork, SoIsASignalToTheChild) {
  begin_handshake();
  ::kill(first_child(*server), SIGTERM);
  EXPECT_TRUE(run_until_over_tls(*client));
  EXPECT_TRUE(peer.established());
  EXPECT_TRUE(run_until_connections(0));
  EXPECT_TRUE(log.lines().empty());
}

TEST_F(RequestChildrenFork, TheParentsLoopIsLeftAlone) {
  int ticks = 0;
  loop.call_later(1ms, [&] { ++ticks; });
  serve(handled_by<EchoHandler>(), InChildren());
  connect().send("quit");
  EXPECT_TRUE(run_until_over(clients.front()));
  EXPECT_TRUE(run_until([&] { return ticks == 1; }));
  RawClient& next = connect();
  next.send("hello");
  EXPECT_TRUE(receives(next, name_of(next) + " hello"));
}

TEST_F(RequestChildrenFork, AProcessWithOtherThreadsIsRefused) {
  std::atomic<bool> stop{false};
  std::thread other([&] {
    while (!stop) std::this_thread::yield();
  });
  EXPECT_THROW(serve(handled_by<EchoHandler>(), InChildren()), InvalidStateError);
  stop = true;
  other.join();
}

TEST_F(RequestChildrenFork, AThreadThatHasEndedIsNoOtherOne) {
  for (int i = 0; i < 500; ++i) {
    std::thread([] {}).join();  // the kernel puts it away a little later
    serve(handled_by<EchoHandler>(), InChildren());
    server.reset();
  }
}

}  // namespace
}  // namespace eddy
