// SIGTERM to chat: what has arrived still goes to all, then everybody is sent home.

#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "chat_server.h"

namespace eddy {
namespace {

using std::chrono::steady_clock;

Seconds since(steady_clock::time_point begin) { return steady_clock::now() - begin; }

TEST(ChatDrain, ClosesIdleConnectionsAtOnce) {
  const auto drain = [] {
    ChatServer server;
    std::vector<std::unique_ptr<Client>> clients(20);
    for (auto& client : clients) client = server.join();
    const auto begin = steady_clock::now();
    server.kill(SIGTERM);
    EXPECT_EQ(server.wait(), 0);
    const Seconds needed = since(begin);
    for (const auto& client : clients) client->read_to_end();  // and no reset
    return needed;
  };
  EXPECT_LT(std::min({drain(), drain(), drain()}), Seconds(0.8));  // no client is waited for
}

TEST(ChatDrain, LinesThatHaveArrivedGoToAll) {
  ChatServer server;
  const auto listens = server.join();
  server.kill(SIGSTOP);
  ASSERT_TRUE(eventually([&] { return server.is_stopped(); }));
  std::string lines;
  for (int i = 0; i < 2000; ++i) lines += std::to_string(i) + '\n';
  std::vector<std::unique_ptr<Client>> clients(5);
  for (auto& client : clients) {  // not even accepted yet
    client = std::make_unique<Client>(server.port());
    client->send(lines + "unfinished");
  }
  server.kill(SIGTERM);
  server.kill(SIGCONT);
  const std::string heard = listens->read_to_end();
  EXPECT_EQ(std::count(heard.begin(), heard.end(), '\n'), 5 * 2000);
  for (const auto& client : clients) {
    EXPECT_NE(heard.find(client->name() + " 1999\n"), std::string::npos);
    EXPECT_TRUE(heard.ends_with(client->read_to_end()));  // all that was said since it came in
  }
  EXPECT_EQ(server.wait(), 0);
  EXPECT_NE(server.err().wait_to_end().find("dropped an unfinished line"), std::string::npos);
}

TEST(ChatDrain, WhoQuitsMeanwhileOrIsInTheMiddleOfALineKeepsNobody) {
  ChatServer server;
  const auto quits = server.join();
  const auto hesitates = server.join();
  const auto listens = server.join();
  server.kill(SIGSTOP);
  ASSERT_TRUE(eventually([&] { return server.is_stopped(); }));
  quits->send("bye\nquit\nunheard\n");
  hesitates->send("well");
  server.kill(SIGTERM);
  server.kill(SIGCONT);
  EXPECT_EQ(listens->read_to_end(), quits->name() + " bye\n");
  EXPECT_TRUE(hesitates->read_to_end().ends_with(quits->name() + " bye\n"));
  EXPECT_TRUE(quits->read_to_end().ends_with(quits->name() + " bye\n"));
  EXPECT_EQ(server.wait(), 0);
}

TEST(ChatDrain, CutsWhoDoesNotTakeWhatWasSaid) {
  ChatServer server({"--drain-timeout", "1", "--log-level", "off", "--max-write-buffer",
                     std::to_string(64 << 20)});
  const auto stopped = server.join({.receive_buffer = 4096});
  const auto anna = server.join();
  const std::string text(60'000, 'x');
  for (int i = 0; i < 200; ++i) {  // 12 MB: more than the kernel keeps
    anna->send(text + '\n');
    anna->read_until("\n");
  }
  server.kill(SIGTERM);
  EXPECT_EQ(server.wait(), 0);
  const std::string told = server.err().wait_to_end();
  EXPECT_NE(told.find("cut 1 connection"), std::string::npos) << told;
}

TEST(ChatDrain, APeerThatKeepsSpeakingProlongsNothing) {
  ChatServer server({"--max-write-buffer", std::to_string(1 << 30)});  // it hears itself, late
  Client client(server.port());
  const std::string text = std::string(1000, 'x') + '\n';
  std::thread reader([&] {
    try {
      client.read_to_end();
    } catch (const std::exception&) {
    }
  });
  std::thread speaker([&] {
    try {
      for (;;) client.send(text);
    } catch (const std::exception&) {  // the server has gone
    }
  });
  EXPECT_TRUE(eventually([&] { return server.cpu_time() > Seconds(0.05); }));
  const auto begin = steady_clock::now();
  server.kill(SIGTERM);
  EXPECT_EQ(server.wait(), 0);
  EXPECT_LT(since(begin), Seconds(9));
  speaker.join();
  reader.join();
  EXPECT_EQ(server.err().wait_to_end().find("drain timeout"), std::string::npos);
}

}  // namespace
}  // namespace eddy
