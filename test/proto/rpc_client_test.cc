#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <eddy/loop/await.h>
#include <eddy/loop/gen.h>
#include <eddy/loop/run_sync.h>
#include <eddy/proto/rpc_arguments.h>
#include <eddy/proto/rpc_client.h>
#include <eddy/proto/rpc_server.h>

#include "../support/descriptors.h"

namespace eddy {
namespace {

using Words = std::vector<std::string>;

// A real server and a real client on one loop.
class RpcClientTest : public testing::Test {
 protected:
  RpcClientTest() {
    RpcHandler& test = application_.registry().handler("test");
    test.method("say", {"TEXT"}, [](std::string text) { return text; });
    test.method("fail", {}, []() -> std::string { throw RpcError("as it was told"); });
    test.method("later", {"TEXT"}, [this](std::string text) { return later(std::move(text)); });
    test.method("rows", {"ROW…"}, [](Words rows) { return rows; });
    test.method("nothing", {}, [] {});
    server_.listen(0, "127.0.0.1");
  }

  Future<std::string> later(std::string text) {
    co_await gate_.future();
    co_return text;
  }

  // Runs one call to its end.
  std::string call(std::string method, Words arguments = {}) {
    return loop_.run_sync([&]() -> Future<std::string> {
      auto client = co_await connect();
      Future<std::string> answer = client->call("test", method, arguments);
      co_return co_await answer;
    });
  }
  Future<std::unique_ptr<RPCClient>> connect(std::size_t max_answer = RPCClient::kMaxAnswer) {
    auto stream = std::make_unique<IOStream>(open_socket(AF_INET));
    co_await stream->connect(server_.addresses().front());
    co_return std::make_unique<RPCClient>(std::move(stream), max_answer);
  }

  IOLoop loop_;
  RpcApplication application_;
  RPCServer server_{application_, RpcOptions{}};
  Promise<> gate_;
};

TEST_F(RpcClientTest, GivesTheAnswersText) { EXPECT_EQ(call("say", {"hello"}), "hello"); }

TEST_F(RpcClientTest, GivesNothingForAnEmptyOk) { EXPECT_EQ(call("nothing"), ""); }

TEST_F(RpcClientTest, GivesEachRowWithANewline) {
  EXPECT_EQ(call("rows", {"one", "two"}), "one\ntwo\n");
}

TEST_F(RpcClientTest, QuotesArgumentsThatNeedIt) {
  for (const std::string text : {"two words", "", "a \"quote\" \\", "\xff\xff", "\ttab"})
    EXPECT_EQ(call("say", {text}), text);
}

TEST_F(RpcClientTest, FailsWithTheTextOfAnErrorAnswer) {
  try {
    call("fail");
    FAIL() << "an error answer must throw";
  } catch (const RpcError& error) {
    EXPECT_STREQ(error.what(), "as it was told");
  }
}

TEST_F(RpcClientTest, RefusesAWordThatHoldsALineEnd) {
  EXPECT_THROW(call("say", {"two\nlines"}), std::invalid_argument);
}

TEST_F(RpcClientTest, MatchesAnswersThatOvertakeEachOther) {
  loop_.run_sync([this]() -> Future<> {
    const auto client = co_await connect();
    const Words slow{"slow"};
    const Words quick{"quick"};
    Future<std::string> first = client->call("test", "later", slow);
    Future<std::string> second = client->call("test", "say", quick);
    EXPECT_EQ(co_await second, "quick");
    EXPECT_FALSE(first.done());
    gate_.set_result();
    EXPECT_EQ(co_await first, "slow");
  });
}

TEST_F(RpcClientTest, GoesOnWhenACallWasGivenUp) {
  loop_.run_sync([this]() -> Future<> {
    const auto client = co_await connect();
    const Words arguments{"x"};
    { const Future<std::string> dropped = client->call("test", "later", arguments); }
    gate_.set_result();
    EXPECT_EQ(co_await client->call("test", "say", arguments), "x");
  });
}

TEST_F(RpcClientTest, FailsPendingCallsWhenTheServerLeaves) {
  loop_.run_sync([this]() -> Future<> {
    const auto client = co_await connect();
    const Words arguments{"x"};
    Future<std::string> pending = client->call("test", "later", arguments);
    while (server_.in_flight() == 0) co_await moment;
    server_.close_all_connections();
    EXPECT_THROW(co_await pending, StreamClosedError);
    EXPECT_TRUE(client->closed());
    EXPECT_THROW(co_await client->call("test", "say", arguments), StreamClosedError);
  });
}

TEST_F(RpcClientTest, FailsPendingCallsWhenItIsDestroyed) {
  loop_.run_sync([this]() -> Future<> {
    auto client = co_await connect();
    const Words arguments{"x"};
    Future<std::string> pending = client->call("test", "later", arguments);
    client.reset();
    EXPECT_THROW(co_await pending, StreamClosedError);
  });
}

TEST_F(RpcClientTest, RefusesAnAnswerAboveItsLimitAndNamesIt) {
  for (const char* method : {"say", "rows"}) {
    loop_.run_sync([&]() -> Future<> {
      const auto client = co_await connect(100);
      const Words arguments(std::string(method) == "say" ? 1 : 30,
                            std::string(40, 'x') + std::string(90, 'y'));
      Future<std::string> answer = client->call("test", method, arguments);
      try {
        co_await answer;
        ADD_FAILURE() << method;
      } catch (const LimitError& error) {
        EXPECT_THAT(error.what(), testing::HasSubstr("max_answer = 100"));
      }
      EXPECT_TRUE(client->closed());
    });
  }
}

TEST_F(RpcClientTest, KeepsWhatTheServerSaysWithoutBeingAsked) {
  SocketPair pair;
  const std::string refusal = "error too many connections\r\n";
  ASSERT_GT(::write(pair.theirs.get(), refusal.data(), refusal.size()), 0);
  pair.theirs.reset();
  RPCClient client(std::make_unique<IOStream>(std::move(pair.ours)));
  while (!client.closed()) loop_.turn();
  EXPECT_EQ(client.last_notice(), "error too many connections");
}

TEST_F(RpcClientTest, PassesOverAnswersThatNobodyAskedFor) {
  SocketPair pair;
  const std::string stray = "[7] ok stray\r\n[1] | row\r\n[1] ok\r\n";
  RPCClient client(std::make_unique<IOStream>(std::move(pair.ours)));
  const Future<std::string> answer = client.call("any", "thing");
  ASSERT_GT(::write(pair.theirs.get(), stray.data(), stray.size()), 0);
  while (!answer.done()) loop_.turn();
  EXPECT_EQ(answer.result(), "row\n");
}

}  // namespace
}  // namespace eddy
