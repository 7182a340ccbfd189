#include "request_server_test.h"

#include <signal.h>

#include <algorithm>
#include <optional>
#include <thread>
#include <utility>

#include <eddy/loop/coroutine.h>
#include <eddy/loop/gen.h>

#include "../support/certificates.h"
#include "../support/simulated_loop.h"
#include "../support/tls_peer.h"

#include <eddy/loop/yield.h>

namespace eddy {
namespace {

using namespace std::chrono_literals;

class MacroEcho : public Coroutine<> {
 public:
  MacroEcho(Request& request, std::string client) : request_(request), client_(std::move(client)) {}

 private:
  void body() override {
    CO_BEGIN;
    for (;;) {
      CO_AWAIT(data_ = request_.read());
      if (data_.result() == "quit" || data_.result().empty()) CO_RETURN();
      CO_AWAIT(request_.write(client_ + ' ' + data_.result()));
    }
    CO_END;
  }

  Request& request_;
  const std::string client_;
  Future<std::string> data_;
};

class MacroEchoHandler : public RequestHandler {
  Future<> handle() override { return start_coroutine<MacroEcho>(request(), client_name()); }
};

// --- The same answers, wherever a request runs and whatever it comes over

struct Way {
  const char* name;
  RequestServer::MakeHandler handler;
  RequestPolicy policy;
};

class RequestServerWay : public RequestServerTest, public testing::WithParamInterface<Way> {};

const Way kOnLoopAndThreads[] = {
    {"OnLoop", handled_by<EchoHandler>(), OnLoop()},
    {"MacroOnLoop", handled_by<MacroEchoHandler>(), OnLoop()},
    {"OnThreads", handled_by<EchoHandler>(), OnThreads{.threads = 2}},
    {"MacroOnThreads", handled_by<MacroEchoHandler>(), OnThreads{.threads = 2}},
    {"PlainOnThreads", handled_by<PlainEchoHandler>(), OnThreads{.threads = 24}},  // one each
};
const Way kInChildren[] = {
    {"Coroutine", handled_by<EchoHandler>(), InChildren()},
    {"Plain", handled_by<PlainEchoHandler>(), InChildren()},
};
std::string name_of_way(const testing::TestParamInfo<Way>& info) { return info.param.name; }
INSTANTIATE_TEST_SUITE_P(Each, RequestServerWay, testing::ValuesIn(kOnLoopAndThreads), name_of_way);
INSTANTIATE_TEST_SUITE_P(InChildrenFork, RequestServerWay, testing::ValuesIn(kInChildren),
                         name_of_way);

TEST_P(RequestServerWay, AnswersEachOfItsClients) {
  serve(GetParam().handler, GetParam().policy);
  for (int i = 0; i < 3; ++i) connect().send("one");
  for (RawClient& client : clients) {
    const std::string first = name_of(client) + " one";
    ASSERT_TRUE(receives(client, first));
    client.send("two");
    ASSERT_TRUE(receives(client, first + name_of(client) + " two"));
  }
  EXPECT_EQ(server->connections(), 3U);
  std::vector<std::string> names;
  for (const RawClient& client : clients) names.push_back(name_of(client));
  EXPECT_EQ(server->clients(), names);
}

TEST_P(RequestServerWay, AnswersOverAUnixSocket) {
  serve_unix(GetParam().handler, GetParam().policy);
  connect().send("hello");
  EXPECT_TRUE(receives(clients.front(), "unix: hello"));
}

TEST_P(RequestServerWay, EndsWithTheClientOrWhenTheHandlerReturns) {
  serve(GetParam().handler, GetParam().policy);
  RawClient& leaves = connect();
  RawClient& quits = connect();
  ASSERT_TRUE(run_until_connections(2));
  leaves.end();
  quits.send("quit");
  EXPECT_TRUE(run_until_over(leaves));
  EXPECT_TRUE(run_until_over(quits));
  EXPECT_TRUE(run_until_connections(0));
  EXPECT_TRUE(log.lines().empty());
}

TEST_P(RequestServerWay, AClientThatResetsHarmsNobody) {
  serve(GetParam().handler, GetParam().policy);
  RawClient& stays = connect();
  for (int i = 0; i < 20; ++i) connect().send("hello");
  ASSERT_TRUE(run_until([&] { return server->verified.size() == 21; }));
  while (clients.size() > 1) {
    clients.back().reset();
    clients.pop_back();
  }
  EXPECT_TRUE(run_until_connections(1));
  stays.send("hello");
  EXPECT_TRUE(receives(stays, name_of(stays) + " hello"));
  EXPECT_EQ(log.count("Exception"), 0U);
}

TEST_P(RequestServerWay, DrainsWhatHasArrivedAndTellsTheIdleThatItIsOver) {
  serve(GetParam().handler, GetParam().policy);
  RawClient& idle = connect();
  ASSERT_TRUE(run_until_connections(1));
  RawClient& late = connect();  // not accepted yet
  late.send("hello");
  const Future<std::size_t> left = server->drain(20s);
  ASSERT_TRUE(run_until([&] { return left.done(); }));
  EXPECT_EQ(left.result(), 0U);
  EXPECT_TRUE(run_until_over(late));
  EXPECT_EQ(late.received(), name_of(late) + " hello");
  EXPECT_TRUE(run_until_over(idle));
  EXPECT_EQ(idle.received(), "");
  EXPECT_TRUE(server->addresses().empty());
}

TEST_P(RequestServerWay, SpeaksTLS) {
  TCPServerOptions options;
  options.tls =
      TLSContext::for_server({.certificate_chain_file = Certificates::common().server().certificate,
                              .private_key_file = Certificates::common().server().key});
  serve(GetParam().handler, GetParam().policy, options);
  RawClient& wire = connect();
  TLSPeer client = TLSPeer::client();
  const std::string answer = name_of(wire) + " hello";
  std::size_t fed = 0;
  const auto exchange = [&] {
    const std::string_view all = wire.received();
    client.feed(all.substr(std::exchange(fed, all.size())));
    wire.send(client.take());
  };
  ASSERT_TRUE(run_until([&] { return exchange(), client.established(); }));
  client.write("hello");
  EXPECT_TRUE(run_until([&] { return exchange(), client.received().size() >= answer.size(); }));
  EXPECT_EQ(client.received(), answer);
}

TEST_P(RequestServerWay, ClosingItEndsAllItsConnections) {
  serve(GetParam().handler, GetParam().policy);
  const std::size_t before = open_descriptors();
  for (int i = 0; i < 5; ++i) connect();
  ASSERT_TRUE(run_until_connections(5));
  server.reset();
  for (RawClient& client : clients) EXPECT_TRUE(run_until_over(client));
  clients.clear();
  EXPECT_LT(open_descriptors(), before);
}

TEST_P(RequestServerWay, TheNextConnectionBeyondTheLimitIsRefused) {
  TCPServerOptions options;
  options.max_connections = 2;
  serve(GetParam().handler, GetParam().policy, options);
  for (int i = 0; i < 3; ++i) connect();
  EXPECT_TRUE(run_until_over(clients.back()));
  EXPECT_EQ(server->refused(), 1U);
  EXPECT_EQ(log.count("refused, max_connections = 2: 127.0.0.1"), 1U);
  EXPECT_EQ(server->connections(), 2U);
}

TEST_P(RequestServerWay, WhoIsNotVerifiedIsClosed) {
  serve(GetParam().handler, GetParam().policy).accepts_all = false;
  connect();
  EXPECT_TRUE(run_until_over(clients.front()));
  EXPECT_EQ(server->verified.all(), std::vector<std::string>{name_of(clients.front())});
  EXPECT_EQ(server->connections(), 0U);
  EXPECT_EQ(server->refused(), 1U);
}

// --- The life of a handler

class LivingHandler : public RequestHandler {
 public:
  enum class Fault { none, in_setup, in_handle, in_finish };
  LivingHandler(Notes* notes, Fault fault) : notes_(*notes), fault_(fault) {}

 private:
  Future<> step(std::string name, bool fails) {
    notes_.add(name);
    co_await moment;
    if (fails) throw std::runtime_error(name + " fails");
  }
  Future<> setup() override { return step("setup", fault_ == Fault::in_setup); }
  Future<> handle() override { return step("handle", fault_ == Fault::in_handle); }
  Future<> finish() override { return step("finish", fault_ == Fault::in_finish); }

  Notes& notes_;
  const Fault fault_;
};

struct Life {
  LivingHandler::Fault fault;
  std::vector<std::string> steps;
  std::vector<std::string> errors;
};

struct LifeSomewhere {
  RequestPolicy policy;
  Life life;
};
void PrintTo(const LifeSomewhere& one, std::ostream* out) {
  *out << testing::PrintToString(one.life.errors);
}

class RequestHandlerLife : public RequestServerTest,
                           public testing::WithParamInterface<LifeSomewhere> {};

const Life kLives[] = {
    {LivingHandler::Fault::none, {"setup", "handle", "finish"}, {}},
    {LivingHandler::Fault::in_setup, {"setup"}, {"setup fails"}},
    {LivingHandler::Fault::in_handle, {"setup", "handle", "finish"}, {"handle fails"}},
    {LivingHandler::Fault::in_finish, {"setup", "handle", "finish"}, {"finish fails"}},
};
std::vector<LifeSomewhere> lives_everywhere() {
  std::vector<LifeSomewhere> all;
  for (const Life& life : kLives) {
    all.push_back({OnLoop(), life});
    all.push_back({OnThreads{.threads = 1}, life});
  }
  return all;
}
INSTANTIATE_TEST_SUITE_P(Each, RequestHandlerLife, testing::ValuesIn(lives_everywhere()));

TEST_P(RequestHandlerLife, FinishRunsWheneverSetupSucceededAndErrorsReachTheServer) {
  const auto& [policy, life] = GetParam();
  Notes notes;
  serve(handled_by<LivingHandler>(&notes, life.fault), policy);
  EXPECT_TRUE(run_until_over(connect()));
  EXPECT_TRUE(run_until_connections(0));
  EXPECT_EQ(notes.all(), life.steps);
  EXPECT_EQ(server->errors.all(), life.errors);
  EXPECT_EQ(log.count("Exception in the request of 127.0.0.1"), life.errors.size());
  server.reset();
}

class WaitingHandler : public RequestHandler {
 public:
  explicit WaitingHandler(Notes* notes) : notes_(*notes) {}

 private:
  Future<> handle() override {
    notes_.add("handle");
    co_await request().read();
  }
  Future<> finish() override {
    notes_.add("finish");
    co_await sleep(1h);
    notes_.add("never");
  }

  Notes& notes_;
};

TEST_F(RequestServerTest, FinishBeginsEvenWhenTheServerClosesFirst) {
  for (const RequestPolicy& policy : {RequestPolicy(OnLoop()), RequestPolicy(OnThreads())}) {
    Notes notes;
    serve(handled_by<WaitingHandler>(&notes), policy);
    connect();
    ASSERT_TRUE(run_until([&] { return notes.size() == 1; }));
    server.reset();
    EXPECT_EQ(notes.all(), (std::vector<std::string>{"handle", "finish"}));
  }
}

TEST_F(RequestServerTest, AnAnswerLeavesAlthoughTheClientSendsOn) {
  class Refusing : public RequestHandler {
    Future<> handle() override { return request().write("no"); }
  };
  serve(handled_by<Refusing>());
  connect().send(std::string(100'000, 'x'));
  clients.front().end();
  EXPECT_TRUE(run_until_over(clients.front()));
  EXPECT_EQ(clients.front().received(), "no");
}

TEST_F(RequestServerTest, PlainCodeMayNotBlockTheServersLoop) {
  serve(handled_by<PlainEchoHandler>());
  EXPECT_TRUE(run_until_over(connect()));
  ASSERT_EQ(server->errors.size(), 1U);
  EXPECT_NE(server->errors.all().front().find("would block the server's loop"), std::string::npos);
}

// --- Lines

class LineHandler : public RequestHandler {
  Future<> handle() override {
    while (const std::optional<std::string> line = co_await request().read_line(8))
      co_await request().write('[' + *line + ']');
  }
};

TEST_F(RequestServerTest, LinesAreTheSameHoweverTheBytesAreCut) {
  const std::string lines = "one\r\n\ntwo\r\r\n12345678\n";
  serve(handled_by<LineHandler>());
  for (std::size_t cut = 0; cut <= lines.size(); ++cut) {
    RawClient& client = connect();
    client.send(lines.substr(0, cut));
    ASSERT_TRUE(run_until_connections(1));
    for (int turn = 0; turn < 5; ++turn) loop.turn();
    client.send(lines.substr(cut));
    ASSERT_TRUE(receives(client, "[one][][two\r][12345678]")) << "cut at " << cut;
    client.close();
    ASSERT_TRUE(run_until_connections(0));
  }
}

TEST_F(RequestServerTest, ALineBeyondTheLimitIsAnErrorThatNamesIt) {
  serve(handled_by<LineHandler>());
  connect().send("fine\n123456789");
  EXPECT_TRUE(run_until_over(clients.front()));
  EXPECT_EQ(clients.front().received(), "[fine]");
  EXPECT_EQ(server->errors.all(), std::vector<std::string>{"a line longer than 8 bytes"});
}

TEST_F(RequestServerTest, AnUnfinishedLineIsDroppedAndLogged) {
  serve(handled_by<LineHandler>());
  connect().send("fine\nunfi");
  clients.front().end();
  EXPECT_TRUE(run_until_over(clients.front()));
  EXPECT_EQ(clients.front().received(), "[fine]");
  EXPECT_EQ(log.count("dropped an unfinished line of 127.0.0.1:"), 1U);
}

TEST_F(RequestServerTest, AnUnfinishedLineDoesNotProlongADrain) {
  serve(handled_by<LineHandler>());
  connect().send("fine\nunfi");
  ASSERT_TRUE(receives(clients.front(), "[fine]"));
  const Future<std::size_t> left = server->drain(20s);
  EXPECT_TRUE(run_until([&] { return left.done() && clients.front().over(); }));
  EXPECT_EQ(left.result(), 0U);
}

TEST_F(RequestServerTest, ItsStreamsCountInTheBudgetThatTheyAreGiven) {
  class Flooding : public RequestHandler {
    Future<> handle() override { co_await request().stream().write(std::string(32 << 20, '.')); }
  };
  TCPServerOptions options;
  options.stream.budget = std::make_shared<BufferBudget>(1 << 30);
  serve(handled_by<Flooding>(), OnLoop(), options);
  connect();
  EXPECT_TRUE(run_until([&] { return options.stream.budget->total() > 0; }));
}

// --- serve_forever

TEST_F(RequestServerTest, ServesUntilAnotherThreadShutsItDown) {
  serve(handled_by<EchoHandler>());
  std::thread other;
  server->on_action = [&] {
    if (!other.joinable()) other = std::thread([&] { server->shutdown(); });
  };
  server->serve_forever(1ms);
  other.join();
  EXPECT_GE(server->actions, 1);
}

TEST_F(RequestServerTest, AShutdownBeforeItBeginsIsNotLost) {
  serve(handled_by<EchoHandler>()).shutdown();
  server->serve_forever();
  EXPECT_EQ(server->actions, 0);
}

TEST_F(RequestServerTest, AHandlerMayShutItDown) {
  class Fatal : public RequestHandler {
    Future<> handle() override {
      server().shutdown();
      return {};
    }
  };
  serve(handled_by<Fatal>());
  connect();
  server->serve_forever();
  EXPECT_EQ(server->verified.size(), 1U);
}

TEST_F(RequestServerTest, StopsAcceptingAndLetsRequestsGoOn) {
  serve(handled_by<EchoHandler>());
  RawClient& client = connect();
  ASSERT_TRUE(run_until_connections(1));
  server->stop();
  EXPECT_THROW(connect(), std::system_error);
  client.send("hello");
  EXPECT_TRUE(receives(client, name_of(client) + " hello"));
}

TEST_F(RequestServerTest, ClosingTwiceIsHarmless) {
  serve(handled_by<EchoHandler>(), OnThreads());
  server->server_close();
  server->server_close();
  EXPECT_THROW(connect(), std::system_error);
}

TEST_F(RequestServerTest, ADrainHasItsPatience) {
  class Stubborn : public RequestHandler {
    Future<> handle() override { co_await sleep(1h); }
  };
  serve(handled_by<Stubborn>());
  connect();
  ASSERT_TRUE(run_until_connections(1));
  const Future<std::size_t> left = server->drain(1ms);
  ASSERT_TRUE(run_until([&] { return left.done(); }));
  EXPECT_EQ(left.result(), 1U);
}

}  // namespace
}  // namespace eddy
