// SIGTERM: what has arrived is answered, what is late is cut and told of, and the program ends.

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "telnet_rpc_server.h"

namespace eddy {
namespace {

using std::chrono::steady_clock;

Seconds since(steady_clock::time_point begin) { return steady_clock::now() - begin; }

TEST(TelnetRpcDrain, EndsAtOnceWhenNobodyIsThere) {
  for (const int signal : {SIGTERM, SIGINT}) {
    TelnetRpcServer server;
    server.kill(signal);
    EXPECT_EQ(server.wait(), 0);
  }
}

TEST(TelnetRpcDrain, ClosesIdleConnectionsAtOnce) {
  const auto drain = [] {
    TelnetRpcServer server;
    std::vector<std::unique_ptr<Client>> clients(20);
    for (auto& client : clients) client = std::make_unique<Client>(server.port());
    for (const auto& client : clients) EXPECT_EQ(client->ask("math.add 1 2"), "[1] ok 3");
    const auto begin = steady_clock::now();
    server.kill(SIGTERM);
    EXPECT_EQ(server.wait(), 0);
    const Seconds needed = since(begin);
    for (const auto& client : clients) EXPECT_EQ(client->read_to_end(), "");
    return needed;
  };
  EXPECT_LT(std::min({drain(), drain(), drain()}), Seconds(0.8));  // no client is waited for
}

TEST(TelnetRpcDrain, AnswersEveryCallInFlight) {
  TelnetRpcServer server;
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(std::make_unique<Client>(server.port()));
    clients.back()->send("time.sleep 2\ntime.count 3 1\nmath.fib 90\n");
  }
  for (const auto& client : clients) client->read_until("[3] ok 2880067194370816120\r\n");
  server.kill(SIGTERM);
  for (const auto& client : clients) {
    const std::string rest = client->read_to_end();
    EXPECT_NE(rest.find("[1] ok slept 2\r\n"), std::string::npos) << rest;
    EXPECT_NE(rest.find("[2] | 3\r\n"), std::string::npos) << rest;
  }
  EXPECT_EQ(server.wait(), 0);
  EXPECT_NE(server.err().wait_to_end().find(" and 20 requests"), std::string::npos)
      << server.err().text();
}

TEST(TelnetRpcDrain, AnswersWhatHasReachedTheMachineAndIsNotAcceptedYet) {
  TelnetRpcServer server;
  server.kill(SIGSTOP);
  ASSERT_TRUE(eventually([&] { return server.is_stopped(); }));
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(std::make_unique<Client>(server.port()));
    clients.back()->send("math.add 20 22\ntime.sleep 0.1\nunfinis");
  }
  server.kill(SIGTERM);
  server.kill(SIGCONT);
  for (const auto& client : clients)
    EXPECT_EQ(client->read_to_end(), "[1] ok 42\r\n[2] ok slept 0.1\r\n");
  EXPECT_EQ(server.wait(), 0);
  EXPECT_NE(server.err().wait_to_end().find("dropped an unfinished call"), std::string::npos);
}

TEST(TelnetRpcDrain, ServesALongPipelineThatHasArrived) {
  TelnetRpcServer server({"--max-in-flight", "2"});
  Client client(server.port());
  std::string calls;
  for (int i = 0; i < 20; ++i) calls += i < 2 ? "time.sleep 1\n" : "time.sleep 0.02\n";
  client.send(calls + "echo.say last\n");
  ASSERT_TRUE(server.eventually_in_flight(2));
  server.kill(SIGTERM);
  EXPECT_NE(client.read_to_end().find("[21] ok last\r\n"), std::string::npos);
  EXPECT_EQ(server.wait(), 0);
}

TEST(TelnetRpcDrain, AcceptsNobodyAnyMore) {
  TelnetRpcServer server;
  Client client(server.port());
  client.send("time.sleep 0.3\nmath.add 1 2\n");
  client.read_line();
  server.kill(SIGTERM);
  EXPECT_TRUE(server.err().wait_for("draining"));
  EXPECT_TRUE(eventually([&] {
    try {
      Client late(server.port());
      return false;
    } catch (const std::system_error&) {
      return true;
    }
  }));
  EXPECT_EQ(client.read_to_end(), "[1] ok slept 0.3\r\n");
  EXPECT_EQ(server.wait(), 0);
}

TEST(TelnetRpcDrain, CutsWhatIsLeftAndSaysSoWhateverTheLogLevel) {
  TelnetRpcServer server({"--drain-timeout", "1", "--log-level", "off"});
  Client stuck(server.port());
  Client idle(server.port());
  stuck.send("time.sleep 3600\ntime.sleep 3600\nmath.add 1 2\n");
  stuck.read_line();
  const auto begin = steady_clock::now();
  server.kill(SIGTERM);
  EXPECT_EQ(server.wait(), 0);
  EXPECT_GE(since(begin), Seconds(0.99));
  EXPECT_LT(since(begin), Seconds(9));
  const std::string said = server.err().wait_to_end();
  EXPECT_NE(said.find("cut 1 connection and 2 requests"), std::string::npos) << said;
}

TEST(TelnetRpcDrain, NoPatienceAtAllStillClosesIdleConnectionsInPeace) {
  TelnetRpcServer server({"--drain-timeout", "0", "--log-level", "off"});
  Client idle(server.port());
  EXPECT_EQ(idle.ask("math.add 1 2"), "[1] ok 3");
  server.kill(SIGTERM);
  EXPECT_EQ(server.wait(), 0);
  EXPECT_EQ(idle.read_to_end(), "");
}

TEST(TelnetRpcDrain, ASecondSignalEndsAtOnce) {
  for (const int signal : {SIGTERM, SIGINT}) {
    TelnetRpcServer server;
    Client client(server.port());
    client.send("time.sleep 3600\nmath.add 1 2\n");
    client.read_line();
    server.kill(SIGTERM);
    ASSERT_TRUE(server.err().wait_for("draining"));
    server.kill(signal);
    EXPECT_EQ(server.wait(), 128 + signal);
  }
}

TEST(TelnetRpcDrain, APeerThatKeepsSendingProlongsNothing) {
  TelnetRpcServer server;
  Client client(server.port());
  const auto send_on = [&] {
    try {
      for (;;) client.send("echo.say hello\n");
    } catch (const std::exception&) {  // the server has gone
    }
  };
  std::thread reader([&] {
    try {
      client.read_to_end();
    } catch (const std::exception&) {
    }
  });
  std::thread sender(send_on);
  ASSERT_TRUE(eventually([&] { return server.statistic("calls_served") > 1000; }));
  const auto begin = steady_clock::now();
  server.kill(SIGTERM);
  EXPECT_EQ(server.wait(), 0);
  EXPECT_LT(since(begin), Seconds(9));
  sender.join();
  reader.join();
  EXPECT_EQ(server.err().wait_to_end().find("drain timeout"), std::string::npos);
}

TEST(TelnetRpcDrain, AnswersThatTheClientReadsLateStillArrive) {
  TelnetRpcServer server({"--drain-timeout", "86400"});
  Client client(server.port(), {.receive_buffer = 4096});
  client.send("time.count 100000 0\n");
  client.read_until("[1] | 1000\r\n");
  server.kill(SIGTERM);
  EXPECT_TRUE(server.err().wait_for("draining"));
  EXPECT_TRUE(client.read_to_end().ends_with("[1] | 100000\r\n[1] ok\r\n"));
  EXPECT_EQ(server.wait(), 0);
}

}  // namespace
}  // namespace eddy
