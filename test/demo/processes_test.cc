// --processes: several workers under a supervisor.

#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

#include "../support/descriptors.h"
#include "telnet_rpc_server.h"

namespace eddy {
namespace {

using Pids = std::set<pid_t>;

// Until it is a zombie, or gone: then all that it had open is closed.
bool alive(pid_t pid) {
  std::ifstream stream("/proc/" + std::to_string(pid) + "/stat");
  std::string stat;
  std::getline(stream, stat);
  const std::size_t name_end = stat.rfind(')');
  return name_end != stat.npos && stat.find_first_of("ZX", name_end) != name_end + 2;
}

std::size_t descriptors_of(pid_t pid) {
  const std::filesystem::directory_iterator all("/proc/" + std::to_string(pid) + "/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

// The listening one among them, which it has from its supervisor.
std::size_t sockets_of(pid_t pid) {
  namespace fs = std::filesystem;
  std::size_t found = 0;
  for (const auto& fd : fs::directory_iterator("/proc/" + std::to_string(pid) + "/fd")) {
    std::error_code closed_meanwhile;
    if (fs::read_symlink(fd, closed_meanwhile).string().starts_with("socket:")) ++found;
  }
  return found;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

bool may_open(rlim_t descriptors) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = std::max(limit.rlim_cur, std::min(descriptors, limit.rlim_max));
  ::setrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur >= descriptors;
}

class Workers : public TelnetRpcServer {
 public:
  explicit Workers(int processes, Words flags = {})
      : TelnetRpcServer([&] {
          flags.insert(flags.end(), {"--processes", std::to_string(processes)});
          return flags;
        }()) {}

  Pids pids() const {
    const std::string pid = std::to_string(this->pid());
    std::ifstream stream("/proc/" + pid + "/task/" + pid + "/children");
    return {std::istream_iterator<pid_t>(stream), {}};
  }
  bool eventually_are(std::size_t number) const {
    return eventually([&] { return pids().size() == number; });
  }
};

// So many connections, each of them with a worker by now.
std::vector<std::unique_ptr<Client>> connect(const DemoServer& server, std::size_t number) {
  std::vector<std::unique_ptr<Client>> clients;
  while (clients.size() < number) {
    clients.push_back(std::make_unique<Client>(server.port()));
    clients.back()->send("math.add 1 2\n");
  }
  for (const auto& client : clients) EXPECT_EQ(client->read_line(), "[1] ok 3");
  return clients;
}

bool still_serves(Client& client) try {
  return client.ask("math.add 2 2") == "[2] ok 4";
} catch (const std::exception&) {
  return false;
}

bool serves_at(const std::string& unix_path) try {
  return Client(0, {.unix_path = unix_path}).ask("math.add 2 2") == "[1] ok 4";
} catch (const std::exception&) {  // not yet
  return false;
}

TEST(Processes, TheSupervisorSaysOnceWhereItListens) {
  const auto port = [](const Workers& workers) { return std::to_string(workers.port()); };
  Workers workers(3);
  EXPECT_TRUE(workers.eventually_are(3));
  EXPECT_TRUE(workers.is_healthy());
  workers.kill(SIGTERM);
  EXPECT_EQ(workers.wait(), 0);
  EXPECT_EQ(workers.out().wait_to_end(), "listening on 127.0.0.1:" + port(workers) + "\n");
}

TEST(Processes, AStandardOutputWithoutAReaderEndsNobody) {
  Pipe out;
  out.reader.reset();
  const std::string name = "@eddy-test-no-reader-" + std::to_string(::getpid());
  DemoProcess server(DemoProcess::path_of("telnet_rpc"), {"--processes", "2", "--unix", name},
                     {.out = out.writer.get()});
  ASSERT_TRUE(eventually([&] { return serves_at(name); }));
  server.kill(SIGTERM);
  EXPECT_EQ(server.wait(), 0);
}

TEST(Processes, OneForksNothingAndNoneMeansOneForEachCore) {
  EXPECT_TRUE(Workers(1).pids().empty());
  cpu_set_t cores;
  ASSERT_EQ(::sched_getaffinity(0, sizeof cores, &cores), 0);
  EXPECT_TRUE(Workers(0).eventually_are(static_cast<std::size_t>(CPU_COUNT(&cores))));
}

// Between 15 and 35 percent for each of four; few and slow, it is less even.
bool four_share(std::size_t all) {
  const Workers workers(4);
  if (!workers.eventually_are(4)) return false;
  const Pids pids = workers.pids();
  const std::size_t before = descriptors_of(*pids.begin());
  const auto clients = connect(workers, all);
  return std::all_of(pids.begin(), pids.end(), [&](pid_t pid) {
    const std::size_t share = 100 * (descriptors_of(pid) - before) / all;
    return sanitized() ? share >= 8 && share < 50 : share >= 15 && share < 35;
  });
}

TEST(Processes, FourShareManyConnections) {
  const std::size_t all = sanitized() ? 4000 : 10'000;
  if (!may_open(all + 100)) GTEST_SKIP() << "not enough descriptors";
  // One that the machine held up for a good part of this second has less: not three times.
  EXPECT_TRUE(four_share(all) || four_share(all) || four_share(all));
}

TEST(Processes, AKilledWorkerIsReplacedAndNobodyElseNotices) {
  const Workers workers(4);
  ASSERT_TRUE(workers.eventually_are(4));
  const auto clients = connect(workers, 100);
  const Pids before = workers.pids();
  const pid_t victim = *std::max_element(before.begin(), before.end(), [](pid_t a, pid_t b) {
    return sockets_of(a) < sockets_of(b);  // not the one that began too late to have any
  });
  const std::size_t lost = sockets_of(victim) - sockets_of(workers.pid());
  ASSERT_EQ(::kill(victim, SIGKILL), 0);
  ASSERT_TRUE(eventually([&] {
    const Pids now = workers.pids();
    return now.size() == 4 && !now.contains(victim);
  }));
  const auto served = std::count_if(clients.begin(), clients.end(),
                                    [&](const auto& client) { return still_serves(*client); });
  EXPECT_GT(lost, 0U);
  EXPECT_EQ(static_cast<std::size_t>(served), clients.size() - lost);
  const auto later = connect(workers, 40);
  for (const pid_t pid : before) EXPECT_EQ(alive(pid), pid != victim);
}

TEST(Processes, SIGTERMDrainsThemAll) {
  Workers workers(4);
  ASSERT_TRUE(workers.eventually_are(4));
  std::vector<std::unique_ptr<Client>> clients = connect(workers, 20);
  for (const auto& client : clients) client->send("time.sleep 0.3\n");
  workers.kill(SIGTERM);
  for (const auto& client : clients) EXPECT_EQ(client->read_to_end(), "[2] ok slept 0.3\r\n");
  EXPECT_EQ(workers.wait(), 0);
}

// As a service manager does, which knows nothing of supervisors.
TEST(Processes, SIGTERMToEachOfThemAtOnceIsNotASecondSignal) {
  Workers workers(2);
  ASSERT_TRUE(workers.eventually_are(2));
  const auto clients = connect(workers, 10);
  for (const auto& client : clients) client->send("time.sleep 0.3\n");
  for (const pid_t pid : workers.pids()) ::kill(pid, SIGTERM);
  workers.kill(SIGTERM);
  for (const auto& client : clients) EXPECT_EQ(client->read_to_end(), "[2] ok slept 0.3\r\n");
  EXPECT_EQ(workers.wait(), 0);
}

TEST(Processes, ASecondSignalEndsAllAtOnce) {
  Workers workers(2);
  ASSERT_TRUE(workers.eventually_are(2));
  const Pids pids = workers.pids();
  const auto clients = connect(workers, 4);
  for (const auto& client : clients) client->send("time.sleep 60\n");
  workers.kill(SIGTERM);
  ASSERT_TRUE(workers.err().wait_for("draining"));
  workers.kill(SIGINT);
  EXPECT_EQ(workers.wait(), 128 + SIGINT);
  for (const pid_t pid : pids) EXPECT_FALSE(alive(pid));
}

TEST(Processes, TheDeathOfTheSupervisorEndsThemAllAndFreesThePort) {
  Workers workers(4);
  ASSERT_TRUE(workers.eventually_are(4));
  const Pids pids = workers.pids();
  const auto clients = connect(workers, 8);
  clients.front()->send("time.sleep 60\n");
  workers.kill(SIGKILL);
  workers.wait();
  EXPECT_TRUE(eventually([&] { return std::none_of(pids.begin(), pids.end(), alive); }));

  Workers again(4, {"--port", std::to_string(workers.port())});  // though clients still hold theirs
  EXPECT_TRUE(again.is_healthy());
}

TEST(Processes, SIGUSR1ReachesEachWorker) {
  Workers workers(3);
  ASSERT_TRUE(workers.eventually_are(3));
  workers.kill(SIGUSR1);
  EXPECT_TRUE(eventually([&] { return count(workers.err().text(), "pending work:") == 3; }));
  EXPECT_TRUE(workers.is_healthy());
}

TEST(Processes, TenCrashesInTenSecondsAreEnough) {
  Workers workers(2);
  ASSERT_TRUE(workers.eventually_are(2));
  for (int crashes = 0; crashes < 10; ++crashes) {
    ASSERT_TRUE(eventually([&] { return !workers.pids().empty(); }));
    const pid_t victim = *workers.pids().begin();
    ::kill(victim, SIGKILL);
    ASSERT_TRUE(eventually([&] { return !workers.pids().contains(victim); }));
  }
  EXPECT_EQ(workers.wait(), 1);
  EXPECT_NE(workers.err().wait_to_end().find("10 workers crashed within 10 s"), std::string::npos)
      << workers.err().text();
  EXPECT_TRUE(workers.pids().empty());
}

TEST(Processes, AUnixSocketIsShared) {
  const std::string name = "@eddy-test-processes-" + std::to_string(::getpid());
  Workers workers(2, {"--unix", name});
  EXPECT_EQ(Client(0, {.unix_path = name}).ask("math.add 1 2"), "[1] ok 3");
  workers.kill(SIGTERM);
  EXPECT_EQ(workers.wait(), 0);
}

TEST(Processes, AnImpossibleNumberIsAUsageError) {
  for (const char* number : {"-1", "x", "1.5", "100000"}) {
    DemoProcess program(DemoProcess::path_of("telnet_rpc"), {"--processes", number});
    EXPECT_EQ(program.wait(), 2) << number;
    EXPECT_TRUE(program.err().wait_to_end().starts_with("telnet_rpc: --processes: '"));
  }
}

}  // namespace
}  // namespace eddy
