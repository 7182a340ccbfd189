// What one client may take, and what the server does about more.

#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "telnet_rpc_server.h"

namespace eddy {
namespace {

using namespace std::string_literals;
using std::chrono::steady_clock;

constexpr std::size_t kMega = 1 << 20;

Seconds since(steady_clock::time_point begin) { return steady_clock::now() - begin; }

// The share of a core that the program takes in a while.
double load(const DemoProcess& program, Seconds span = Seconds(0.5)) {
  const Seconds before = program.cpu_time();
  std::this_thread::sleep_for(span);
  return (program.cpu_time() - before) / span;
}

// Nothing is left for it to do: one that only waits for a core has no load either.
bool settles(const DemoProcess& program) {
  const auto settled = [&] { return load(program, Seconds(0.1)) < 0.05 && program.is_asleep(); };
  return eventually(settled, 5 * kPatience);
}

TEST(TelnetRpcLimits, ALineAsLongAsAllowedIsServed) {
  TelnetRpcServer server({"--max-line", "20"});
  EXPECT_EQ(Client(server.port()).ask("echo.say " + std::string(11, 'x')),
            "[1] ok " + std::string(11, 'x'));
  EXPECT_EQ(Client(server.port()).ask("echo.say " + std::string(12, 'x')), "error line too long");
}

TEST(TelnetRpcLimits, ALineTooLongEndsTheConnectionWithoutAReset) {
  TelnetRpcServer server({"--max-line", "100"});
  Client client(server.port());
  client.send("time.sleep 0.2\n" + std::string(101, 'x') + "\necho.say never\n");
  client.send(std::string(2 * kMega, 'y'));  // more than both sides' buffers: it is read away
  EXPECT_EQ(client.read_to_end(), "error line too long\r\n[1] ok slept 0.2\r\n");
  EXPECT_TRUE(server.err().wait_for("line longer than max_line = 100 from " + client.name()));
}

TEST(TelnetRpcLimits, AnswersBeforeALineTooLongLeaveHoweverSlowly) {
  TelnetRpcServer server;
  Client client(server.port(), {.receive_buffer = 4096});
  std::string calls;
  for (int i = 0; i < 40; ++i) calls += "echo.say " + std::string(60'000, 'x') + "\n";
  client.send(calls + std::string(70'000, 'y'));
  std::this_thread::sleep_for(Seconds(1.3));  // longer than it reads away what the client sends
  const std::string all = client.read_to_end();
  EXPECT_GT(all.size(), 40U * 60'000);
  EXPECT_TRUE(all.ends_with("error line too long\r\n"));
}

TEST(TelnetRpcLimits, MegabytesWithoutALineEndCostNoMemory) {
  TelnetRpcServer server;
  ASSERT_TRUE(server.is_healthy());
  const std::size_t before = server.resident_bytes();
  Client client(server.port());
  const std::string junk(kMega, 'x');
  try {
    for (int i = 0; i < 48; ++i) client.send(junk);
  } catch (const std::system_error&) {  // it is read away for a second at most
  }
  EXPECT_LT(server.resident_bytes(), before + allowance(kMega));
  EXPECT_TRUE(server.err().wait_for("line longer than max_line = 65536"));
  EXPECT_TRUE(server.is_healthy());
}

TEST(TelnetRpcLimits, ASubnegotiationWithoutEndCostsNoMemory) {
  TelnetRpcServer server;
  Client client(server.port());
  EXPECT_EQ(client.ask("math.add 1 2"), "[1] ok 3");
  const std::size_t before = server.resident_bytes();
  std::string pairs;
  for (std::size_t i = 0; i < kMega / 2; ++i) pairs += "\xff\xff";
  client.send("\xff\xfa\x18");
  for (int i = 0; i < 24; ++i) client.send(pairs);
  client.send("\xff\xf0math.add 3 4\r\n");
  EXPECT_EQ(client.read_line(), "[2] ok 7");
  EXPECT_LT(server.resident_bytes(), before + allowance(kMega));
}

TEST(TelnetRpcLimits, AtMaxInFlightItStopsReading) {
  TelnetRpcServer server({"--max-in-flight", "3"});
  Client client(server.port());
  client.send("time.sleep 1\ntime.sleep 3600\ntime.sleep 3600\nmath.add 20 22\n");
  ASSERT_TRUE(server.eventually_in_flight(3));
  EXPECT_EQ(client.read_line(), "[1] ok slept 1");
  EXPECT_EQ(client.read_line(), "[4] ok 42");
}

TEST(TelnetRpcLimits, WhileItDoesNotReadTheClientBlocksAndNoCpuIsSpent) {
  TelnetRpcServer server({"--max-in-flight", "1"});
  ASSERT_TRUE(server.is_healthy());
  const std::size_t before = server.resident_bytes();
  Client client(server.port());
  client.send("time.sleep 3600\n");
  const std::size_t sent = client.send_until_blocked("math.add 20 22\n", 1000 * kMega);
  EXPECT_LT(sent, 20 * kMega);
  EXPECT_LT(server.resident_bytes(), before + allowance(kMega));
  ASSERT_TRUE(settles(server));
  EXPECT_LT(load(server), 0.25);
  EXPECT_TRUE(server.is_healthy());
}

TEST(TelnetRpcLimits, AClientThatReadsNothingIsNotReadEither) {
  TelnetRpcServer server;
  ASSERT_TRUE(server.is_healthy());
  const std::size_t before = server.resident_bytes();
  Client client(server.port(), {.receive_buffer = 4096});
  const std::string call = "echo.say " + std::string(4000, 'x') + "\n";
  const std::size_t sent = client.send_until_blocked(call, 64 * kMega);
  EXPECT_LT(sent, 20 * kMega);
  EXPECT_LT(server.resident_bytes(), before + allowance(2 * kMega + kMega / 2));
  ASSERT_TRUE(settles(server));
  EXPECT_LT(load(server), 0.25);
  client.half_close();
  const std::string all = client.read_to_end();
  EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), static_cast<long>(sent / call.size()));
}

TEST(TelnetRpcLimits, RowsStopComingUntilTheClientHasRead) {
  TelnetRpcServer server({"--max-write-buffer", "10000"});
  ASSERT_TRUE(server.is_healthy());
  const std::size_t before = server.resident_bytes();
  Client client(server.port(), {.receive_buffer = 65536});
  client.send("time.count 1000000 0\n");
  ASSERT_TRUE(settles(server));
  EXPECT_LT(server.resident_bytes(), before + allowance(kMega));
  EXPECT_EQ(server.statistic("in_flight"), 2);
  EXPECT_TRUE(client.read_until("[1] ok\r\n").ends_with("[1] | 1000000\r\n[1] ok\r\n"));
}

TEST(TelnetRpcLimits, TwentySlowReadersDisturbNobody) {
  TelnetRpcServer server({"--max-write-buffer", "100000"});
  const std::size_t before = server.resident_bytes();
  std::vector<std::unique_ptr<Client>> slow;
  for (int i = 0; i < 20; ++i) {
    slow.push_back(
        std::make_unique<Client>(server.port(), Client::Options{.receive_buffer = 4096}));
    slow.back()->send("time.count 1000000 0\n");
  }
  Client quick(server.port());
  const auto begin = steady_clock::now();
  for (int i = 1; i <= 50; ++i)
    EXPECT_EQ(quick.ask("math.add 1 2"), "[" + std::to_string(i) + "] ok 3");
  EXPECT_LT(since(begin), kPatience);  // together
  ASSERT_TRUE(settles(server));
  EXPECT_LT(server.resident_bytes(), before + allowance(20 * 400'000));
}

TEST(TelnetRpcLimits, AReaderOfOneByteAtATimeCostsNothing) {
  TelnetRpcServer server;
  Client client(server.port(), {.receive_buffer = 2048});
  client.send("time.count 1000000 0\n");
  ASSERT_TRUE(settles(server));
  const Seconds before = server.cpu_time();
  for (int i = 0; i < 200; ++i) {
    char byte = 0;
    ASSERT_EQ(::recv(client.fd(), &byte, 1, 0), 1);
    std::this_thread::sleep_for(Seconds(0.005));
  }
  EXPECT_LT(server.cpu_time() - before, Seconds(0.5)) << "it spins";
}

TEST(TelnetRpcLimits, ASilentClientIsClosed) {
  TelnetRpcServer server({"--idle-timeout", "0.3"});
  const auto begin = steady_clock::now();
  Client client(server.port());
  EXPECT_EQ(client.read_to_end(), "");
  EXPECT_GE(since(begin), Seconds(0.29));
  EXPECT_LT(since(begin), Seconds(3));
  EXPECT_TRUE(server.err().wait_for("idle_timeout, closing " + client.name()));
}

TEST(TelnetRpcLimits, ACallUnderWayIsNoSilence) {
  TelnetRpcServer server({"--idle-timeout", "1"});
  const auto begin = steady_clock::now();
  Client client(server.port());
  client.send("time.sleep 1.5\n");
  EXPECT_EQ(client.read_to_end(), "[1] ok slept 1.5\r\n");
  EXPECT_GE(since(begin), Seconds(2.49));
}

bool each_byte_prolongs_an_unfinished_line() try {
  const TelnetRpcServer server({"--idle-timeout", "1"});
  const auto begin = steady_clock::now();
  Client client(server.port());
  for (const char* byte : {"e", "c", "h", "o"}) {
    client.send(byte);
    std::this_thread::sleep_for(Seconds(0.4));
  }
  return client.read_to_end().empty() && since(begin) > Seconds(2.19);
} catch (const std::system_error&) {  // closed before the last byte
  return false;
}

TEST(TelnetRpcLimits, BytesOfAnUnfinishedLineAreNoSilence) {
  const auto prolongs = each_byte_prolongs_an_unfinished_line;
  EXPECT_TRUE(prolongs() || prolongs() || prolongs());  // no machine stops three times
}

TEST(TelnetRpcLimits, WhoNeitherSendsNorReadsIsSilent) {
  TelnetRpcServer server({"--idle-timeout", "0.3"});
  Client client(server.port(), {.receive_buffer = 4096});
  client.send_until_blocked("echo.say " + std::string(4000, 'x') + "\n", 64 * kMega);
  EXPECT_TRUE(server.err().wait_for("idle_timeout, closing " + client.name()));
  EXPECT_TRUE(eventually([&] { return server.statistic("connections") == 1; }));
}

TEST(TelnetRpcLimits, OneConnectionTooManyIsToldSo) {
  TelnetRpcServer server({"--max-connections", "2"});
  Client first(server.port());
  auto second = std::make_unique<Client>(server.port());
  EXPECT_EQ(first.ask("math.add 1 2"), "[1] ok 3");
  EXPECT_EQ(second->ask("math.add 1 2"), "[1] ok 3");
  Client third(server.port());
  third.send("math.add 1 2\n");
  EXPECT_EQ(third.read_to_end(), "error too many connections\r\n");
  second.reset();
  EXPECT_TRUE(eventually([&] { return Client(server.port()).ask("math.add 1 2") == "[1] ok 3"; }));
}

TEST(TelnetRpcLimits, ManySmallCallsInOneGoAreAnsweredInOrder) {
  TelnetRpcServer server;
  Client client(server.port());
  std::string calls;
  constexpr int kCalls = 20'000;
  for (int i = 0; i < kCalls; ++i) calls += "echo.say " + std::to_string(i) + "\n";
  std::thread sender([&] {
    client.send(calls);
    client.half_close();
  });
  for (int i = 0; i < kCalls; ++i) {
    const std::string number = std::to_string(i);
    ASSERT_EQ(client.read_line(), "[" + std::to_string(i + 1) + "] ok " + number);
  }
  sender.join();
  EXPECT_EQ(client.read_to_end(), "");
}

TEST(TelnetRpcLimits, SixteenMegabytesOfCallsReadLateAreAllAnswered) {
  TelnetRpcServer server;
  Client client(server.port());
  const std::string call = "echo.say " + std::string(990, 'x') + "\n";
  std::string calls;
  for (int i = 0; i < 16'770; ++i) calls += call;
  std::thread sender([&] {
    client.send(calls);
    client.half_close();
  });
  std::this_thread::sleep_for(Seconds(0.3));
  const std::string all = client.read_to_end();
  sender.join();
  EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), 16'770);
  EXPECT_NE(all.find("[16770] ok xxx"), std::string::npos);
}

}  // namespace
}  // namespace eddy
