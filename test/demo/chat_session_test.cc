// chat: what its clients say and hear, byte for byte.

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "chat_server.h"

namespace eddy {
namespace {

using namespace std::string_literals;

TEST(ChatSession, ALineGoesToAllTheSenderIncluded) {
  ChatServer server;
  const auto anna = server.join();
  const auto bert = server.join();
  EXPECT_EQ(anna->read_until("\n"), bert->name() + " hello\n");
  anna->send("good day\n");
  for (Client* client : {anna.get(), bert.get()})
    EXPECT_EQ(client->read_until("\n"), anna->name() + " good day\n");
  bert->send("same to you\r\n");
  for (Client* client : {anna.get(), bert.get()})
    EXPECT_EQ(client->read_until("\n"), bert->name() + " same to you\n");
}

TEST(ChatSession, LinesAreTheSameHoweverTheBytesAreCut) {
  ChatServer server;
  const std::string wire = "one\r\n\r\n\n two \r\rx\n\0\xff\n"s;
  for (std::size_t cut = 0; cut <= wire.size(); ++cut) {
    Client client(server.port());
    client.send(wire.substr(0, cut));
    client.send(wire.substr(cut));
    client.half_close();
    std::string expected;
    for (const std::string& line : {"one\n"s, " two \r\rx\n"s, "\0\xff\n"s})
      expected.append(client.name()).append(" ").append(line);
    EXPECT_EQ(client.read_to_end(), expected) << "cut at " << cut;
  }
}

TEST(ChatSession, ALineMayComeByteByByte) {
  ChatServer server;
  Client client(server.port());
  for (const char byte : "slow\n"s) client.send({&byte, 1});
  EXPECT_EQ(client.read_until("\n"), client.name() + " slow\n");
}

TEST(ChatSession, AllHearTheSameInTheSameOrder) {
  ChatServer server;
  const auto anna = server.join();
  const auto bert = server.join();
  anna->read_until("\n");
  constexpr int kLines = 1000;
  const auto speak = [](Client& client, char what) {
    for (int i = 0; i < kLines; ++i) client.send(what + std::to_string(i) + '\n');
  };
  std::thread first([&] { speak(*anna, 'a'); });
  std::thread second([&] { speak(*bert, 'b'); });
  std::string heard[2];
  for (int i = 0; i < 2 * kLines; ++i) {
    heard[0] += anna->read_until("\n");
    heard[1] += bert->read_until("\n");
  }
  first.join();
  second.join();
  EXPECT_EQ(heard[0], heard[1]);
  EXPECT_NE(heard[0].find(anna->name() + " a999\n"), std::string::npos);
  EXPECT_NE(heard[0].find(bert->name() + " b999\n"), std::string::npos);
}

TEST(ChatSession, QuitLeavesWithBlanksBehindItOrNot) {
  ChatServer server;
  for (const char* quit : {"quit\n", "quit\r\n", "quit \t \r\n"}) {
    Client client(server.port());
    client.send(quit + "unheard\n"s);
    EXPECT_EQ(client.read_to_end(), "");
    EXPECT_TRUE(server.err().wait_for("left: " + client.name() + "\n"));
  }
  Client client(server.port());
  client.send("quitter\n quit\nQUIT\nquit x\nquit\n");
  const std::string name = client.name() + ' ';
  EXPECT_EQ(client.read_to_end(),
            name + "quitter\n" + name + " quit\n" + name + "QUIT\n" + name + "quit x\n");
}

TEST(ChatSession, WhoHasLeftHearsNoMoreAndDisturbsNobody) {
  ChatServer server;
  const auto anna = server.join();
  const auto quits = server.join();
  const auto resets = server.join();
  const auto closes = server.join();
  for (int i = 0; i < 3; ++i) anna->read_until("\n");
  quits->send("quit\n");
  quits->read_to_end();
  resets->reset();
  closes->close();
  for (int i = 0; i < 100; ++i) {
    anna->send("still here\n");
    EXPECT_EQ(anna->read_until("\n"), anna->name() + " still here\n");
  }
}

TEST(ChatSession, AClientThatEndsItsSideGetsWhatWasSaidUntilThen) {
  ChatServer server;
  Client client(server.port());
  client.send("one\ntwo\nunfinished");
  client.half_close();
  EXPECT_EQ(client.read_to_end(), client.name() + " one\n" + client.name() + " two\n");
  EXPECT_TRUE(server.err().wait_for("dropped an unfinished line of " + client.name()));
  EXPECT_TRUE(server.err().wait_for("left: " + client.name()));
}

TEST(ChatSession, NamesClientsOfVersionSix) {
  ChatServer server({"--address", "::1"});
  Client client(server.port(), {.address = "::1"});
  ASSERT_TRUE(client.name().starts_with("[::1]:"));
  client.send("hi\n");
  EXPECT_EQ(client.read_until("\n"), client.name() + " hi\n");
}

TEST(ChatSession, NamesUnixClientsByTheirSocketOrByTheirNumber) {
  const std::string path = "@eddy-chat-" + std::to_string(::getpid());
  ChatServer server({"--unix", path});
  const auto first = server.join({.unix_path = path});
  const auto named = server.join({.unix_path = path, .unix_name = path + "-anna"});
  const auto second = server.join({.unix_path = path});
  first->send("quit\n");
  EXPECT_EQ(first->read_to_end(), "unix:" + path + "-anna hello\nunix:#2 hello\n");
  named->send("hi\n");
  EXPECT_EQ(named->read_until(" hi\n"), "unix:#2 hello\nunix:" + path + "-anna hi\n");
}

}  // namespace
}  // namespace eddy
