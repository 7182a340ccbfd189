// SIGTERM to that_is_all_server: whole messages that have arrived come back, and nobody is waited
// for.

#include <gtest/gtest.h>
#include <linux/sockios.h>
#include <signal.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "../support/demo_server.h"

namespace eddy {
namespace {

using std::chrono::steady_clock;

constexpr std::string_view kEnd = "that is all!";

Seconds since(steady_clock::time_point begin) { return steady_clock::now() - begin; }

class ThatIsAllDrain : public testing::Test {
 protected:
  void stop_server() {  // so that it finds all that happens meanwhile at once
    server_.kill(SIGSTOP);
    ASSERT_TRUE(eventually([&] { return server_.is_stopped(); }));
  }
  void terminate() {
    server_.kill(SIGTERM);
    server_.kill(SIGCONT);
  }

  DemoServer server_{"that_is_all_server"};
};

TEST(ThatIsAllIdle, IsClosedAtOnceByADrain) {
  const auto drain = [] {
    DemoServer server("that_is_all_server");
    std::vector<std::unique_ptr<Client>> clients(20);
    for (auto& client : clients) client = std::make_unique<Client>(server.port());
    for (const auto& client : clients) client->send("hi that is all!");
    for (const auto& client : clients) EXPECT_EQ(client->read_until(kEnd), "hi that is all!");
    const auto begin = steady_clock::now();
    server.kill(SIGTERM);
    EXPECT_EQ(server.wait(), 0);
    const Seconds needed = since(begin);
    for (const auto& client : clients) EXPECT_EQ(client->read_to_end(), "");
    return needed;
  };
  EXPECT_LT(std::min({drain(), drain(), drain()}), Seconds(0.8));  // no client is waited for
}

TEST_F(ThatIsAllDrain, SendsBackWhatHasArrivedHoweverMuchOfItIsThere) {
  const std::string wire = "one that is all!two that is all!";
  std::vector<std::unique_ptr<Client>> clients;
  stop_server();
  for (std::size_t size = 0; size <= wire.size(); ++size) {
    clients.push_back(std::make_unique<Client>(server_.port()));
    clients.back()->send(wire.substr(0, size));
  }
  terminate();
  for (std::size_t size = 0; size <= wire.size(); ++size) {
    const std::size_t whole = size < 16 ? 0 : size < 32 ? 16 : 32;
    EXPECT_EQ(clients[size]->read_to_end(), wire.substr(0, whole)) << size << " bytes";
  }
  EXPECT_EQ(server_.wait(), 0);
  EXPECT_NE(server_.err().wait_to_end().find("dropped an unfinished message"), std::string::npos);
}

TEST_F(ThatIsAllDrain, SendsBackWhatHasArrivedBehindAMessageThatIsHalfRead) {
  Client client(server_.port());
  client.send("first that is all!sec");
  EXPECT_EQ(client.read_until(kEnd), "first that is all!");
  stop_server();
  client.send("ond that is all!third that is all!fou");
  terminate();
  EXPECT_EQ(client.read_to_end(), "second that is all!third that is all!");
  EXPECT_EQ(server_.wait(), 0);
}

TEST_F(ThatIsAllDrain, SendsBackMegabytesThatHaveArrivedToAClientThatReadsLate) {
  Client client(server_.port(), {.receive_buffer = 4096});
  const std::string message = std::string(9'988, 'x') + std::string(kEnd);
  const std::size_t sent = client.send_until_blocked(message, 64 << 20);
  int still_ours = 0;  // what the server's machine has not taken yet
  ASSERT_EQ(::ioctl(client.fd(), SIOCOUTQ, &still_ours), 0);
  const std::size_t arrived = sent - static_cast<std::size_t>(still_ours);
  ASSERT_GT(arrived, 10 * message.size());
  server_.kill(SIGTERM);
  ASSERT_TRUE(server_.err().wait_for("draining"));
  EXPECT_EQ(client.read_to_end().size(), arrived / message.size() * message.size());
  EXPECT_EQ(server_.wait(), 0);
}

TEST_F(ThatIsAllDrain, IsNotProlongedByAPeerThatKeepsSending) {
  Client client(server_.port());
  const std::string message = std::string(988, 'x') + std::string(kEnd);
  std::thread reader([&] {
    try {
      client.read_to_end();
    } catch (const std::exception&) {
    }
  });
  std::thread sender([&] {
    try {
      for (;;) client.send(message);
    } catch (const std::exception&) {  // the server has gone
    }
  });
  EXPECT_TRUE(eventually([&] { return server_.cpu_time() > Seconds(0.05); }));
  const auto begin = steady_clock::now();
  server_.kill(SIGTERM);
  EXPECT_EQ(server_.wait(), 0);
  EXPECT_LT(since(begin), Seconds(9));
  sender.join();
  reader.join();
  EXPECT_EQ(server_.err().wait_to_end().find("drain timeout"), std::string::npos);
}

TEST(ThatIsAllDrainTimeout, CutsAMessageThatNobodyTakesBack) {
  DemoServer server("that_is_all_server", {"--drain-timeout", "0.2", "--log-level", "off"});
  Client client(server.port(), {.receive_buffer = 4096});
  client.send_until_blocked(std::string(9'988, 'x') + std::string(kEnd), 64 << 20);
  server.kill(SIGTERM);
  EXPECT_EQ(server.wait(), 0);
  EXPECT_NE(server.err().wait_to_end().find("cut 1 connection and 1 request"), std::string::npos)
      << server.err().text();
}

}  // namespace
}  // namespace eddy
