// relay_device and relay_viewer, with a relay between them.

#include <fcntl.h>
#include <signal.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <sstream>
#include <string>
#include <vector>

#include "../support/temporary_folder.h"
#include "relay_server.h"

namespace eddy {
namespace {

using Words = DemoProcess::Words;

Words at(const RelayProgram& relay, Words words) {
  words.insert(words.end(), {"--port", std::to_string(relay.port())});
  return words;
}

class Program : public DemoProcess {
 public:
  Program(std::string_view name, const Words& words, const Surroundings& around = {})
      : DemoProcess(path_of(name), words, around) {}
  void expect_failure(int code, const std::string& part) {
    EXPECT_EQ(wait(), code) << part;
    const std::string said = err().wait_to_end();
    EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
    EXPECT_NE(said.find(part), std::string::npos) << said;
  }
};

void wait_for_lines(DemoProcess& program, std::ptrdiff_t lines) {
  ASSERT_TRUE(eventually([&] {
    const std::string text = program.out().text();
    return std::count(text.begin(), text.end(), '\n') >= lines;
  }));
}

TEST(RelayClients, AViewerPrintsTheKeysAndALineOfNumbersForEachFrame) {
  RelayProgram relay;
  Program device("relay_device", at(relay, {"--uuid", "u", "--keys", "x,y,z", "--rate", "500"}));
  ASSERT_TRUE(relay.err().wait_for("device 'u' feeds"));
  Program viewer("relay_viewer", at(relay, {"--uuid", "u"}));
  wait_for_lines(viewer, 50);
  viewer.kill(SIGINT);
  EXPECT_EQ(viewer.wait(), 0);
  device.kill(SIGTERM);
  EXPECT_EQ(device.wait(), 0);
  std::istringstream lines(viewer.out().wait_to_end());
  std::string line;
  ASSERT_TRUE(std::getline(lines, line));
  EXPECT_EQ(line, "x,y,z");
  for (int count = 0; count < 49 && std::getline(lines, line); ++count) {
    float x = 2;
    float y = 2;
    float z = 2;
    ASSERT_EQ(std::sscanf(line.c_str(), "%f,%f,%f", &x, &y, &z), 3) << line;
    EXPECT_NEAR(x + y + z, 0, 1e-5) << line;  // three sines at even distances
    EXPECT_LE(std::max({std::abs(x), std::abs(y), std::abs(z)}), 1) << line;
  }
  EXPECT_EQ(device.out().text() + device.err().text() + viewer.err().text(), "");
}

TEST(RelayClients, AViewerWhoseOutputIsFullEndsAndSaysSo) {
  RelayProgram relay;
  Program device("relay_device", at(relay, {"--uuid", "u", "--keys", "x"}));
  ASSERT_TRUE(relay.err().wait_for("device 'u' feeds"));
  const UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  Program viewer("relay_viewer", at(relay, {"--uuid", "u"}), {.out = full.get()});
  viewer.expect_failure(1, "standard output: No space left");
}

TEST(RelayClients, ADeviceSendsAsManySinesAsItIsTold) {
  RelayProgram relay;
  Device before(relay);
  Viewer viewer(relay);
  begin_to_watch(before, {&viewer});
  Program device("relay_device",
                 at(relay, {"--uuid", "d", "--keys", "x", "--rate", "1000", "--frames", "250"}));
  EXPECT_EQ(device.wait(), 0);
  const std::vector<float> values = parse_relay_frame(viewer.read(4 * 250));
  for (std::size_t frame = 0; frame < values.size(); ++frame)
    EXPECT_NEAR(values[frame], std::sin(2 * std::numbers::pi * static_cast<double>(frame) / 1000),
                1e-6);
  EXPECT_FALSE(viewer.has_more());
}

TEST(RelayClients, BothSpeakOverAUnixSocket) {
  const TemporaryFolder folder;
  const std::string path = folder.file("relay");
  RelayProgram relay({"--unix", path});
  const Program device("relay_device", {"--uuid", "u", "--keys", "x", "--unix", path});
  ASSERT_TRUE(relay.err().wait_for("device 'u' feeds"));
  Program viewer("relay_viewer", {"--uuid", "u", "--unix", path});
  wait_for_lines(viewer, 5);
}

TEST(RelayClients, AnUnknownDeviceIsOneLineAndExitCodeOne) {
  const RelayProgram relay;
  Program("relay_viewer", at(relay, {"--uuid", "no\nbody"})).expect_failure(1, "no device 'no");
}

TEST(RelayClients, ARefusedConnectionIsOneLineAndExitCodeOne) {
  const TemporaryFolder folder;
  const std::string path = folder.file("nobody");
  Program("relay_viewer", {"--uuid", "u", "--unix", path}).expect_failure(1, path);
  Program("relay_device", {"--uuid", "u", "--keys", "x", "--unix", path}).expect_failure(1, path);
}

TEST(RelayClients, BeingCutOffIsOneLineAndExitCodeOne) {
  for (const int signal : {SIGTERM, SIGKILL}) {
    RelayProgram relay;
    Program device("relay_device", at(relay, {"--uuid", "u", "--keys", "x"}));
    ASSERT_TRUE(relay.err().wait_for("device 'u' feeds"));
    Program viewer("relay_viewer", at(relay, {"--uuid", "u"}));
    wait_for_lines(viewer, 2);
    relay.kill(signal);
    device.expect_failure(1, "cut off");
    viewer.expect_failure(1, "cut off");
  }
}

TEST(RelayClients, RefuseAnImpossibleCommandLineInOneLine) {
  const Words wrong[] = {{"relay_viewer"},
                         {"relay_viewer", "--uuid", ""},
                         {"relay_viewer", "--uuid", std::string(4097, 'u')},
                         {"relay_viewer", "--uuid", "u", "--keys", "x"},
                         {"relay_viewer", "--uuid", "u", "--port", "1", "--unix", "/tmp/x"},
                         {"relay_device", "--uuid", "u"},
                         {"relay_device", "--keys", "x"},
                         {"relay_device", "--uuid", "u", "--keys", "x,,y"},
                         {"relay_device", "--uuid", "u", "--keys", "x,x"},
                         {"relay_device", "--uuid", "u", "--keys", "x", "--rate", "0"},
                         {"relay_device", "--uuid", "u", "--keys", "x", "surplus"}};
  for (const Words& words : wrong)
    Program(words.front(), {words.begin() + 1, words.end()}).expect_failure(2, words.front());
}

TEST(RelayClients, TellWhatTheyAreFor) {
  for (const char* name : {"relay_device", "relay_viewer"}) {
    for (const char* flag : {"--help", "--version"}) {
      Program program(name, {flag});
      EXPECT_EQ(program.wait(), 0);
      EXPECT_FALSE(program.out().wait_to_end().empty());
    }
  }
}

}  // namespace
}  // namespace eddy
