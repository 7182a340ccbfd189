// Viewers that do not read, and devices that vanish, while others must notice nothing.

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "relay_server.h"

namespace eddy {
namespace {

constexpr std::size_t kFrame = 256;
const std::string kKeys = [] {
  std::string keys = "0";
  for (std::size_t key = 1; key < kFrame / kRelayBytesPerKey; ++key)
    keys += ',' + std::to_string(key);
  return keys;
}();

// A device, viewers that read, and viewers that do not.
class Crowd {
 public:
  Crowd(const RelayProgram& relay, std::size_t reading, std::size_t stopped)
      : device(relay, kKeys) {
    for (std::size_t i = 0; i < stopped; ++i) add(relay, slow, {.receive_buffer = 4096});
    for (std::size_t i = 0; i < reading; ++i) add(relay, fast, {});
    begin_to_watch(device, all_, kFrame);
  }

  // Sends so many frames and has them read, all by each of the fast. Gives whether they were whole
  // and complete.
  bool pass_on(std::size_t frames) {
    const std::string sent = numbered_frames(kFrame, sent_, frames);
    device.send(sent);
    sent_ += frames;
    return std::all_of(fast.begin(), fast.end(),
                       [&](const auto& viewer) { return viewer->read(sent.size()) == sent; });
  }
  std::uint64_t sent() const { return sent_; }

  Device device;
  std::vector<std::unique_ptr<Viewer>> fast;
  std::vector<std::unique_ptr<Viewer>> slow;

 private:
  void add(const RelayProgram& relay, std::vector<std::unique_ptr<Viewer>>& viewers,
           const Client::Options& how) {
    viewers.push_back(std::make_unique<Viewer>(relay, kKeys, how));
    all_.push_back(viewers.back().get());
  }

  std::vector<Viewer*> all_;
  std::uint64_t sent_ = 0;
};

// The last frame of all comes to everybody, for it is never the oldest.
std::string read_up_to_the_last(Viewer& viewer, std::uint64_t frames) {
  const std::string last = numbered_frames(kFrame, frames - 1, 1);
  std::string all;
  while (!all.ends_with(last)) all += viewer.read(kFrame);
  return all;
}

TEST(RelayFaults, ASlowViewerCostsNeitherMemoryNorTheOthersAByte) {
  const RelayProgram relay;
  Crowd crowd(relay, 10, 1);
  const std::size_t before = relay.resident_bytes();
  const std::size_t rounds = sanitized() ? 40 : 256;
  for (std::size_t round = 0; round < rounds; ++round)
    ASSERT_TRUE(crowd.pass_on((256 << 10) / kFrame)) << round;
  EXPECT_LT(relay.resident_bytes(), before + allowance(2 << 20));
  const std::string received = read_up_to_the_last(*crowd.slow.front(), crowd.sent());
  EXPECT_GT(missing(received, kFrame, crowd.sent()), 0U);
}

TEST(RelayFaults, OfAHundredViewersTenThatStopAreTheOnlyOnesToLose) {
  RelayProgram relay;
  const std::size_t stopped = sanitized() ? 3 : 10;
  Crowd crowd(relay, 9 * stopped, stopped);
  const auto losers = [&] {
    const std::string said = relay.err().text();
    std::size_t found = 0;
    for (std::size_t at = said.find("loses frames"); at != std::string::npos;
         at = said.find("loses frames", at + 1))
      ++found;
    return found;
  };
  for (std::size_t round = 0; losers() < stopped && round < 400; ++round)
    ASSERT_TRUE(crowd.pass_on((64 << 10) / kFrame)) << round;
  EXPECT_EQ(losers(), stopped);
  for (const auto& viewer : crowd.slow)
    EXPECT_GT(missing(read_up_to_the_last(*viewer, crowd.sent()), kFrame, crowd.sent()), 0U);
  EXPECT_TRUE(relay.err().wait_for("a viewer has caught up"));
}

TEST(RelayFaults, AViewerThatVanishesWhileItIsBehindIsForgotten) {
  RelayProgram relay;
  Crowd crowd(relay, 1, 3);
  const std::size_t descriptors = relay.descriptors();
  for (int round = 0; round < 32; ++round) ASSERT_TRUE(crowd.pass_on((256 << 10) / kFrame));
  crowd.slow[0]->reset();
  crowd.slow[1]->close();
  crowd.slow[2]->half_close();
  EXPECT_TRUE(eventually([&] { return relay.descriptors() == descriptors - 3; }));
  EXPECT_TRUE(crowd.pass_on(100));
}

TEST(RelayFaults, NoViewerSeesATornFrameHoweverOftenTheDeviceIsResetWithinOne) {
  const RelayProgram relay;
  auto device = std::make_unique<Device>(relay, kKeys);
  Viewer viewer(relay, kKeys);
  begin_to_watch(*device, {&viewer}, kFrame);
  for (std::uint64_t round = 0; round < 20; ++round) {
    device->send(numbered_frames(kFrame, round, 1));
    EXPECT_EQ(viewer.read(kFrame), numbered_frames(kFrame, round, 1));
    device->send(std::string(1 + round * 12, '?'));
    device->reset();
    device = std::make_unique<Device>(relay, kKeys);
  }
  device->send(std::string(100, '?'));
  const Device other(relay, "other,keys");
  EXPECT_EQ(viewer.read_to_end(), "");
}

TEST(RelayFaults, SleepsWhileNobodySendsAnything) {
  const RelayProgram relay;
  const Crowd crowd(relay, 20, 0);
  const std::size_t before = relay.context_switches();
  std::this_thread::sleep_for(std::chrono::milliseconds(300));  // what is measured is this silence
  EXPECT_LT(relay.context_switches(), before + 10);
}

}  // namespace
}  // namespace eddy
