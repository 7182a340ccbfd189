// What a relay knows of its devices, without a socket or a clock.

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <eddy/loop/errors.h>
#include <eddy/proto/relay_hub.h>

#include "../support/log_capture.h"

namespace eddy {
namespace {

using namespace std::chrono_literals;

class Source : public RelaySource {
 public:
  void replaced() override { ++times_replaced; }
  int times_replaced = 0;
};

class Viewer final : public RelayViewer {
 public:
  std::string take_all() {
    std::string all;
    for (std::string_view piece = take(); !piece.empty(); piece = take()) all += piece;
    return all;
  }
  int times_told = 0;
  bool alone = false;  // the device is gone

 private:
  void frames_arrived() override { ++times_told; }
  void device_gone() override { alone = true; }
};

class RelayHubTest : public testing::Test {
 protected:
  std::unique_ptr<Viewer> watch(const std::string& uuid) {
    auto viewer = std::make_unique<Viewer>();
    viewer->meet(hub.find(uuid));
    viewer->watch();
    return viewer;
  }

  const TimePoint now{1h};
  Source source;
  Source newer;
  RelayHub hub{{.max_write_buffer = 16, .device_ttl = 60s, .max_devices = 3}};
};

TEST_F(RelayHubTest, KnowsADeviceOnceItsKeysAreAccepted) {
  EXPECT_EQ(hub.find("d"), nullptr);
  const auto device = hub.connect("d", "x,y", source);
  EXPECT_EQ(hub.find("d"), device);
  EXPECT_EQ(device->uuid(), "d");
  EXPECT_EQ(device->keys(), "x,y");
  EXPECT_EQ(device->frame_size(), 8U);
}

TEST_F(RelayHubTest, FeedsEveryViewerFromTheTimeWhenItBeganToWatch) {
  const auto device = hub.connect("d", "x", source);
  device->feed(source, "0000");
  const auto early = watch("d");
  device->feed(source, "1111");
  const auto late = watch("d");
  device->feed(source, "22223333");
  EXPECT_EQ(early->take_all(), "111122223333");
  EXPECT_EQ(late->take_all(), "22223333");
  EXPECT_EQ(early->times_told, 2);
  EXPECT_FALSE(early->behind());
}

TEST_F(RelayHubTest, AViewerThatHasNotAcceptedTheKeysGetsNoFrames) {
  const auto device = hub.connect("d", "x", source);
  Viewer viewer;
  viewer.meet(device);
  device->feed(source, "1111");
  EXPECT_EQ(viewer.times_told, 0);
  EXPECT_EQ(viewer.take(), "");
}

TEST_F(RelayHubTest, FeedsNobodyElse) {
  const auto device = hub.connect("d", "x", source);
  hub.connect("e", "x", newer);
  const auto other = watch("e");
  device->feed(source, "1111");
  EXPECT_EQ(other->take_all(), "");
}

TEST_F(RelayHubTest, WhoFallsBehindLosesTheOldestFramesAndNobodyElseDoes) {
  const auto device = hub.connect("d", "x", source);
  const auto slow = watch("d");
  const auto fast = watch("d");
  std::string received;
  for (const char number : std::string("123456")) {
    device->feed(source, std::string(4, number));
    received += fast->take_all();
  }
  EXPECT_EQ(received, "111122223333444455556666");
  EXPECT_EQ(fast->lost(), 0U);
  EXPECT_EQ(slow->lost(), 2U);
  EXPECT_EQ(slow->take_all(), "3333444455556666");
}

TEST_F(RelayHubTest, BehindByJustTheLimitLosesNothing) {
  const auto device = hub.connect("d", "x", source);
  const auto viewer = watch("d");
  device->feed(source, "1111222233334444");
  EXPECT_EQ(viewer->lost(), 0U);
  device->feed(source, "5555");
  EXPECT_EQ(viewer->lost(), 1U);
}

TEST_F(RelayHubTest, HoldsNothingForNobody) {
  const auto device = hub.connect("d", "x", source);
  device->feed(source, std::string(400'000, '.'));
  EXPECT_EQ(device->memory(), 0U);
  auto viewer = watch("d");
  device->feed(source, std::string(400'000, '.'));
  EXPECT_GE(device->memory(), 400'000U);
  viewer.reset();
  EXPECT_EQ(device->memory(), 0U);
  viewer = watch("d");
  device->feed(source, "1111");
  EXPECT_EQ(viewer->take_all(), "1111");
}

TEST_F(RelayHubTest, GivesBackItsMemoryOnceTheLastViewerHasCaughtUp) {
  const auto device = hub.connect("d", "x", source);
  const auto one = watch("d");
  const auto other = watch("d");
  device->feed(source, std::string(400'000, '.'));
  one->take_all();
  EXPECT_GE(device->memory(), 400'000U);
  other->take_all();
  EXPECT_LE(device->memory(), 64U << 10);
}

class RelayHubMemory : public testing::Test {
 protected:
  struct Watched {
    Source source;
    std::shared_ptr<RelayDevice> device;
    Viewer viewer;
  };
  Watched& watched(const std::string& uuid) {
    Watched& made = all[uuid];
    made.device = hub.connect(uuid, "x", made.source);
    made.viewer.meet(made.device);
    made.viewer.watch();
    return made;
  }
  static void feed(Watched& one, std::size_t bytes) {
    for (; bytes > 0; bytes -= 1000) one.device->feed(one.source, std::string(1000, '.'));
  }

  LogCapture log;
  RelayHub hub{{.max_total_backlog = 500'000}};
  std::map<std::string, Watched> all;
};

TEST_F(RelayHubMemory, AboveMaxTotalBacklogADeviceThatIsFedKeepsASmallShare) {
  Watched& silent = watched("silent");
  Watched& fed = watched("fed");
  feed(silent, 300'000);
  feed(fed, 150'000);
  EXPECT_EQ(fed.viewer.lost(), 0U);
  EXPECT_EQ(log.lines(), std::vector<std::string>());
  feed(fed, 1'000'000);
  EXPECT_LE(hub.memory(), 520'000U);
  EXPECT_EQ(silent.viewer.take_all().size(), 300'000U);
  EXPECT_GT(fed.viewer.lost(), 0U);
  EXPECT_GE(fed.viewer.take_all().size(), RelayMemory::kShare - 1000);
}

TEST_F(RelayHubMemory, SaysOnceThatItIsShort) {
  Watched& silent = watched("silent");
  Watched& fed = watched("fed");
  for (std::size_t times = 1; times <= 2; ++times) {
    feed(silent, 300'000);
    feed(fed, 2'000'000);
    EXPECT_EQ(log.lines().size(), times);
    EXPECT_EQ(log.count("max_total_backlog = 500000 bytes"), times);
    silent.viewer.take_all();
    fed.viewer.take_all();
  }
}

TEST_F(RelayHubMemory, NeverLosesWhatIsBeingFed) {
  Watched& one = watched("one");
  one.device->feed(one.source, std::string(600'000, '.'));
  EXPECT_EQ(one.viewer.take_all().size(), 600'000U);
}

TEST_F(RelayHubMemory, ComesBackWithTheDeviceAndWithItsViewers) {
  for (const char* uuid : {"one", "other"}) feed(watched(uuid), 100'000);
  EXPECT_GE(hub.memory(), 200'000U);
  hub.disconnect(*all["one"].device, all["one"].source, TimePoint());
  all.erase("one");  // its viewer, that is
  EXPECT_LE(hub.memory(), 150'000U);
  hub.forget_all();
  all.clear();
  EXPECT_EQ(hub.memory(), 0U);
}

TEST_F(RelayHubTest, WithTheSameKeysTheNewestSourceGoesOnFeedingTheViewers) {
  const auto device = hub.connect("d", "x", source);
  const auto viewer = watch("d");
  device->feed(source, "1111");
  EXPECT_EQ(hub.connect("d", "x", newer), device);
  EXPECT_EQ(source.times_replaced, 1);
  device->feed(newer, "2222");
  device->feed(source, "0000");  // it comes too late
  EXPECT_EQ(viewer->take_all(), "11112222");
  EXPECT_FALSE(viewer->alone);
}

TEST_F(RelayHubTest, WithOtherKeysTheViewersKeepWhatCameAndGetNoMore) {
  const auto device = hub.connect("d", "x,y", source);
  const auto viewer = watch("d");
  Viewer acquainted;
  acquainted.meet(device);
  device->feed(source, "11111111");
  const auto other = hub.connect("d", "y,x", newer);
  EXPECT_EQ(source.times_replaced, 1);
  EXPECT_TRUE(viewer->alone);
  EXPECT_TRUE(acquainted.alone);
  EXPECT_EQ(hub.find("d"), other);
  device->feed(source, "00000000");
  other->feed(newer, "22222222");
  EXPECT_EQ(viewer->take_all(), "11111111");
}

TEST_F(RelayHubTest, ADeviceThatLeavesStaysKnownForItsTimeToLive) {
  const auto device = hub.connect("d", "x", source);
  const auto viewer = watch("d");
  EXPECT_EQ(hub.next_expiry(), std::nullopt);
  hub.disconnect(*device, source, now);
  EXPECT_EQ(hub.next_expiry(), now + 60s);
  hub.expire(now + 60s - 1ns);
  EXPECT_EQ(hub.find("d"), device);
  EXPECT_FALSE(viewer->alone);
  hub.expire(now + 60s);
  EXPECT_EQ(hub.find("d"), nullptr);
  EXPECT_TRUE(viewer->alone);
  EXPECT_EQ(hub.next_expiry(), std::nullopt);
}

TEST_F(RelayHubTest, ADeviceThatComesBackIsNotForgotten) {
  const auto device = hub.connect("d", "x", source);
  const auto viewer = watch("d");
  hub.disconnect(*device, source, now);
  hub.connect("d", "x", newer);
  EXPECT_EQ(source.times_replaced, 0);
  EXPECT_EQ(hub.next_expiry(), std::nullopt);
  hub.expire(now + 1h);
  device->feed(newer, "1111");
  EXPECT_EQ(viewer->take_all(), "1111");
}

TEST_F(RelayHubTest, TheEndOfAReplacedSourceIsNotTheDevicesEnd) {
  const auto device = hub.connect("d", "x", source);
  hub.connect("d", "x", newer);
  hub.disconnect(*device, source, now);
  EXPECT_EQ(hub.next_expiry(), std::nullopt);
}

TEST_F(RelayHubTest, ADeviceThatComesBackWithOtherKeysIsNotForgottenForItsOldOnes) {
  const auto device = hub.connect("d", "x", source);
  const auto viewer = watch("d");
  hub.disconnect(*device, source, now);
  hub.connect("d", "y", newer);
  EXPECT_TRUE(viewer->alone);
  EXPECT_EQ(hub.next_expiry(), std::nullopt);
  hub.expire(now + 1h);
  EXPECT_NE(hub.find("d"), nullptr);
}

TEST_F(RelayHubTest, AboveMaxDevicesWhoIsAbsentForLongestIsForgotten) {
  Source others[2];
  const auto first = hub.connect("first", "x", source);
  const auto second = hub.connect("second", "x", others[0]);
  hub.connect("third", "x", others[1]);
  EXPECT_THROW(hub.connect("fourth", "x", newer), LimitError);
  hub.disconnect(*second, others[0], now);
  hub.disconnect(*first, source, now + 1s);
  hub.connect("fourth", "x", newer);
  EXPECT_EQ(hub.size(), 3U);
  EXPECT_EQ(hub.find("second"), nullptr);
  EXPECT_NE(hub.find("first"), nullptr);
}

TEST_F(RelayHubTest, ForgetsAllAndTellsEveryone) {
  hub.connect("d", "x", source);
  const auto viewer = watch("d");
  hub.forget_all();
  EXPECT_EQ(source.times_replaced, 1);
  EXPECT_TRUE(viewer->alone);
  EXPECT_EQ(hub.size(), 0U);
}

}  // namespace
}  // namespace eddy
