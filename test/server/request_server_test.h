// RequestServerTest: a RequestServer on a loop of the real clock, and clients on the same thread.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <eddy/loop/await.h>
#include <eddy/server/request_server.h>

#include "../support/log_capture.h"
#include "../support/raw_client.h"

namespace eddy {

// The real clock, but each test has an hour of its own: the log counts lines within a second. And
// the real kernel, which refuses as often as a test says.
class HourOfItsOwn : public Platform {
 public:
  HourOfItsOwn() : shift_(std::chrono::hours(++tests_)) {}
  TimePoint now() override { return Platform::now() + shift_; }
  pid_t fork() override {
    if (refuse(forks_to_refuse, EAGAIN)) return -1;
    const pid_t pid = Platform::fork();
    if (pid == 0 && first_signal != 0) ::raise(first_signal);
    return pid;
  }
  int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) override {
    if (operation == EPOLL_CTL_ADD && refuse(watches_to_refuse, ENOSPC)) return -1;
    return Platform::epoll_ctl(epoll, operation, fd, event);
  }

  int forks_to_refuse = 0;
  int first_signal = 0;  // of a child, before it can do anything
  int watches_to_refuse = 0;

 private:
  static bool refuse(int& left, int error_number) {
    if (left == 0) return false;
    --left;
    errno = error_number;
    return true;
  }

  static inline int tests_ = 0;
  const Duration shift_;
};

// What handlers of any thread write down.
class Notes {
 public:
  void add(std::string note) {
    const std::lock_guard lock(mutex_);
    notes_.push_back(std::move(note));
  }
  std::vector<std::string> all() const {
    const std::lock_guard lock(mutex_);
    return notes_;
  }
  std::size_t size() const { return all().size(); }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> notes_;
};

class TestRequestServer : public RequestServer {
 public:
  using RequestServer::RequestServer;
  ~TestRequestServer() override { server_close(); }

  bool accepts_all = true;
  Notes verified;
  Notes errors;
  int actions = 0;
  std::function<void()> on_action = [] {};

 protected:
  bool verify_request(const SocketAddress& client) override {
    verified.add(client.to_string());
    return accepts_all;
  }
  void handle_error(const std::string& client, const std::exception_ptr& error) override {
    errors.add(log::describe(error));
    RequestServer::handle_error(client, error);
  }
  void service_actions() override {
    ++actions;
    on_action();
  }
};

class RequestServerTest : public testing::Test {
 public:
  TestRequestServer& serve(RequestServer::MakeHandler handler,
                           const RequestPolicy& policy = OnLoop(),
                           const TCPServerOptions& options = {}) {
    server = std::make_unique<TestRequestServer>(std::move(handler), policy, options);
    server->listen(0, "127.0.0.1");
    address = server->addresses().front();
    return *server;
  }
  TestRequestServer& serve_unix(RequestServer::MakeHandler handler, const RequestPolicy& policy) {
    server = std::make_unique<TestRequestServer>(std::move(handler), policy);
    server->add_socket(bind_unix_socket("@eddy-requests-" + std::to_string(::getpid())));
    address = server->addresses().front();
    return *server;
  }
  RawClient& connect() { return clients.emplace_back(address); }

  template <class Condition>
  bool run_until(Condition condition) {
    const auto bound = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > bound) return false;
      loop.turn(std::chrono::milliseconds(5));  // clients are not the loop's
    }
    return true;
  }
  bool receives(RawClient& client, const std::string& all) {
    const bool received = run_until([&] { return client.received().size() >= all.size(); });
    EXPECT_EQ(client.received(), all);
    return received;
  }
  bool run_until_over(RawClient& client) {
    return run_until([&] { return client.over(); });
  }
  bool run_until_connections(std::size_t count) {
    return run_until([&] { return server->connections() == count; });
  }
  std::string name_of(const RawClient& client) { return client.address().to_string(); }

  HourOfItsOwn platform;
  ScopedPlatform installed{platform};
  LogCapture log;
  IOLoop loop;
  std::unique_ptr<TestRequestServer> server;
  SocketAddress address;
  std::list<RawClient> clients;
};

// --- The article's echo, in three styles

class EchoHandler : public RequestHandler {
  Future<> handle() override {
    for (;;) {
      const std::string data = co_await request().read();
      if (data == "quit" || data.empty()) co_return;
      co_await request().write(client_name() + ' ' + data);
    }
  }
};

class PlainEchoHandler : public RequestHandler {
  Future<> handle() override {
    for (;;) {
      const std::string data = request().recv(1024);
      if (data == "quit" || data.empty()) return {};
      request().send(client_name() + ' ' + data);
    }
  }
};

}  // namespace eddy
