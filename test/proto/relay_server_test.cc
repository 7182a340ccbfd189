// Devices and viewers of a RelayServer: plain sockets, on the server's own loop and clock.

#include <gtest/gtest.h>

#include <chrono>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include <eddy/proto/relay_frame.h>
#include <eddy/proto/relay_server.h>

#include "../support/raw_client.h"
#include "../support/simulated_loop.h"

namespace eddy {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

std::string device_words(const std::string& uuid, const std::string& keys) {
  return std::string(1, kRelayDevice) + format_relay_string(uuid) + format_relay_string(keys);
}
std::string viewer_words(const std::string& uuid) {
  return std::string(1, kRelayViewer) + format_relay_string(uuid) + '\0';
}
const std::string kDeviceAccepted = "\0\0\0"s;
std::string viewer_accepted(const std::string& keys) { return "\0\0"s + format_relay_string(keys); }

class RelayServerTest : public SimulatedLoop {
 protected:
  RelayServerTest() { serve({}); }

  void serve(const RelayOptions& options) {
    server = std::make_unique<RelayServer>(options);
    server->listen(0, "127.0.0.1");
  }
  RawClient connect(const std::string& words = "") {
    RawClient client(server->addresses().front());
    client.send(words);
    return client;
  }
  bool hears(RawClient& client, const std::string& words) {
    if (run_until([&] { return client.received() == words || client.over(); }) &&
        client.received() == words)
      return true;
    ADD_FAILURE() << "instead: " << testing::PrintToString(client.received());
    return false;
  }
  bool is_ended(RawClient& client) {
    return run_until([&] { return client.over(); });
  }
  RawClient device(const std::string& uuid = "d", const std::string& keys = "x") {
    RawClient made = connect(device_words(uuid, keys));
    EXPECT_TRUE(hears(made, kDeviceAccepted));
    return made;
  }
  RawClient viewer(const std::string& uuid = "d", const std::string& keys = "x") {
    RawClient made = connect(viewer_words(uuid));
    EXPECT_TRUE(hears(made, viewer_accepted(keys)));
    turn_a_few_times();  // it has accepted the keys
    return made;
  }
  // What a viewer of "d" has been sent since it accepted its keys.
  static std::string frames_of(RawClient& viewer, const std::string& keys = "x") {
    return viewer.received().substr(viewer_accepted(keys).size());
  }
  bool gets(RawClient& viewer, const std::string& frames) {
    return hears(viewer, viewer_accepted("x") + frames);
  }
  void expect_refused(const std::string& words, const std::string& answer,
                      const std::string& logged) {
    RawClient client = connect(words);
    EXPECT_TRUE(is_ended(client)) << logged;
    EXPECT_EQ(client.received(), answer) << logged;
    EXPECT_EQ(log.count(logged), 1U) << logged;
  }

  std::unique_ptr<RelayServer> server;
};

// --- Shaking hands

TEST_F(RelayServerTest, AcknowledgesEachWordOfADevice) {
  RawClient client = connect("\x0A");
  EXPECT_TRUE(hears(client, "\0"s));
  client.send(format_relay_string("d"));
  EXPECT_TRUE(hears(client, "\0\0"s));
  EXPECT_EQ(server->hub().size(), 0U);
  client.send(format_relay_string("x,y"));
  EXPECT_TRUE(hears(client, "\0\0\0"s));
  EXPECT_EQ(server->hub().find("d")->keys(), "x,y");
}

TEST_F(RelayServerTest, AnswersEachWordOfAViewer) {
  const RawClient feeding = device("d", "x,y");
  RawClient client = connect("\x0B");
  EXPECT_TRUE(hears(client, "\0"s));
  client.send(format_relay_string("d"));
  EXPECT_TRUE(hears(client, "\0\0\0\0\0\3x,y"s));
}

TEST_F(RelayServerTest, TellsAViewerThatTheDeviceIsUnknown) {
  RawClient client = connect(viewer_words("nobody") + "more");
  EXPECT_TRUE(is_ended(client));
  EXPECT_EQ(client.received(), "\0\1"s);
  EXPECT_EQ(log.count("no device 'nobody'"), 1U);
}

TEST_F(RelayServerTest, UnderstandsADeviceHoweverItsBytesAreCut) {
  const std::string words = device_words("d", "x,y") + "11112222";
  for (std::size_t cut = 0; cut <= words.size(); ++cut) {
    RawClient client = connect(words.substr(0, cut));
    turn_a_few_times();
    client.send(words.substr(cut));
    EXPECT_TRUE(hears(client, kDeviceAccepted)) << "cut at " << cut;
  }
}

TEST_F(RelayServerTest, UnderstandsAViewerHoweverItsBytesAreCut) {
  const RawClient feeding = device();
  const std::string words = viewer_words("d");
  for (std::size_t cut = 0; cut <= words.size(); ++cut) {
    RawClient client = connect(words.substr(0, cut));
    turn_a_few_times();
    client.send(words.substr(cut));
    EXPECT_TRUE(hears(client, viewer_accepted("x"))) << "cut at " << cut;
    turn_a_few_times();
    feeding.send("1111");
    EXPECT_TRUE(gets(client, "1111")) << "cut at " << cut;
  }
}

TEST_F(RelayServerTest, PassesTheSameFramesOnHoweverTheyAreCut) {
  const RawClient feeding = device("d", "x,y,z");
  RawClient watching = viewer("d", "x,y,z");
  const std::string frames = "111122223333444455556666";
  std::string all;
  for (std::size_t cut = 0; cut <= frames.size(); ++cut) {
    feeding.send(frames.substr(0, cut));
    turn_a_few_times();
    feeding.send(frames.substr(cut));
    all += frames;
    EXPECT_TRUE(hears(watching, viewer_accepted("x,y,z") + all)) << "cut at " << cut;
  }
}

TEST_F(RelayServerTest, PassesOnOnlyWholeFrames) {
  const RawClient feeding = device("d", "x,y");
  RawClient watching = viewer("d", "x,y");
  feeding.send("11112222333");
  EXPECT_TRUE(hears(watching, viewer_accepted("x,y") + "11112222"));
  turn_a_few_times();
  EXPECT_EQ(frames_of(watching, "x,y"), "11112222");
  feeding.send("34444");
  EXPECT_TRUE(hears(watching, viewer_accepted("x,y") + "1111222233334444"));
}

TEST_F(RelayServerTest, TakesFramesThatComeWithTheHandshake) {
  const RawClient before = device();
  RawClient watching = viewer();
  RawClient feeding = connect(device_words("d", "x") + "11112222");
  EXPECT_TRUE(gets(watching, "11112222"));
}

TEST_F(RelayServerTest, EndsAViewerThatDoesNotWantTheKeys) {
  const RawClient feeding = device();
  RawClient client = connect("\x0B" + format_relay_string("d") + '\1');
  EXPECT_TRUE(is_ended(client));
  EXPECT_EQ(client.received(), viewer_accepted("x"));
}

TEST_F(RelayServerTest, RefusesAnyOtherFirstByte) {
  expect_refused("GET / HTTP/1.0\r\n", "", "neither a device nor a viewer: 'G'");
  expect_refused("\x1B[2J", "", "neither a device nor a viewer: '\\x1b'");
}

TEST_F(RelayServerTest, RefusesLengthsOutOfBounds) {
  const std::string too_long = "of 4097 bytes: at most 4096";
  expect_refused("\x0A\0\0\0\0"s, "\0"s, "closing 127.0.0.1:");
  expect_refused("\x0A\0\0\x10\1"s, "\0"s, "UUID " + too_long);
  expect_refused("\x0A\x80\0\0\0"s, "\0"s, "UUID of 2147483648 bytes");
  expect_refused("\x0B\xFF\xFF\xFF\xFF"s, "\0"s, "UUID of 4294967295 bytes");
  expect_refused("\x0A\0\0\0\1d\0\0\x10\1"s, "\0\0"s, "key list " + too_long);
  EXPECT_EQ(log.count("empty UUID"), 1U);
  EXPECT_EQ(server->hub().size(), 0U);
}

TEST_F(RelayServerTest, TakesStringsUpToTheLimit) {
  const std::string uuid(4096, 'u');
  const std::string keys(4096, 'k');
  const RawClient feeding = device(uuid, keys);
  RawClient watching = viewer(uuid, keys);
  feeding.send("1111");
  EXPECT_TRUE(hears(watching, viewer_accepted(keys) + "1111"));
}

TEST_F(RelayServerTest, RefusesBadKeyLists) {
  const std::string begin = "\x0A" + format_relay_string("d");
  expect_refused(begin + format_relay_string(""), "\0\0"s, "empty key list");
  expect_refused(begin + format_relay_string("x,,y"), "\0\0"s, "an empty key");
  expect_refused(begin + format_relay_string("a\nb,a\nb"), "\0\0"s, "key 'a\\x0ab' twice");
  expect_refused(begin + format_relay_string(std::string(300, ',')), "\0\0"s,
                 "301 keys: at most 256");
}

TEST_F(RelayServerTest, LosesPatienceWithAHandshakeThatStopsAnywhere) {
  const RawClient feeding = device();
  std::vector<RawClient> stopped;
  for (const std::string& words : {device_words("e", "x"), viewer_words("d")})
    for (std::size_t cut = 0; cut < words.size(); ++cut)
      stopped.push_back(connect(words.substr(0, cut)));
  turn_a_few_times();
  pass(9s);
  for (RawClient& client : stopped) EXPECT_FALSE(client.over());
  pass(2s);
  for (RawClient& client : stopped) EXPECT_TRUE(is_ended(client));
  EXPECT_GT(log.count("no handshake within handshake_timeout"), 0U);
  EXPECT_EQ(server->hub().find("d")->keys(), "x");
  pass(1h);
  EXPECT_EQ(server->connections(), 1U);  // the one that has shaken hands may be silent
}

TEST_F(RelayServerTest, AHandshakeThatDripsIsNotProlongedByItsBytes) {
  RawClient client = connect();
  for (const char byte : device_words("a rather long name", "x")) {
    client.send(std::string(1, byte));
    turn_a_few_times();
    pass(600ms);
  }
  EXPECT_TRUE(is_ended(client));
}

TEST_F(RelayServerTest, ForgetsWhoLeavesInTheMiddleOfTheHandshake) {
  const std::string words = device_words("d", "x");
  for (std::size_t cut = 0; cut < words.size(); ++cut) {
    RawClient client = connect(words.substr(0, cut));
    turn_a_few_times();
    cut % 2 == 0 ? client.close() : client.reset();
    EXPECT_TRUE(run_until([&] { return server->connections() == 0; })) << "cut at " << cut;
  }
  EXPECT_EQ(server->hub().size(), 0U);
}

// --- Devices that come and go

TEST_F(RelayServerTest, WithTheSameKeysANewConnectionGoesOnFeeding) {
  RawClient first = device();
  RawClient watching = viewer();
  first.send("1111");
  EXPECT_TRUE(gets(watching, "1111"));
  const RawClient second = device();
  EXPECT_TRUE(is_ended(first));
  second.send("2222");
  EXPECT_TRUE(gets(watching, "11112222"));
}

TEST_F(RelayServerTest, TheOldConnectionFeedsUntilTheNewOnesKeysAreAccepted) {
  RawClient first = device();
  RawClient watching = viewer();
  RawClient second = connect("\x0A" + format_relay_string("d"));
  EXPECT_TRUE(hears(second, "\0\0"s));
  first.send("1111");
  EXPECT_TRUE(gets(watching, "1111"));
  second.send(format_relay_string("x,x"));
  EXPECT_TRUE(is_ended(second));
  first.send("2222");
  EXPECT_TRUE(gets(watching, "11112222"));
}

TEST_F(RelayServerTest, WithOtherKeysTheViewersAreClosedAfterTheirLastFrame) {
  RawClient first = device();
  RawClient watching = viewer();
  RawClient hesitating = connect("\x0B" + format_relay_string("d"));
  EXPECT_TRUE(hears(hesitating, viewer_accepted("x")));
  first.send("1111");
  EXPECT_TRUE(gets(watching, "1111"));
  const RawClient second = device("d", "y");
  second.send("2222");
  EXPECT_TRUE(is_ended(first));
  EXPECT_TRUE(is_ended(watching));
  EXPECT_TRUE(is_ended(hesitating));
  EXPECT_EQ(frames_of(watching), "1111");
  RawClient new_viewer = viewer("d", "y");
  second.send("3333");
  EXPECT_TRUE(hears(new_viewer, viewer_accepted("y") + "3333"));
}

TEST_F(RelayServerTest, NoViewerSeesATornFrameWhenADeviceIsResetWithinOne) {
  for (int round = 0; round < 8; ++round) {
    RawClient first = device("d", "x,y");
    RawClient watching = viewer("d", "x,y");
    first.send("11112222" + std::string("3333333").substr(0, static_cast<std::size_t>(round)));
    EXPECT_TRUE(hears(watching, viewer_accepted("x,y") + "11112222"));
    first.reset();
    const RawClient second = device("d", "x,y");
    second.send("44445555");
    EXPECT_TRUE(hears(watching, viewer_accepted("x,y") + "1111222244445555"));
  }
}

TEST_F(RelayServerTest, ViewersWaitForADeviceThatHasLeft) {
  RawClient first = device();
  RawClient watching = viewer();
  first.send("1111");
  first.close();
  EXPECT_TRUE(gets(watching, "1111"));
  EXPECT_TRUE(run_until([&] { return server->connections() == 1; }));
  pass(59s);
  RawClient late = viewer();
  const RawClient second = device();
  second.send("2222");
  EXPECT_TRUE(gets(watching, "11112222"));
  EXPECT_TRUE(gets(late, "2222"));
  pass(1h);
  EXPECT_FALSE(watching.over());
}

TEST_F(RelayServerTest, ClosesTheViewersOfADeviceThatStaysAway) {
  RawClient first = device();
  RawClient watching = viewer();
  first.close();
  EXPECT_TRUE(run_until([&] { return server->connections() == 1; }));
  pass(61s);
  EXPECT_TRUE(is_ended(watching));
  EXPECT_EQ(server->hub().size(), 0U);
  RawClient late = connect(viewer_words("d"));
  EXPECT_TRUE(hears(late, "\0\1"s));
}

TEST_F(RelayServerTest, EachDeviceHasATimeToLiveOfItsOwn) {
  RawClient first = device("first");
  RawClient second = device("second");
  first.close();
  EXPECT_TRUE(run_until([&] { return server->connections() == 1; }));
  pass(30s);
  second.close();
  EXPECT_TRUE(run_until([&] { return server->connections() == 0; }));
  pass(31s);
  EXPECT_EQ(server->hub().find("first"), nullptr);
  EXPECT_NE(server->hub().find("second"), nullptr);
  pass(30s);
  EXPECT_EQ(server->hub().find("second"), nullptr);
}

TEST_F(RelayServerTest, ADeviceThatHalfClosesHasLeft) {
  const RawClient first = device();
  first.send("1111");
  first.end();
  EXPECT_TRUE(run_until([&] { return server->connections() == 0; }));
  EXPECT_EQ(log.count("device 'd' has left"), 1U);
}

// --- Viewers

TEST_F(RelayServerTest, FeedsAnyNumberOfViewersTheSame) {
  const RawClient feeding = device();
  std::list<RawClient> viewers;
  for (int i = 0; i < 20; ++i) viewers.push_back(viewer());
  feeding.send("11112222");
  for (RawClient& one : viewers) EXPECT_TRUE(gets(one, "11112222"));
}

TEST_F(RelayServerTest, AViewerThatClosesHalfClosesOrIsResetHasLeftAtOnce) {
  const RawClient feeding = device();
  RawClient closing = viewer();
  RawClient ending = viewer();
  RawClient crashing = viewer();
  EXPECT_EQ(server->connections(), 4U);
  closing.close();
  EXPECT_TRUE(run_until([&] { return server->connections() == 3; }));
  ending.end();
  EXPECT_TRUE(is_ended(ending));
  EXPECT_TRUE(run_until([&] { return server->connections() == 2; }));
  crashing.reset();
  EXPECT_TRUE(run_until([&] { return server->connections() == 1; }));
}

TEST_F(RelayServerTest, WhatAViewerSaysLaterMeansNothing) {
  const RawClient feeding = device();
  RawClient watching = viewer();
  watching.send(std::string(100'000, '\x0A'));
  feeding.send("1111");
  EXPECT_TRUE(gets(watching, "1111"));
  watching.end();
  EXPECT_TRUE(is_ended(watching));
}

// A viewer that does not read, until the kernel and its share of the backlog are full.
TEST_F(RelayServerTest, AViewerThatDoesNotReadLosesWholeFramesAndDelaysNobody) {
  serve({.hub = {.max_write_buffer = 64 << 10}});
  const RawClient feeding = device("d", "x,y");
  RawClient slow = viewer("d", "x,y");
  RawClient fast = viewer("d", "x,y");
  const std::size_t greeting = viewer_accepted("x,y").size();
  std::string sent;
  for (int number = 0; log.count("loses frames") == 0 && number < 1000; ++number) {
    std::string frames;
    for (int i = 0; i < 4000; ++i) {
      std::string frame = std::to_string(number * 4000 + i);
      frame.resize(8, '.');
      frames += frame;
    }
    sent += frames;
    feeding.send(frames);
    ASSERT_TRUE(run_until([&] { return fast.received().size() == greeting + sent.size(); }));
  }
  EXPECT_EQ(log.count("max_write_buffer, and loses frames: " + slow.address().to_string()), 1U);
  EXPECT_EQ(frames_of(fast, "x,y"), sent);
  // Now it reads: what it has is in order and whole, and what it lost was one piece of the middle.
  ASSERT_TRUE(run_until([&] {
    slow.received();
    return log.count("a viewer has caught up: " + slow.address().to_string()) == 1;
  }));
  ASSERT_TRUE(run_until([&] { return slow.received().ends_with(sent.substr(sent.size() - 8)); }));
  const std::string got = frames_of(slow, "x,y");
  ASSERT_EQ(got.size() % 8, 0U);
  ASSERT_LT(got.size(), sent.size());
  std::size_t same = 0;
  while (got[same] == sent[same]) ++same;
  same -= same % 8;
  EXPECT_TRUE(sent.ends_with(got.substr(same)));
  EXPECT_GE(got.size() - same, (64U << 10) - 8);
  EXPECT_EQ(log.count("frames lost: " + std::to_string((sent.size() - got.size()) / 8)), 1U);
}

TEST_F(RelayServerTest, TellsOfTheLossesOfAViewerThatLeaves) {
  serve({.hub = {.max_write_buffer = 1}});
  const RawClient feeding = device();
  RawClient slow = viewer();
  const std::string frames(16'000, '.');
  for (int i = 0; log.count("loses frames") == 0 && i < 10'000; ++i) {
    feeding.send(frames);
    turn_a_few_times();
  }
  slow.close();
  EXPECT_TRUE(run_until([&] { return log.count("a viewer leaves") == 1; }));
}

TEST_F(RelayServerTest, ATinyLimitCostsWhoReadsNothing) {
  serve({.hub = {.max_write_buffer = 1}});
  const RawClient feeding = device();
  RawClient watching = viewer();
  const std::string frames(60'000, '.');
  feeding.send(frames);
  EXPECT_TRUE(gets(watching, frames));
}

TEST_F(RelayServerTest, AboveMaxDevicesOneMoreIsRefused) {
  serve({.hub = {.max_devices = 1}});
  const RawClient feeding = device();
  expect_refused(device_words("e", "x"), "\0\0"s, "max_devices = 1");
}

// --- The end

TEST_F(RelayServerTest, DrainingFeedsWhatHasArrivedAndThenEndsEveryone) {
  RawClient feeding = device();
  RawClient watching = viewer();
  RawClient hesitating = connect("\x0B" + format_relay_string("d"));
  EXPECT_TRUE(hears(hesitating, viewer_accepted("x")));
  RawClient silent = connect();
  turn_a_few_times();
  feeding.send("11112222333");
  RawClient late_device = connect(device_words("e", "x") + "4444");
  Future<std::size_t> drained = server->drain(10s);
  EXPECT_TRUE(run_until([&] { return drained.done(); }));
  EXPECT_EQ(drained.result(), 0U);
  EXPECT_TRUE(is_ended(watching));
  EXPECT_EQ(frames_of(watching), "11112222");
  EXPECT_TRUE(is_ended(feeding));
  EXPECT_TRUE(is_ended(hesitating));
  EXPECT_TRUE(is_ended(silent));
  EXPECT_EQ(late_device.received(), kDeviceAccepted);
}

TEST_F(RelayServerTest, DrainingWaitsForAViewerThatReadsLate) {
  const RawClient feeding = device();
  RawClient slow = viewer();
  const std::string frames(16'000, '.');
  std::size_t sent = 0;
  for (; server->viewers_behind() == 0 && sent < (64U << 20); sent += frames.size()) {
    feeding.send(frames);
    turn_a_few_times();
  }
  Future<std::size_t> drained = server->drain(1h);
  pass(1min);
  EXPECT_FALSE(drained.done());
  EXPECT_EQ(server->viewers_behind(), 1U);
  EXPECT_TRUE(is_ended(slow));
  EXPECT_EQ(frames_of(slow).size(), sent);
  EXPECT_TRUE(run_until([&] { return drained.done(); }));
  EXPECT_EQ(drained.result(), 0U);
}

TEST_F(RelayServerTest, DrainingIsNotProlongedByADeviceThatKeepsSending) {
  const RawClient feeding = device();
  RawClient watching = viewer();
  Future<std::size_t> drained = server->drain(10s);
  EXPECT_TRUE(run_until([&] {
    feeding.send("1111");
    watching.received();
    return drained.done();
  }));
  EXPECT_EQ(drained.result(), 0U);
}

TEST_F(RelayServerTest, MayBeDroppedWithEverythingUnderWay) {
  RawClient feeding = device();
  RawClient watching = viewer();
  RawClient hesitating = connect("\x0B" + format_relay_string("d"));
  RawClient absent = device("e");
  absent.close();
  EXPECT_TRUE(run_until([&] { return server->connections() == 3; }));
  feeding.send("1111");
  server.reset();
  EXPECT_TRUE(is_ended(feeding));
  EXPECT_TRUE(is_ended(watching));
  EXPECT_TRUE(is_ended(hesitating));
}

}  // namespace
}  // namespace eddy
