// What the world does to a server that lives for months: descriptors run out, peers vanish, system
// calls fail, memory ends. It serves on, and nothing is left behind.

#include <fcntl.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "telnet_rpc_server.h"

namespace eddy {
namespace {

using namespace std::string_literals;
using std::chrono::steady_clock;
using Clients = std::vector<std::unique_ptr<Client>>;

Seconds since(steady_clock::time_point begin) { return steady_clock::now() - begin; }

std::ptrdiff_t lines(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

class TelnetRpcFaults : public testing::Test {
 protected:
  TelnetRpcFaults() {
    EXPECT_TRUE(server_.is_healthy());
    EXPECT_TRUE(quiet());
    descriptors_ = server_.descriptors();
    memory_ = server_.resident_bytes();
  }

  // The server sleeps: its thread is not scheduled for a while.
  bool quiet() const {
    return eventually([&] {
      const std::size_t before = server_.context_switches();
      std::this_thread::sleep_for(Seconds(0.1));
      return server_.is_asleep() && server_.context_switches() == before;
    });
  }

  // Well, quiet, and with as little as it had before.
  void expect_unharmed() const {
    EXPECT_TRUE(server_.is_healthy()) << server_.err().text();
    EXPECT_TRUE(quiet());
    EXPECT_TRUE(eventually([&] { return server_.descriptors() <= descriptors_ + 3; }));
    EXPECT_LT(server_.resident_bytes(), memory_ + allowance(2 << 20));
  }

  void expect_all_served(int clients) const {
    Clients all;
    for (int i = 0; i < clients; ++i) all.push_back(std::make_unique<Client>(server_.port()));
    for (const auto& client : all) EXPECT_EQ(client->retransmissions(), 0U) << "a lost SYN";
    for (const auto& client : all) client->send("math.add 20 22\n");
    for (const auto& client : all) EXPECT_EQ(client->read_line(), "[1] ok 42");
  }

  mutable TelnetRpcServer server_;
  std::size_t descriptors_ = 0;
  std::size_t memory_ = 0;
};

TEST(TelnetRpcDescriptors, RunOutAndComeBack) {
  if (sanitized()) return SUCCEED() << "a sanitizer needs descriptors of its own";
  TelnetRpcServer server({}, {.limits = {{RLIMIT_NOFILE, 64}}});
  Client early(server.port());
  EXPECT_EQ(early.ask("math.add 1 2"), "[1] ok 3");
  Clients crowd;
  for (int i = 0; i < 150; ++i) crowd.push_back(std::make_unique<Client>(server.port()));
  ASSERT_TRUE(server.err().wait_for("cannot accept connections"));
  const Seconds before = server.cpu_time();
  std::this_thread::sleep_for(Seconds(1));
  EXPECT_LT(server.cpu_time() - before, Seconds(0.5)) << "it spins";
  EXPECT_EQ(early.ask("math.add 1 2"), "[2] ok 3");
  EXPECT_LT(lines(server.err().text()), 10);
  crowd.clear();
  EXPECT_TRUE(server.is_healthy());
}

TEST_F(TelnetRpcFaults, AcceptFailsForWantOfResourcesAndEverybodyIsServedInTheEnd) {
  for (const char* error : {"ENFILE", "ENOMEM", "ENOBUFS"}) {
    const Injection failing(server_, {"accept4:error="s + error + ":when=1+3"});
    expect_all_served(100);
  }
  EXPECT_LT(lines(server_.err().text()), 20) << server_.err().text();
  expect_unharmed();
}

TEST_F(TelnetRpcFaults, AcceptFailsForOnePeerAndNobodyElseNotices) {
  for (const char* error :
       {"ECONNABORTED", "EPROTO", "ENETDOWN", "EHOSTUNREACH", "EOPNOTSUPP", "EINTR"}) {
    const Injection failing(server_, {"accept4:error="s + error + ":when=1+2"});
    expect_all_served(20);
  }
  expect_unharmed();
  EXPECT_EQ(server_.err().text(), "");
}

TEST_F(TelnetRpcFaults, AThousandPeersComeAndReset) {
  for (int round = 0; round < 10; ++round) {
    ASSERT_TRUE(server_.is_healthy());  // nobody is left in its queue
    const bool before_accept = round % 2 == 0;
    if (before_accept) {
      server_.kill(SIGSTOP);
      ASSERT_TRUE(eventually([&] { return server_.is_stopped(); }));
    }
    for (int i = 0; i < 100; ++i) {
      Client client(server_.port());
      if (i % 3 == 0) client.send("time.sleep 3600\nmath.add 1 2\n");
      client.reset();
    }
    server_.kill(SIGCONT);
  }
  EXPECT_TRUE(server_.eventually_in_flight(0));
  expect_unharmed();
}

TEST_F(TelnetRpcFaults, TwoThousandShortVisits) {
  for (int i = 0; i < 2000; ++i)
    ASSERT_EQ(Client(server_.port()).ask("math.add 20 22"), "[1] ok 42");
  expect_unharmed();
}

TEST_F(TelnetRpcFaults, FiveHundredComeAtOnce) {
  expect_all_served(500);
  memory_ = server_.resident_bytes();  // the next five hundred cost no more
  expect_all_served(500);
  expect_unharmed();
}

TEST_F(TelnetRpcFaults, NoWatchIsLeftForAConnection) {
  {
    const Injection failing(server_, {"epoll_ctl:error=ENOSPC:when=1+2"});
    for (int i = 0; i < 4; ++i) {
      Client client(server_.port());
      try {  // it is answered or closed, and does not hang
        client.send("math.add 1 2\n");
        client.half_close();
        client.read_to_end();
      } catch (const std::system_error&) {
      }
    }
  }
  expect_unharmed();
}

TEST_F(TelnetRpcFaults, SocketOptionsAreNotVital) {
  {
    const Injection failing(server_, {"setsockopt:error=EINVAL"});
    EXPECT_TRUE(server_.is_healthy());
  }
  expect_unharmed();
}

TEST_F(TelnetRpcFaults, InterruptedSystemCallsAreRepeated) {
  {
    const Injection failing(
        server_,
        {"epoll_wait,epoll_pwait,epoll_pwait2,recvfrom,sendto,accept4:error=EINTR:when=1+3"});
    EXPECT_TRUE(server_.is_healthy());
    Client client(server_.port());
    for (int i = 1; i <= 50; ++i)
      ASSERT_EQ(client.ask("math.add 20 22"), "[" + std::to_string(i) + "] ok 42");
    const auto begin = steady_clock::now();
    EXPECT_EQ(client.ask("time.sleep 0.2"), "[51] ok slept 0.2");
    EXPECT_GE(since(begin), Seconds(0.2));
  }
  expect_unharmed();
}

TEST_F(TelnetRpcFaults, AReadThatFailsEndsItsConnectionOnly) {
  Client bystander(server_.port());
  EXPECT_EQ(bystander.ask("math.add 1 2"), "[1] ok 3");
  for (const char* error : {"ECONNRESET", "ETIMEDOUT", "EHOSTUNREACH", "EIO"}) {
    const Injection failing(server_, {"recvfrom:error="s + error + ":when=1+5"});
    Client victim(server_.port());
    EXPECT_EQ(victim.read_to_end(), "");
  }
  EXPECT_EQ(bystander.ask("math.add 1 2"), "[2] ok 3");
  bystander.close();
  expect_unharmed();
}

TEST_F(TelnetRpcFaults, AWriteThatFailsEndsItsConnectionAndItsCalls) {
  for (const char* error : {"EPIPE", "ECONNRESET", "ENOBUFS"}) {
    Client victim(server_.port());
    victim.send("time.sleep 3600\n");
    ASSERT_TRUE(server_.eventually_in_flight(1));
    {
      const Injection failing(server_, {"sendto,sendmsg,writev:error="s + error + ":when=1"});
      victim.send("math.add 1 2\n");
      EXPECT_EQ(victim.read_to_end(), "");
    }
    EXPECT_TRUE(server_.eventually_in_flight(0));
  }
  expect_unharmed();
}

TEST_F(TelnetRpcFaults, PeersResetWhileTheyAreAnswered) {
  for (int i = 0; i < 100; ++i) {
    Client client(server_.port(), {.receive_buffer = 4096});
    client.send("time.count 1000000 0\ntime.sleep 3600\n");
    if (i % 2 == 0) client.half_close();
    client.read_line();
    client.reset();
  }
  EXPECT_TRUE(server_.eventually_in_flight(0));
  expect_unharmed();
}

TEST_F(TelnetRpcFaults, APeerThatEndsAndKeepsItsSocketIsClosed) {
  Clients lazy;
  for (int i = 0; i < 20; ++i) {
    lazy.push_back(std::make_unique<Client>(server_.port()));
    lazy.back()->half_close();
  }
  for (const auto& client : lazy) EXPECT_EQ(client->read_to_end(), "");
  expect_unharmed();
}

TEST_F(TelnetRpcFaults, UrgentBytesAreQuiet) {
  Client client(server_.port());
  for (int i = 0; i < 20; ++i) client.send_urgent('x');
  EXPECT_TRUE(quiet());
  client.send("\r\n");
  EXPECT_EQ(client.read_line(), "[1] error unknown handler 'xxxxxxxxxxxxxxxxxxxx'");
}

TEST_F(TelnetRpcFaults, IdleClientsCostNothingAtAll) {
  const auto sleeps_well = [&] {
    EXPECT_TRUE(quiet());
    const std::size_t switches = server_.context_switches();
    const Seconds cpu = server_.cpu_time();
    std::this_thread::sleep_for(Seconds(1));
    EXPECT_EQ(server_.context_switches(), switches);  // not one system call
    EXPECT_EQ(server_.cpu_time(), cpu);
  };
  sleeps_well();
  Clients idle;
  for (int i = 0; i < 200; ++i) {
    idle.push_back(std::make_unique<Client>(server_.port()));
    if (i % 2 == 0) idle.back()->ask("math.add 1 2");
  }
  sleeps_well();
}

TEST_F(TelnetRpcFaults, NoDescriptorIsInheritedByAChild) {
  const Client client(server_.port());
  ASSERT_TRUE(server_.is_healthy());
  const std::filesystem::path proc = "/proc/" + std::to_string(server_.pid());
  int looked_at = 0;
  for (const auto& entry : std::filesystem::directory_iterator(proc / "fdinfo")) {
    std::error_code closed;  // one that closes while we look, such as the health check's, is none
    const auto made_of =
        std::filesystem::read_symlink(proc / "fd" / entry.path().filename(), closed);
    const bool is_ours =
        made_of.native().starts_with("socket:") || made_of.native().starts_with("anon_inode:");
    if (!is_ours) continue;  // whoever started us may have left files open
    std::ifstream info(entry.path());
    std::string word;
    while (info >> word && word != "flags:") {
    }
    if (!(info >> word)) continue;
    EXPECT_NE(std::stol(word, nullptr, 8) & O_CLOEXEC, 0) << entry.path();
    ++looked_at;
  }
  EXPECT_GE(looked_at, 4);  // epoll, its bell, the listener, our connection
}

TEST_F(TelnetRpcFaults, ABusyCrowdIsServedAndSoAreOthers) {
  Clients busy;
  std::string calls;
  for (int i = 0; i < 1000; ++i) calls += "echo.say hello\n";
  for (int i = 0; i < 300; ++i) busy.push_back(std::make_unique<Client>(server_.port()));
  for (const auto& client : busy) client->send(calls);
  const auto begin = steady_clock::now();
  EXPECT_TRUE(server_.is_healthy());  // in the middle of the crowd
  EXPECT_LT(since(begin), Seconds(10));
  for (const auto& client : busy) EXPECT_NE(client->read_until("[1000] ok hello\r\n"), "");
}

TEST_F(TelnetRpcFaults, OneByteAtATimeIsALineAllTheSame) {
  Client slow(server_.port());
  for (const char byte : "math\r\nadd 20 22\r\n"s) {
    slow.send(std::string(1, byte));
    EXPECT_TRUE(server_.is_healthy());
  }
  EXPECT_EQ(slow.read_line(), "[1] ok 42");
}

TEST_F(TelnetRpcFaults, LongLinesInCrumbsCostLinearTime) {
  const Seconds before = server_.cpu_time();
  constexpr int kClients = 10;
  for (int i = 0; i < kClients; ++i) {
    Client client(server_.port());
    client.send("echo.say ");
    const std::string crumb = "x";
    for (int sent = 0; sent < 20'000; ++sent) client.send(crumb);
    client.send("\n");
    EXPECT_EQ(client.read_line().size(), 20'000 + 7U);
  }
  EXPECT_LT(server_.cpu_time() - before, Seconds(sanitized() ? 20 : 2));
}

TEST_F(TelnetRpcFaults, RubbishOfEveryKindHarmsNobody) {
  std::mt19937 random(7);
  std::vector<std::string> rubbish = {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s,
                                      "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
                                      std::string(1000, '\0'),
                                      std::string(1000, '\xff'),
                                      "\xc0\xaf\xed\xa0\x80\n",
                                      "\r\r\r\r\n",
                                      std::string(100'000, '\n'),
                                      "\xff\xfa",
                                      "\xff"};
  for (int i = 0; i < 30; ++i) {
    std::string bytes(3000, ' ');
    for (char& byte : bytes) byte = static_cast<char>(random());
    rubbish.push_back(bytes);
  }
  for (const std::string& bytes : rubbish) {
    Client client(server_.port());
    client.send(bytes);
    client.half_close();
    EXPECT_EQ(client.read_to_end().find('\x1b'), std::string::npos);
  }
  EXPECT_LE(lines(server_.err().text()), static_cast<long>(rubbish.size()));
  expect_unharmed();
}

TEST_F(TelnetRpcFaults, ManyBadCallsDoNotFloodTheLog) {
  Client client(server_.port());
  std::string calls;
  for (int i = 0; i < 10'000; ++i) calls += "nobody\x1b[2J\n";
  std::thread sender([&] { client.send(calls); });
  client.read_until("[10000] error");
  sender.join();
  for (int i = 0; i < 300; ++i) {
    Client unfinished(server_.port());
    unfinished.send("half a line");
    unfinished.half_close();
    unfinished.read_to_end();
  }
  EXPECT_LT(server_.err().text().size(), 64U * 1024);
}

TEST(TelnetRpcMemory, EndsForConnectionsAndNotForTheServer) {
  if (sanitized()) return SUCCEED() << "a sanitizer's own memory does not fit under such a limit";
  TelnetRpcServer server({"--max-line", "100000000", "--max-write-buffer", "1000000000"},
                         {.limits = {{RLIMIT_AS, 200 << 20}}});
  ASSERT_TRUE(server.is_healthy());
  Clients greedy;
  for (int i = 0; i < 8; ++i) {
    greedy.push_back(
        std::make_unique<Client>(server.port(), Client::Options{.receive_buffer = 4096}));
    try {
      greedy.back()->send_until_blocked("echo.say " + std::string(30 << 20, 'x') + "\n", 61 << 20);
    } catch (const std::system_error&) {
    }
  }
  greedy.clear();
  EXPECT_TRUE(server.is_healthy()) << server.err().text();
  EXPECT_NE(server.err().text(), "");
}

}  // namespace
}  // namespace eddy
