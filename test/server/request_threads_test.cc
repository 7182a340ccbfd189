// A RequestServer on threads: bounded, visible, and never in the way of its own loop.

#include <signal.h>

#include <atomic>
#include <condition_variable>
#include <stdexcept>

#include "request_server_test.h"

namespace eddy {
namespace {

using namespace std::chrono_literals;
using RequestThreadsTest = RequestServerTest;

// Where handlers block until a test lets them go.
class Gate {
 public:
  void pass() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    opened_.wait(lock, [this] { return open_; });
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    opened_.notify_all();
  }
  std::size_t waiting() const {
    const std::lock_guard lock(mutex_);
    return waiting_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable opened_;
  std::size_t waiting_ = 0;
  bool open_ = false;
};

class BlockingHandler : public RequestHandler {
 public:
  explicit BlockingHandler(Gate* gate) : gate_(*gate) {}

 private:
  Future<> handle() override {
    gate_.pass();
    request().send("done");
    return {};
  }

  Gate& gate_;
};

TEST_F(RequestThreadsTest, RunElsewhere) {
  Notes threads;
  class Telling : public RequestHandler {
   public:
    explicit Telling(Notes* notes) : notes_(*notes) {}

   private:
    Future<> handle() override {
      notes_.add(std::to_string(IOLoop::current().thread()));
      return {};
    }
    Notes& notes_;
  };
  serve(handled_by<Telling>(&threads), OnThreads{.threads = 1});
  EXPECT_TRUE(run_until_over(connect()));
  EXPECT_TRUE(run_until_connections(0));
  ASSERT_EQ(threads.size(), 1U);
  EXPECT_NE(threads.all().front(), std::to_string(loop.thread()));
  EXPECT_EQ(server->workers(),
            std::vector<std::string>{"thread " + threads.all().front() + ": 0 connections"});
}

TEST_F(RequestThreadsTest, EachTakesItsShare) {
  serve(handled_by<EchoHandler>(), OnThreads{.threads = 4});
  for (int i = 0; i < 12; ++i) connect();
  ASSERT_TRUE(run_until_connections(12));
  for (const std::string& worker : server->workers())
    EXPECT_TRUE(worker.ends_with(": 3 connections")) << worker;
}

TEST_F(RequestThreadsTest, TakeNoSignalOfTheHost) {
  std::atomic<int> unblocked{-1};
  class Looking : public RequestHandler {
   public:
    explicit Looking(std::atomic<int>* unblocked) : unblocked_(*unblocked) {}

   private:
    Future<> handle() override {
      sigset_t mask;
      ::pthread_sigmask(SIG_BLOCK, nullptr, &mask);
      int open = 0;
      for (const int signal : {SIGTERM, SIGINT, SIGUSR1, SIGCHLD})
        open += sigismember(&mask, signal) == 0;
      unblocked_ = open;
      return {};
    }
    std::atomic<int>& unblocked_;
  };
  serve(handled_by<Looking>(&unblocked), OnThreads{.threads = 1});
  EXPECT_TRUE(run_until_over(connect()));
  EXPECT_EQ(unblocked, 0);
}

TEST_F(RequestThreadsTest, ACrowdBeforeBlockedThreadsIsBoundedAndTheRefusalVisible) {
  constexpr std::size_t kThreads = 8;
  constexpr std::size_t kEach = 4;
  constexpr std::size_t kClients = 500;
  Gate gate;
  serve(handled_by<BlockingHandler>(&gate),
        OnThreads{.threads = kThreads, .max_per_thread = kEach});
  for (std::size_t i = 0; i < kClients; ++i) {
    connect();
    loop.turn();
  }
  ASSERT_TRUE(run_until([&] {
    return gate.waiting() == kThreads && server->refused() == kClients - kThreads * kEach;
  }));
  EXPECT_EQ(server->connections(), kThreads * kEach);
  EXPECT_GE(log.count("refused, max_per_thread = 4: 127.0.0.1:"), 1U);
  gate.open();
  std::size_t served = 0;
  for (RawClient& client : clients) {
    EXPECT_TRUE(run_until_over(client));
    served += client.received() == "done";
  }
  EXPECT_EQ(served, kThreads * kEach);
}

TEST_F(RequestThreadsTest, ABlockedThreadDoesNotDelayTheServersLoop) {
  Gate gate;
  serve(handled_by<BlockingHandler>(&gate), OnThreads{.threads = 1});
  connect();
  ASSERT_TRUE(run_until([&] { return gate.waiting() == 1; }));
  for (std::size_t i = 1; i <= 100; ++i) {
    connect();
    ASSERT_TRUE(run_until([&] { return server->verified.size() == 1 + i; }));
  }
  EXPECT_EQ(gate.waiting(), 1U) << "the gate is shut all the while";
  gate.open();
  EXPECT_TRUE(run_until_over(clients.back()));
}

TEST_F(RequestThreadsTest, ADrainDoesNotWaitLongForABlockedThread) {
  Gate gate;
  serve(handled_by<BlockingHandler>(&gate), OnThreads{.threads = 1});
  connect();
  ASSERT_TRUE(run_until([&] { return gate.waiting() == 1; }));
  const Future<std::size_t> left = server->drain(10ms);
  ASSERT_TRUE(run_until([&] { return left.done(); }));
  EXPECT_EQ(left.result(), 1U);
  gate.open();
  EXPECT_TRUE(run_until_connections(0));
}

TEST_F(RequestThreadsTest, WhatWaitsForABlockedThreadDoesNotBeginOnceTheServerCloses) {
  Notes begun;
  class Waiting : public RequestHandler {
   public:
    explicit Waiting(Notes* notes) : notes_(*notes) {}

   private:
    Future<> handle() override {
      notes_.add("begun");
      static_cast<void>(request().recv());
      return {};
    }
    Notes& notes_;
  };
  serve(handled_by<Waiting>(&begun), OnThreads{.threads = 1});
  for (int i = 0; i < 5; ++i) connect();
  ASSERT_TRUE(run_until([&] { return begun.size() == 1 && server->connections() == 5; }));
  server.reset();
  EXPECT_EQ(begun.size(), 1U);
  for (RawClient& client : clients) EXPECT_TRUE(run_until_over(client));
}

TEST_F(RequestThreadsTest, ASendThatWaitsForItsClientEndsWithTheServer) {
  class Flooding : public RequestHandler {
    Future<> handle() override {
      for (;;) request().send(std::string(1 << 20, '.'));
    }
  };
  serve(handled_by<Flooding>(), OnThreads{.threads = 1});
  connect();
  ASSERT_TRUE(run_until_connections(1));
  server.reset();
  EXPECT_TRUE(run_until_over(clients.front()));
}

TEST_F(RequestThreadsTest, PlainCodeMayWaitForAnyFutureOfItsStream) {
  class Asking : public RequestHandler {
    Future<> handle() override {
      const std::string line = request().wait(request().stream().read_until("\n"));
      request().send("got " + line);
      return {};
    }
  };
  serve(handled_by<Asking>(), OnThreads{.threads = 1});
  connect().send("hel");
  ASSERT_TRUE(run_until_connections(1));
  clients.front().send("lo\n");
  EXPECT_TRUE(run_until_over(clients.front()));
  EXPECT_EQ(clients.front().received(), "got hello\n");
}

TEST_F(RequestThreadsTest, PlainCodeHasDeadlinesThatLoseNoByte) {
  Notes notes;
  class Impatient : public RequestHandler {
   public:
    explicit Impatient(Notes* notes) : notes_(*notes) {}

   private:
    Future<> handle() override {
      try {
        static_cast<void>(request().recv(1024, 1ms));
      } catch (const TimeoutError& error) {
        notes_.add(error.what());
      }
      for (;;) try {
          request().send(request().wait(request().stream().read_until("\n"), 1ms));
          return {};
        } catch (const TimeoutError& error) {
          notes_.add(error.what());
        }
    }
    Notes& notes_;
  };
  serve(handled_by<Impatient>(&notes), OnThreads{.threads = 1});
  RawClient& client = connect();
  ASSERT_TRUE(run_until([&] { return notes.size() >= 2; }));
  client.send("hel");
  const std::size_t before = notes.size();
  ASSERT_TRUE(run_until([&] { return notes.size() >= before + 2; }));
  client.send("lo\n");
  EXPECT_TRUE(run_until_over(client));
  EXPECT_EQ(client.received(), "hello\n");
  EXPECT_EQ(notes.all().front(), "timed out waiting for " + name_of(client));
}

// What a client that does not read makes of a send: a note of how it failed.
class SendingHandler : public RequestHandler {
 public:
  static constexpr std::size_t kBytes = 32 << 20;
  SendingHandler(Notes* notes, Duration timeout) : notes_(*notes), timeout_(timeout) {}

 private:
  Future<> handle() override {
    try {
      request().send(std::string(kBytes, '.'), timeout_);
    } catch (const StreamClosedError& closed) {
      notes_.add(log::describe(closed.real_error()));
    } catch (const TimeoutError&) {
      notes_.add("timed out");
    }
    return {};
  }
  Notes& notes_;
  const Duration timeout_;
};

TEST_F(RequestThreadsTest, ASendThatTimesOutStillLeaves) {
  Notes notes;
  serve(handled_by<SendingHandler>(&notes, Duration(1ms)), OnThreads{.threads = 1});
  RawClient& client = connect();
  ASSERT_TRUE(run_until([&] { return notes.size() == 1; }));
  EXPECT_EQ(notes.all().front(), "timed out");
  EXPECT_TRUE(run_until_over(client));
  EXPECT_EQ(client.received().size(), SendingHandler::kBytes);
}

TEST_F(RequestThreadsTest, ASendThatStallsEndsAsTheStreamsOwnWritesDo) {
  Notes notes;
  TCPServerOptions options;
  options.stream.write_stall_timeout = 10ms;
  serve(handled_by<SendingHandler>(&notes, Duration::max()), OnThreads{.threads = 1}, options);
  connect();
  ASSERT_TRUE(run_until([&] { return notes.size() == 1; }));
  EXPECT_NE(notes.all().front().find("write_stall_timeout"), std::string::npos);
  EXPECT_TRUE(run_until_connections(0));
}

TEST_F(RequestThreadsTest, ABudgetOfStreamsIsRefusedByName) {
  TCPServerOptions options;
  options.stream.budget = std::make_shared<BufferBudget>(1 << 20);
  try {
    serve(handled_by<EchoHandler>(), OnThreads(), options);
    FAIL() << "it was taken";
  } catch (const std::invalid_argument& error) {
    EXPECT_TRUE(std::string(error.what()).starts_with("TCPServerOptions.stream.budget"));
  }
}

TEST_F(RequestThreadsTest, NamesAreGivenOnTheServersThread) {
  class Naming : public TestRequestServer {
   public:
    using TestRequestServer::TestRequestServer;
    ~Naming() override { server_close(); }

   private:
    std::string client_name(const SocketAddress&) override {
      return "#" + std::to_string(++last_);  // no lock is needed
    }
    int last_ = 0;
  };
  server = std::make_unique<Naming>(handled_by<EchoHandler>(), OnThreads{.threads = 2});
  server->listen(0, "127.0.0.1");
  address = server->addresses().front();
  for (int i = 1; i <= 3; ++i) {
    connect().send("hello");
    EXPECT_TRUE(receives(clients.back(), "#" + std::to_string(i) + " hello"));
  }
}

}  // namespace
}  // namespace eddy
