// rpc_call from the outside: what it prints, and its exit code.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include <eddy/server/netutil.h>
#include <eddy/stream/io_stream.h>

#include "../support/temporary_folder.h"
#include "telnet_rpc_server.h"

namespace eddy {
namespace {

using Words = DemoProcess::Words;

BindOptions backlog_of(int length) {
  BindOptions options;
  options.backlog = length;
  return options;
}

class RpcCall : public testing::Test {
 protected:
  // Runs it and compares. The error is a part of stderr, which is one line then.
  static void expect(const Words& words, int exit_code, const std::string& printed,
                     const std::string& error = "") {
    DemoProcess run(DemoProcess::path_of("rpc_call"), words);
    EXPECT_EQ(run.wait(), exit_code) << words.front();
    EXPECT_EQ(run.out().wait_to_end(), printed);
    const std::string said = run.err().wait_to_end();
    EXPECT_NE(said.find(error), std::string::npos) << said;
    EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), error.empty() ? 0 : 1) << said;
  }
};

class RpcCallOfAServer : public RpcCall {
 protected:
  std::string at(const std::string& host) const {
    return host + ':' + std::to_string(server_.port());
  }
  TelnetRpcServer server_;
};

TEST_F(RpcCallOfAServer, PrintsTheAnswersText) {
  expect({at("127.0.0.1"), "math.add", "20", "22"}, 0, "42\n");
  expect({at("127.0.0.1"), "time.count", "2", "0"}, 0, "1\n2\n");
  expect({at("127.0.0.1"), "echo.say", "", "a  b"}, 0, " a  b\n");
}

TEST_F(RpcCallOfAServer, SaysThatItsOutputIsFull) {
  const UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  DemoProcess run(DemoProcess::path_of("rpc_call"), {at("127.0.0.1"), "math.add", "20", "22"},
                  {.out = full.get()});
  EXPECT_EQ(run.wait(), 1);
  EXPECT_EQ(run.err().wait_to_end(), "rpc_call: standard output: No space left on device\n");
}

TEST_F(RpcCallOfAServer, ReachesItByNameToo) {
  expect({at("localhost"), "math.add", "20", "22"}, 0, "42\n");
}

TEST_F(RpcCallOfAServer, AnErrorAnswerIsExitCode1) {
  expect({at("127.0.0.1"), "math.div", "1", "0"}, 1, "", "division by zero");
}

TEST_F(RpcCallOfAServer, NoAnswerInTimeIsExitCode3) {
  expect({"--timeout", "0.2", at("127.0.0.1"), "time.sleep", "3600"}, 3, "",
         "rpc_call: no answer within --timeout");
}

TEST_F(RpcCall, ReachesAUnixSocket) {
  const TemporaryFolder folder;
  const std::string path = folder.file("socket");
  const TelnetRpcServer server({"--unix", path});
  expect({"--unix", path, "math.add", "20", "22"}, 0, "42\n");
}

TEST_F(RpcCall, AServerThatCannotBeReachedIsExitCode3AndNamed) {
  const UniqueFd deaf(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));  // it does not listen
  const SocketAddress any = SocketAddress::parse("127.0.0.1", 0).value();
  ASSERT_EQ(::bind(deaf.get(), any.get(), any.size()), 0);
  const std::string refused = SocketAddress::local_of(deaf.get()).to_string();
  expect({refused, "math.add", "1"}, 3, "",
         "rpc_call: connect to " + refused + ": Connection refused");
  expect({"--unix", "@nobody-listens-here", "math.add", "1"}, 3, "",
         "rpc_call: connect to unix:@nobody-listens-here: Connection refused");
  const std::string nobody(70, 'x');  // longer than a label of a name can be
  expect({nobody + ":80", "math.add", "1"}, 3, "", "rpc_call: cannot resolve '" + nobody + "'");
}

TEST_F(RpcCall, ABlackHoleIsLeftBehindWithinTheTimeout) {
  // A queue that is full: the peer's kernel answers nothing.
  const UniqueFd full = std::move(bind_sockets(0, "127.0.0.1", backlog_of(0)).front());
  const SocketAddress busy = SocketAddress::local_of(full.get());
  std::vector<UniqueFd> queued;
  for (int number = 0; number < 4; ++number) {
    queued.push_back(open_socket(AF_INET));
    static_cast<void>(::connect(queued.back().get(), busy.get(), busy.size()));
  }
  const auto began = std::chrono::steady_clock::now();
  expect({"--timeout", "0.2", busy.to_string(), "math.add", "1"}, 3, "",
         "rpc_call: no answer within --timeout");
  EXPECT_LT(std::chrono::steady_clock::now() - began, Seconds(10));
}

TEST_F(RpcCall, AServerThatLeavesEarlyIsExitCode3) {
  const UniqueFd listener = std::move(bind_sockets(0, "127.0.0.1").front());
  DemoProcess run(DemoProcess::path_of("rpc_call"),
                  {SocketAddress::local_of(listener.get()).to_string(), "math.add", "1"});
  EXPECT_TRUE(eventually([&] {
    return UniqueFd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)).get() >= 0;
  }));
  EXPECT_EQ(run.wait(), 3);
}

TEST_F(RpcCall, WhatItCannotMakeSenseOfIsExitCode2) {
  expect({"127.0.0.1:80"}, 2, "", "want HOST:PORT, or --unix PATH, and handler.method");
  expect({"--unix", "/run/x"}, 2, "", "want HOST:PORT, or --unix PATH, and handler.method");
  expect({"--unix", "", "math.add"}, 2, "", "the path of a Unix socket is empty");
  expect({"127.0.0.1", "math.add"}, 2, "", "'127.0.0.1' is not HOST:PORT");
  expect({"127.0.0.1:65536", "math.add"}, 2, "", "is not HOST:PORT");
  expect({"::1:80", "math.add"}, 2, "", "is not HOST:PORT");
  expect({"127.0.0.1:80", "math"}, 2, "", "'math' is not handler.method");
  expect({"--unix", "/run/x", "math.", "1"}, 2, "", "'math.' is not handler.method");
  expect({"127.0.0.1:80", "echo.say", "two\nlines"}, 2, "", "an argument can't hold a line end");
  expect({"--timeout", "soon", "127.0.0.1:80", "math.add"}, 2, "", "not a number of seconds");
}

}  // namespace
}  // namespace eddy
