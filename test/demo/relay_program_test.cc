// The relay from the outside: its command line, its log, its end.

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "../support/temporary_folder.h"
#include "relay_server.h"

namespace eddy {
namespace {

using namespace std::string_literals;
using Words = DemoProcess::Words;

struct Outcome {
  int code;
  std::string out;
  std::string err;
};

Outcome run(const Words& arguments) {
  DemoProcess program(DemoProcess::path_of("relay"), arguments);
  const int code = program.wait();
  return {code, program.out().wait_to_end(), program.err().wait_to_end()};
}

TEST(RelayProgram, ListensOnPort1234AndSaysSo) {
  const Outcome help = run({"--help"});
  EXPECT_EQ(help.code, 0);
  EXPECT_NE(help.out.find("1234"), std::string::npos);
  for (const char* flag : {"--max-write-buffer", "--device-ttl", "--handshake-timeout"})
    EXPECT_NE(help.out.find(flag), std::string::npos) << flag;
}

TEST(RelayProgram, RefusesAnImpossibleCommandLineInOneLine) {
  const Words wrong[] = {{"--processes", "2"},          {"--processes", "0"},
                         {"--max-write-buffer", "0"},   {"--device-ttl", "-1"},
                         {"--device-ttl", "soon"},      {"--handshake-timeout", "1e3"},
                         {"--max-write-buffer", "1.5"}, {"surplus"}};
  for (const Words& words : wrong) {
    const Outcome outcome = run(words);
    EXPECT_EQ(outcome.code, 2) << words.front();
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  }
}

TEST(RelayProgram, OneProcessIsTheDefaultAndMayBeAskedFor) {
  RelayProgram relay({"--processes", "1"});
  const Device device(relay);
}

TEST(RelayProgram, PassesFramesOnAlsoOverAUnixSocket) {
  const TemporaryFolder folder;
  const std::string path = folder.file("relay");
  RelayProgram relay({"--unix", path});
  Device device(relay, "x", {.unix_path = path});
  Viewer viewer(relay, "x", {.unix_path = path});
  begin_to_watch(device, {&viewer});
  device.send("1111");
  EXPECT_EQ(viewer.read(4), "1111");
}

TEST(RelayProgram, TellsClientsWithoutANameApartByTheirNumber) {
  const std::string name = "@eddy-test-relay-names-" + std::to_string(::getpid());
  RelayProgram relay({"--unix", name});
  for (int i = 0; i < 2; ++i) {
    Client client(0, {.unix_path = name});
    client.send("x");
    EXPECT_EQ(client.read_to_end(), "");
  }
  EXPECT_TRUE(relay.err().wait_for("closing unix:#1: "));
  EXPECT_TRUE(relay.err().wait_for("closing unix:#2: "));
}

TEST(RelayProgram, GivesUpAHandshakeThatStops) {
  RelayProgram relay({"--handshake-timeout", "1"});
  RelaySocket silent(relay.port());
  RelaySocket halfway(relay.port());
  halfway.send("\x0A\0\0"s);
  EXPECT_EQ(halfway.read_to_end(), "\0"s);
  EXPECT_EQ(silent.read_to_end(), "");
  EXPECT_TRUE(relay.err().wait_for("no handshake within handshake_timeout, closing "));
}

TEST(RelayProgram, ClosesTheViewersOfADeviceThatStaysAway) {
  RelayProgram relay({"--device-ttl", "0.2"});
  Device device(relay);
  Viewer viewer(relay);
  begin_to_watch(device, {&viewer});
  device.close();
  EXPECT_EQ(viewer.read_to_end(), "");
  RelaySocket late(relay.port());
  late.send("\x0B"s + format_relay_string("d"));
  EXPECT_EQ(late.read_to_end(), "\0\1"s);
}

TEST(RelayProgram, NothingThatAPeerSaysBreaksALineOfTheLog) {
  RelayProgram relay;
  for (const std::string& words :
       {"\r\nfake"s, "\x0A"s + format_relay_string("\x1B[2J\nfake") + format_relay_string("\r,\r"),
        "\x0B"s + format_relay_string("\x9B\nfake")}) {
    RelaySocket client(relay.port());
    client.send(words);
    client.read_to_end();
  }
  relay.kill(SIGTERM);
  EXPECT_EQ(relay.wait(), 0);
  const std::string said = relay.err().wait_to_end();
  EXPECT_EQ(said.find_first_of("\x1B\r\x9B"), std::string::npos);
  EXPECT_EQ(said.find("\nfake"), std::string::npos) << said;
  EXPECT_NE(said.find("'\\x9b\\x0afake'"), std::string::npos) << said;
}

// --- Its end

TEST(RelayProgram, EndsConnectionsThatHaveNothingLeftAtOnce) {
  RelayProgram relay({"--drain-timeout", "20"});
  Device device(relay);
  Viewer viewer(relay);
  RelaySocket silent(relay.port());
  begin_to_watch(device, {&viewer});
  relay.kill(SIGTERM);
  EXPECT_EQ(relay.wait(Seconds(10)), 0);
  EXPECT_EQ(silent.read_to_end(), "");
  EXPECT_EQ(viewer.read_to_end(), "");
}

TEST(RelayProgram, FramesThatHaveReachedTheMachineStillReachTheViewers) {
  RelayProgram relay;
  Device device(relay);
  Viewer viewer(relay);
  begin_to_watch(device, {&viewer});
  relay.kill(SIGSTOP);
  ASSERT_TRUE(eventually([&] { return relay.is_stopped(); }));
  std::string frames;
  for (int number = 0; number < 5000; ++number) frames += std::to_string(1000 + number);
  device.send(frames + "..");
  RelaySocket unaccepted(relay.port());
  unaccepted.send(device_words("e", "x"));
  relay.kill(SIGTERM);
  relay.kill(SIGCONT);
  EXPECT_TRUE(viewer.read_to_end() == frames);
  EXPECT_EQ(relay.wait(), 0);
  EXPECT_EQ(unaccepted.read_to_end(), "\0\0\0"s);
}

TEST(RelayProgram, CutsAViewerThatDoesNotReadAndSaysSo) {
  RelayProgram relay({"--drain-timeout", "1", "--log-level", "off"});
  Device device(relay);
  Viewer slow(relay, "x", {.receive_buffer = 4096});
  Viewer fast(relay);
  begin_to_watch(device, {&slow, &fast});
  const std::string frames(1 << 20, '.');
  for (int megabyte = 0; megabyte < 12; ++megabyte) {
    device.send(frames);
    fast.read(frames.size());
  }
  relay.kill(SIGTERM);
  EXPECT_EQ(relay.wait(), 0);
  EXPECT_NE(relay.err().wait_to_end().find("cut 1 connection and 1 request"), std::string::npos)
      << relay.err().text();
}

}  // namespace
}  // namespace eddy
