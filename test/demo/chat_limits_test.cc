// chat: what one client may take, and that it never costs the others.

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "chat_server.h"

namespace eddy {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t kMega = 1 << 20;

Seconds since(steady_clock::time_point begin) { return steady_clock::now() - begin; }

TEST(ChatLimits, ALineMayBeOfMaxLineBytesAndNoLonger) {
  ChatServer server({"--max-line", "10"});
  for (const std::string end : {"\n", "\r\n"}) {
    Client client(server.port());
    client.send("0123456789" + end);
    EXPECT_EQ(client.read_until("\n"), client.name() + " 0123456789\n");
    for (const char* line : {"before", "0123456789X", "behind"}) client.send(line + end);
    EXPECT_EQ(client.read_to_end(), client.name() + " before\n");
    EXPECT_TRUE(server.err().wait_for("line longer than --max-line = 10 from " + client.name()));
  }
}

TEST(ChatLimits, ALineThatIsTooLongIsNotWaitedFor) {
  ChatServer server;
  Client client(server.port());
  client.send(std::string(65536, 'x') + "\n");
  EXPECT_EQ(client.read_until("\n"), client.name() + ' ' + std::string(65536, 'x') + '\n');
  client.send(std::string(65539, 'x'));
  EXPECT_EQ(client.read_to_end(), "");
  EXPECT_TRUE(server.err().wait_for("--max-line = 65536"));
}

TEST(ChatLimits, WhoDoesNotReadIsDroppedAndTheOthersHearAll) {
  ChatServer server;
  const auto stopped = server.join({.receive_buffer = 4096});
  const auto anna = server.join();
  const std::size_t before = server.resident_bytes();
  const std::string text(10'000, 'x');
  const std::string heard = anna->name() + ' ' + text + '\n';
  const std::string told = "bytes unsent: " + stopped->name() + "\n";
  std::size_t lines = 0;
  while (server.err().text().find(told) == std::string::npos && ++lines < 10'000) {
    anna->send(text + '\n');
    ASSERT_EQ(anna->read_until("\n"), heard);
  }
  EXPECT_LT(lines, 10'000U);
  EXPECT_GT(lines, kMega / heard.size());
  EXPECT_NE(server.err().text().find("dropped, more than --max-write-buffer = 1048576 " + told),
            std::string::npos);
  EXPECT_TRUE(server.err().wait_for("left: " + stopped->name()));
  EXPECT_LT(server.resident_bytes(), before + allowance(6 * kMega));
  anna->send("well?\n");
  EXPECT_EQ(anna->read_until("\n"), anna->name() + " well?\n");
}

TEST(ChatLimits, WhoReadsIsNotDroppedForALineThatIsLongerThanTheLimit) {
  ChatServer server({"--max-write-buffer", "1"});
  Client client(server.port());
  const std::string text(5000, 'x');
  for (int i = 0; i < 10; ++i) {
    client.send(text + '\n');
    EXPECT_EQ(client.read_until("\n"), client.name() + ' ' + text + '\n');
  }
}

TEST(ChatLimits, FourHundredNinetyNineHearEachLineAtOnceWhileOneIsStopped) {
  ChatServer server;
  const auto stopped = server.join({.receive_buffer = 4096});
  std::vector<std::unique_ptr<Client>> clients(499);
  for (auto& client : clients) client = std::make_unique<Client>(server.port());
  Client& speaker = *clients.back();  // once the last is heard, all have come in
  speaker.send("hello\n");
  for (const auto& client : clients) client->read_until("hello\n");
  const std::string text(2000, 'x');
  for (int line = 0; line < 20; ++line) {
    const auto begin = steady_clock::now();
    speaker.send(text + '\n');
    for (const auto& client : clients)
      ASSERT_EQ(client->read_until("\n"), speaker.name() + ' ' + text + '\n');
    EXPECT_LT(since(begin), Seconds(10));
  }
}

TEST(ChatLimits, OneProcessHoldsAllClients) {
  for (const char* processes : {"0", "2"}) {
    DemoProcess chat(DemoProcess::path_of("chat"), {"--processes", processes});
    EXPECT_EQ(chat.wait(), 2);
    const std::string said = chat.err().wait_to_end();
    EXPECT_TRUE(said.starts_with("chat: --processes: ")) << said;
    EXPECT_EQ(said.find('\n'), said.size() - 1) << said;
  }
}

TEST(ChatLimits, ClientsThatComeAndGoLeaveNothingBehind) {
  ChatServer server;
  const auto anna = server.join();
  const std::size_t before = server.descriptors();
  for (int i = 0; i < 100; ++i) {
    const auto other = server.join();
    other->send("unfinished");
    if (i % 2 == 0) other->reset();
  }
  EXPECT_TRUE(eventually([&] { return server.descriptors() == before; }));
}

}  // namespace
}  // namespace eddy
