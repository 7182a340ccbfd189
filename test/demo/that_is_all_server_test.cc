// that_is_all_server: what its clients see, byte for byte.

#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "../support/demo_server.h"

namespace eddy {
namespace {

using namespace std::string_literals;

constexpr std::string_view kEnd = "that is all!";
constexpr std::size_t kMega = 1 << 20;

class ThatIsAllServer : public DemoServer {
 public:
  explicit ThatIsAllServer(Words flags = {}) : DemoServer("that_is_all_server", std::move(flags)) {}

  bool is_healthy() const {
    Client client(port());
    client.send("well? that is all!");
    return client.read_until(kEnd) == "well? that is all!";
  }
};

std::string message(std::size_t size) {  // of so many bytes, its end among them
  return std::string(size - kEnd.size(), 'x') + std::string(kEnd);
}

TEST(ThatIsAllServer, SendsEachMessageBackWithItsEnd) {
  ThatIsAllServer server;
  Client client(server.port());
  client.send("hi dude! that is all!");
  EXPECT_EQ(client.read_until(kEnd), "hi dude! that is all!");
  client.send("whats up! that is all!");
  EXPECT_EQ(client.read_until(kEnd), "whats up! that is all!");
  client.send(kEnd);
  EXPECT_EQ(client.read_to_end(), "");
  EXPECT_TRUE(server.err().wait_for("no more messages from " + client.name() + "\n"));
}

TEST(ThatIsAllServer, SendsTheSameBackHoweverTheBytesAreCut) {
  ThatIsAllServer server;
  const std::string wire = "that is almost\0\xff\n all! that is that is all!ok that is all!"s;
  for (std::size_t cut = 0; cut <= wire.size(); ++cut) {
    Client client(server.port());
    client.send(wire.substr(0, cut));
    client.send(wire.substr(cut));
    const std::string first = client.read_until(kEnd);
    EXPECT_EQ(first + client.read_until(kEnd), wire) << "cut at " << cut;
  }
}

TEST(ThatIsAllServer, TakesAMessageThatComesByteByByte) {
  ThatIsAllServer server;
  Client client(server.port());
  for (const char byte : "slow that is all!"s) client.send({&byte, 1});
  EXPECT_EQ(client.read_until(kEnd), "slow that is all!");
}

TEST(ThatIsAllServer, AnswersManyMessagesOfOnePacketInOrder) {
  ThatIsAllServer server;
  Client client(server.port());
  std::string wire;
  for (int i = 0; i < 2000; ++i) wire += std::to_string(i) + std::string(kEnd);
  std::thread sender([&] { client.send(wire + std::string(kEnd)); });
  EXPECT_EQ(client.read_to_end(), wire);
  sender.join();
}

TEST(ThatIsAllServer, BlanksAndLineEndsBeforeTheGoodbyeDoNotCount) {
  ThatIsAllServer server;
  for (const char* goodbye : {"that is all!", "\nthat is all!", "\r\n \t that is all!\r\n"}) {
    Client client(server.port());
    client.send("hi that is all!"s + goodbye);
    EXPECT_EQ(client.read_to_end(), "hi that is all!");
  }
  Client client(server.port());
  client.send(".that is all! \r\nx\r\nthat is all!");
  client.half_close();
  EXPECT_EQ(client.read_to_end(), ".that is all! \r\nx\r\nthat is all!");
}

TEST(ThatIsAllServer, WhatIsSentAfterTheGoodbyeDestroysNoAnswer) {
  ThatIsAllServer server;
  Client client(server.port(), {.receive_buffer = 4096});
  client.send(message(100'000) + std::string(kEnd) + std::string(50'000, 'y'));
  EXPECT_TRUE(server.err().wait_for("no more messages"));
  EXPECT_EQ(client.read_to_end(), message(100'000));  // and no reset
}

TEST(ThatIsAllServer, AnswersAClientThatHasEndedItsSide) {
  ThatIsAllServer server;
  Client client(server.port());
  client.send("one that is all!two that is all!");
  client.half_close();
  EXPECT_EQ(client.read_to_end(), "one that is all!two that is all!");
  EXPECT_EQ(server.err().text(), "");
}

TEST(ThatIsAllServer, DropsAndLogsAnUnfinishedMessage) {
  ThatIsAllServer server;
  Client client(server.port());
  client.send("one that is all!two that is all");
  client.half_close();
  EXPECT_EQ(client.read_to_end(), "one that is all!");
  EXPECT_TRUE(server.err().wait_for("dropped an unfinished message of " + client.name()));
}

TEST(ThatIsAllServer, ForgetsClientsThatReset) {
  ThatIsAllServer server;
  ASSERT_TRUE(server.is_healthy());
  const std::size_t before = server.descriptors();
  for (int i = 0; i < 100; ++i) {
    Client client(server.port());
    client.send(i % 2 == 0 ? "hi that is all!" : "unfinished");
    client.reset();
  }
  EXPECT_TRUE(server.is_healthy());
  EXPECT_TRUE(eventually([&] { return server.descriptors() <= before; }));
}

TEST(ThatIsAllServer, TakesAMessageOfMaxMessageAndNoneThatIsLonger) {
  ThatIsAllServer server({"--max-message", "100"});
  Client client(server.port());
  client.send(message(100));
  EXPECT_EQ(client.read_until(kEnd), message(100));
  client.send("short that is all!" + message(101) + "late that is all!");
  EXPECT_EQ(client.read_to_end(), "short that is all!");
  EXPECT_TRUE(
      server.err().wait_for("message longer than --max-message = 100 from " + client.name()));
  EXPECT_TRUE(server.is_healthy());
}

TEST(ThatIsAllServer, DoesNotWaitForTheEndOfAMessageThatIsTooLong) {
  ThatIsAllServer server;
  const std::size_t before = server.resident_bytes();
  Client client(server.port());
  client.send(message(kMega));
  EXPECT_EQ(client.read_until(kEnd), message(kMega));
  client.send(std::string(kMega + 1, 'x'));
  EXPECT_EQ(client.read_to_end(), "");
  EXPECT_TRUE(server.err().wait_for("--max-message = 1048576"));
  EXPECT_LT(server.resident_bytes(), before + allowance(8 * kMega));
}

TEST(ThatIsAllServer, ReadsNoFurtherWhileAClientDoesNotTakeItsAnswers) {
  ThatIsAllServer server;
  ASSERT_TRUE(server.is_healthy());
  const std::size_t before = server.resident_bytes();
  Client client(server.port(), {.receive_buffer = 4096});
  const std::size_t sent = client.send_until_blocked(message(10'000), 64 * kMega);
  EXPECT_LT(sent, 64 * kMega);
  EXPECT_LT(server.resident_bytes(), before + allowance(4 * kMega));
  EXPECT_TRUE(server.is_healthy());
  client.half_close();
  EXPECT_EQ(client.read_to_end().size(), sent / 10'000 * 10'000);
}

TEST(ThatIsAllServer, ServesOverVersionSix) {
  ThatIsAllServer server({"--address", "::1"});
  Client client(server.port(), {.address = "::1"});
  client.send("six that is all!that is all!");
  EXPECT_EQ(client.read_to_end(), "six that is all!");
  EXPECT_TRUE(server.err().wait_for("no more messages from " + client.name()));
}

TEST(ThatIsAllServer, ServesOverAUnixSocket) {
  const std::string path = "@eddy-that-is-all-" + std::to_string(::getpid());
  ThatIsAllServer server({"--unix", path});
  for (const char* name : {"unix:#1\n", "unix:#2\n"}) {
    Client client(0, {.unix_path = path});
    client.send("one that is all!that is all!");
    EXPECT_EQ(client.read_to_end(), "one that is all!");
    EXPECT_TRUE(server.err().wait_for(std::string("no more messages from ") + name));
  }
}

// The client of the article, but for where its server is.
TEST(ThatIsAllServer, ServesTheClientThatTheArticleShows) {
  ThatIsAllServer server;
  const std::string script = R"(
import time
import socket

HOST = '127.0.0.1'
PORT = )" + std::to_string(server.port()) +
                             R"(
BUFSIZE = 1024

s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
s.connect((HOST, PORT))
s.send("hi dude! that is all!".encode())
data = s.recv(BUFSIZE).decode()
print(data)

s.send("whats up! that is all!".encode())
data = s.recv(BUFSIZE).decode()
print(data)

s.send("that is all!".encode())
time.sleep(2)

s.close()
)";
  DemoProcess client("python3", {"-c", script});
  EXPECT_TRUE(server.err().wait_for("no more messages"));
  EXPECT_EQ(client.wait(), 0);
  EXPECT_EQ(client.out().wait_to_end(), "hi dude! that is all!\nwhats up! that is all!\n");
  EXPECT_EQ(client.err().wait_to_end(), "");
}

}  // namespace
}  // namespace eddy
