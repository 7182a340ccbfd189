#include <gtest/gtest.h>
#include <signal.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include <eddy/loop/await.h>
#include <eddy/server/tcp_server.h>

#include "../support/client.h"
#include "../support/demo_process.h"
#include "../support/program.h"

namespace eddy {
namespace {

using namespace std::chrono_literals;

// Tells each client which worker it is, and goes on until the client ends.
class WhoAmI : public TCPServer {
 public:
  ~WhoAmI() override { close_all_connections(); }

 protected:
  Future<> handle_stream(std::unique_ptr<IOStream> stream, SocketAddress) override {
    co_await stream->write(std::to_string(task_id().value_or(-1)) + ' ' +
                           std::to_string(::getpid()) + "\r\n");
    static_cast<void>(co_await stream->read_until_close());
  }
};

Future<> drain(TCPServer& server) {
  static_cast<void>(co_await server.drain(10s));
  IOLoop::current().stop();
}

int serve(TCPServer& server) {
  IOLoop& loop = IOLoop::current();
  loop.add_signal_handler(SIGTERM, [&] { loop.spawn(drain(server)); });
  loop.start();
  return 0;
}

// Says its port.
Program::Body workers(int processes) {
  return [=](Program& self) {
    self.log_to_test();
    WhoAmI server;
    server.bind(0, "127.0.0.1");
    ForkOptions options;
    options.handled_signals = {SIGTERM};
    options.on_started = [&] { self.tell(std::to_string(server.addresses().front().port())); };
    if (const auto code = server.start(processes, options)) return *code;
    self.tell("accepting");
    return serve(server);
  };
}

std::uint16_t to_port(const std::string& line) {
  return static_cast<std::uint16_t>(std::stoi(line));
}

// Once all accept: one that has only been forked cannot have its share yet.
std::uint16_t port_of(Program& program, int processes) {
  std::uint16_t port = 0;
  for (int accepting = 0; port == 0 || accepting < processes;) {
    const std::string line = program.hear();
    if (line == "accepting")
      ++accepting;
    else
      port = to_port(line);
  }
  return port;
}

struct Answer {
  explicit Answer(const std::string& line)
      : worker(std::stoi(line)), pid(std::stoi(line.substr(line.find(' ')))) {}
  int worker;
  pid_t pid;
};

using Shares = std::map<int, int>;

// A quarter each, and much room for a machine that does other things meanwhile. Where the first in
// line has them all, two workers have none.
void expect_even(const Shares& shares, int clients) {
  EXPECT_EQ(shares.size(), 4U);
  for (const auto& [worker, count] : shares) {
    EXPECT_GE(count * 100, clients * 8) << "worker " << worker;
    EXPECT_LE(count * 100, clients * 50) << "worker " << worker;
  }
}

TEST(TCPServerFork, WorkersShareClientsWhoComeOneAfterTheOther) {
  constexpr int kClients = 1000;
  Program program(workers(4));
  const std::uint16_t port = port_of(program, 4);
  Shares shares;
  for (int at = 0; at < kClients; ++at) ++shares[Answer(Client(port).read_line()).worker];
  expect_even(shares, kClients);
}

TEST(TCPServerFork, WorkersShareClientsWhoComeAHundredAtOnce) {
  constexpr int kRounds = 20;
  Program program(workers(4));
  const std::uint16_t port = port_of(program, 4);
  Shares shares;
  for (int round = 0; round < kRounds; ++round) {
    std::list<Client> clients;
    for (int at = 0; at < 100; ++at) clients.emplace_back(port);
    for (Client& client : clients) ++shares[Answer(client.read_line()).worker];
  }
  expect_even(shares, 100 * kRounds);
}

TEST(TCPServerFork, ClientsOfTheOthersDoNotNoticeThatAWorkerIsKilled) {
  Program program(workers(4));
  const std::uint16_t port = port_of(program, 4);
  std::list<std::pair<Client, int>> clients;
  for (int at = 0; at < 40; ++at) {
    Client client(port);
    const int worker = Answer(client.read_line()).worker;
    clients.emplace_back(std::move(client), worker);
  }
  Client victim(port);
  const Answer killed(victim.read_line());
  ::kill(killed.pid, SIGKILL);
  EXPECT_NE(program.hear_until("was ended by signal 9"), "");
  for (int at = 0; at < 40; ++at) EXPECT_NE(Client(port).read_line(), "") << "none is lost";
  for (auto& [client, worker] : clients) {
    if (worker == killed.worker) continue;
    client.half_close();
    EXPECT_EQ(client.read_to_end(), "") << "served until its end";
  }
}

TEST(TCPServerFork, AskedToStopNobodyAcceptsAndAllDrain) {
  Program program(workers(2));
  const std::uint16_t port = port_of(program, 2);
  Client client(port);
  client.read_line();
  program.kill(SIGTERM);
  EXPECT_TRUE(eventually([port] {
    try {
      const Client late(port);
      return false;
    } catch (const std::system_error&) {
      return true;
    }
  })) << "the kernel queues clients for nobody";
  client.half_close();
  EXPECT_EQ(client.read_to_end(), "");
  EXPECT_EQ(program.wait(), 0);
}

TEST(TCPServerFork, OneProcessServesOnALoopThatTheServerMakes) {
  Program program([](Program& self) {
    WhoAmI server;
    server.bind(0, "127.0.0.1");
    if (const auto code = server.start()) return *code;
    self.tell(std::to_string(server.addresses().front().port()));
    return serve(server);
  });
  EXPECT_EQ(Answer(Client(to_port(program.hear())).read_line()).worker, -1);
  program.kill(SIGTERM);
  EXPECT_EQ(program.wait(), 0);
}

TEST(TCPServerFork, ALoopMadeBeforeIsRefused) {
  IOLoop loop;
  WhoAmI server;
  server.bind(0, "127.0.0.1");
  EXPECT_THROW(static_cast<void>(server.start(2)), InvalidStateError);
  EXPECT_EQ(server.start(), std::nullopt) << "nothing has happened yet";
}

}  // namespace
}  // namespace eddy
