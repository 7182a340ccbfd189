#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <eddy/loop/await.h>
#include <eddy/loop/gen.h>
#include <eddy/loop/run_sync.h>
#include <eddy/proto/rpc_connection.h>
#include <eddy/proto/rpc_server.h>

#include "../support/fake_clock.h"
#include "../support/log_capture.h"

namespace eddy {
namespace {

using namespace std::chrono_literals;

class Witness : public RpcApplication {
 public:
  void on_request(RpcServerConnection& connection) override {
    seen.push_back("+" + name(connection));
  }
  void on_close(RpcServerConnection& connection) override {
    seen.push_back("-" + name(connection));
    in_flight_at_close += connection.in_flight();
    if (throws) throw std::runtime_error("on_close went wrong");
  }
  static std::string name(const RpcServerConnection& connection) { return connection.peer(); }

  std::vector<std::string> seen;
  std::size_t in_flight_at_close = 0;
  bool throws = false;
};

// A real server and plain streams to it, on one loop.
class RpcServerTest : public testing::Test {
 protected:
  RpcServerTest() {
    RpcHandler& test = application_.registry().handler("test");
    test.method("say", {"TEXT…"}, [](RpcText text) { return text.value; });
    test.method("wait", {}, [this] { return wait(); });
    test.method("nap", {"SECONDS"}, nap);
    test.method("large", {"BYTES"}, [](std::int64_t bytes) {
      return std::string(static_cast<std::size_t>(bytes), 'x');
    });
    test.method("throw", {}, []() -> std::string { throw 42; });
    test.method("later", {}, throw_later);
    test.method("close", {}, [this] {
      server_->close_all_connections();
      return std::string("closed");
    });
  }

  void serve(const RpcOptions& options = {}) {
    server_ = std::make_unique<RPCServer>(application_, options);
    server_->listen(0, "127.0.0.1");
  }
  std::unique_ptr<IOStream> connect() {
    auto stream = std::make_unique<IOStream>(open_socket(AF_INET), limits());
    loop_.run_sync([&] { return stream->connect(server_->addresses().front()); });
    return stream;
  }
  static StreamLimits limits() {
    StreamLimits made;
    made.max_buffer_size = 400 << 20;
    return made;
  }
  std::string transcript(const std::string& sent) {
    auto stream = connect();
    return loop_.run_sync([&]() -> Future<std::string> {
      co_await stream->write(sent);
      co_await stream->shutdown_write();
      co_return co_await stream->read_until_close();
    });
  }
  std::string read_line(IOStream& stream) {
    return loop_.run_sync([&] { return stream.read_until("\r\n"); });
  }
  void run_until(const std::function<bool()>& condition) {
    for (int turns = 0; !condition() && turns < 10'000; ++turns) loop_.turn(1ms);
    ASSERT_TRUE(condition());
  }

  Future<std::string> wait() {
    const std::shared_ptr<void> farewell(nullptr, [this](void*) { ++ended_; });
    co_await gate_.future();
    co_return "waited";
  }
  static Future<std::string> nap(RpcSeconds<3600> time) {
    co_await sleep(time.duration);
    co_return "napped";
  }
  static Future<std::string> throw_later() {
    co_await sleep(1ms);
    throw 42;
  }

  IOLoop loop_;
  Witness application_;
  Promise<> gate_;
  int ended_ = 0;
  std::unique_ptr<RPCServer> server_;
};

TEST_F(RpcServerTest, AnswersEachCallAsItCompletes) {
  serve();
  auto stream = connect();
  static_cast<void>(stream->write("test.wait\ntest.say hello\n"));
  EXPECT_EQ(read_line(*stream), "[2] ok hello\r\n");
  EXPECT_EQ(server_->in_flight(), 1U);
  gate_.set_result();
  EXPECT_EQ(read_line(*stream), "[1] ok waited\r\n");
  EXPECT_EQ(server_->in_flight(), 0U);
  EXPECT_EQ(server_->calls_served(), 2U);
}

TEST_F(RpcServerTest, TellsTheApplicationWhoCameAndWhoHasGoneForGood) {
  serve();
  auto stream = connect();
  const std::string name = SocketAddress::local_of(stream->fileno()).to_string();
  static_cast<void>(stream->write("test.wait\n"));
  static_cast<void>(stream->shutdown_write());
  run_until([&] { return server_->in_flight() == 1; });
  EXPECT_EQ(application_.seen, std::vector<std::string>({"+" + name}));
  gate_.set_result();
  run_until([&] { return application_.seen.size() == 2; });
  EXPECT_EQ(application_.seen.back(), "-" + name);
  EXPECT_EQ(application_.in_flight_at_close, 0U);
}

TEST_F(RpcServerTest, SurvivesAnApplicationThatThrows) {
  const LogCapture log;
  application_.throws = true;
  serve();
  EXPECT_EQ(transcript("test.say hello\n"), "[1] ok hello\r\n");
  run_until([&] { return server_->connections() == 0; });
  EXPECT_EQ(log.count("on_close went wrong"), 1U);
}

TEST_F(RpcServerTest, WhateverAMethodThrowsIsAnAnswer) {
  serve();
  EXPECT_EQ(transcript("test.throw\ntest.later\n"),
            "[1] error an unknown exception\r\n[2] error an unknown exception\r\n");
}

TEST_F(RpcServerTest, AnAnswerMayBeVeryLong) {
  serve();
  EXPECT_EQ(transcript("test.large 120000000\n").size(), 120'000'000 + 9U);
}

TEST_F(RpcServerTest, ManyCallsMayBeInFlight) {
  RpcOptions options;
  options.max_in_flight = 10'000;
  serve(options);
  auto stream = connect();
  std::string calls;
  for (int i = 0; i < 10'000; ++i) calls += "test.wait\n";
  static_cast<void>(stream->write(calls));
  run_until([&] { return server_->in_flight() == 10'000; });
  gate_.set_result();
  static_cast<void>(stream->shutdown_write());
  const std::string all = loop_.run_sync([&] { return stream->read_until_close(); });
  EXPECT_TRUE(all.ends_with("[10000] ok waited\r\n"));
  EXPECT_EQ(ended_, 10'000);
}

TEST_F(RpcServerTest, AResetEndsTheMethodsWhereTheyWait) {
  serve();
  auto stream = connect();
  static_cast<void>(stream->write("test.wait\ntest.wait\n"));
  run_until([&] { return server_->in_flight() == 2; });
  const linger at_once{1, 0};
  ::setsockopt(stream->fileno(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  stream->close();
  run_until([&] { return ended_ == 2; });
  EXPECT_EQ(server_->in_flight(), 0U);
  run_until([&] { return server_->connections() == 0; });
}

TEST_F(RpcServerTest, DroppingTheServerEndsEveryCall) {
  serve();
  auto stream = connect();
  static_cast<void>(stream->write("test.wait\ntest.nap 3600\ntest.say x\n"));
  EXPECT_EQ(read_line(*stream), "[3] ok x\r\n");
  server_.reset();
  EXPECT_EQ(ended_, 1);
  EXPECT_EQ(application_.seen.size(), 2U);
  EXPECT_THROW(read_line(*stream), StreamClosedError);
}

TEST_F(RpcServerTest, AMethodMayCloseAllConnectionsItsOwnAsWell) {
  serve();
  auto first = connect();
  auto second = connect();
  static_cast<void>(first->write("test.wait\n"));
  run_until([&] { return server_->in_flight() == 1; });
  static_cast<void>(second->write("test.close\ntest.say never\n"));
  run_until([&] { return application_.seen.size() == 4; });
  EXPECT_EQ(server_->connections(), 0U);
  EXPECT_EQ(server_->in_flight(), 0U);
  EXPECT_EQ(ended_, 1);
}

TEST_F(RpcServerTest, AReadThatNobodyHasLookedAtYetCountsWhenItDrains) {
  serve();
  auto stream = connect();
  run_until([&] { return application_.seen.size() == 1; });
  loop_.turn();
  const std::string calls = "test.say one\ntest.say two\n";
  ASSERT_EQ(::send(stream->fileno(), calls.data(), calls.size(), 0),
            static_cast<ssize_t>(calls.size()));
  loop_.turn();  // the server's read is complete, and its conversation waits for the next turn
  Future<std::size_t> drained = server_->drain(10s);
  static_cast<void>(stream->write("test.say late\n"));
  EXPECT_EQ(read_line(*stream), "[1] ok one\r\n");
  EXPECT_EQ(read_line(*stream), "[2] ok two\r\n");
  EXPECT_EQ(loop_.run_sync([&] { return drained; }, 5s), 0U);
  EXPECT_THROW(read_line(*stream), StreamClosedError);
}

TEST_F(RpcServerTest, DrainingTwiceIsHarmless) {
  serve();
  auto stream = connect();
  static_cast<void>(stream->write("test.wait\n"));
  run_until([&] { return server_->in_flight() == 1; });
  Future<std::size_t> first = server_->drain(10s);
  Future<std::size_t> second = server_->drain(10s);
  gate_.set_result();
  EXPECT_EQ(read_line(*stream), "[1] ok waited\r\n");
  EXPECT_EQ(loop_.run_sync([&] { return first; }), 0U);
  EXPECT_EQ(loop_.run_sync([&] { return second; }), 0U);
}

// Where hours pass in a moment.
class RpcServerClockTest : public testing::Test {
 protected:
  // Turns until the client sees the end; gives how long that took.
  Duration time_to_end(IOStream& stream) {
    const TimePoint begin = loop_.time();
    loop_.run_sync([&] { return stream.read_until_close(); });
    return loop_.time() - begin;
  }
  std::unique_ptr<IOStream> connect() {
    auto stream = std::make_unique<IOStream>(open_socket(AF_INET));
    loop_.run_sync([&] { return stream->connect(server_.addresses().front()); });
    return stream;
  }
  static RpcOptions options() {
    RpcOptions made;
    made.idle_timeout = 60s;
    return made;
  }
  static Future<> nap(RpcSeconds<86400> time) { co_await sleep(time.duration); }

  FakeClock clock_;
  ScopedPlatform installed_{clock_};
  IOLoop loop_;
  RpcApplication application_;
  RPCServer server_{application_, options()};

  RpcServerClockTest() {
    application_.registry().handler("test").method("nap", {"SECONDS"}, nap);
    server_.listen(0, "127.0.0.1");
  }
};

TEST_F(RpcServerClockTest, ASilentClientIsClosedWhenItsTimeIsUp) {
  auto stream = connect();
  EXPECT_EQ(time_to_end(*stream), 60s);
}

TEST_F(RpcServerClockTest, SilenceBeginsWhenTheLastCallEnds) {
  auto stream = connect();
  static_cast<void>(stream->write("test.nap 7000\ntest.nap 100\n"));
  EXPECT_EQ(time_to_end(*stream), 7060s);
}

TEST_F(RpcServerClockTest, EveryByteBeginsItAnew) {
  auto stream = connect();
  for (int i = 0; i < 10; ++i) {
    static_cast<void>(stream->write("x"));
    loop_.run_sync([] { return sleep(50s); });
  }
  EXPECT_EQ(time_to_end(*stream), 10s);
}

}  // namespace
}  // namespace eddy
