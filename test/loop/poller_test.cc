#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <functional>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include <eddy/loop/errors.h>
#include <eddy/loop/poller.h>

#include "../support/descriptors.h"
#include "../support/log_capture.h"

namespace eddy {
namespace {

// Counts what is told to the kernel.
class CountingPlatform : public Platform {
 public:
  int changes = 0;
  std::uint32_t last_added = 0;
  int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) override {
    ++changes;
    if (operation == EPOLL_CTL_ADD) last_added = event->events;
    return Platform::epoll_ctl(epoll, operation, fd, event);
  }
};

class Handler : public EventHandler {
 public:
  std::function<void(std::uint32_t)> then;
  std::vector<std::uint32_t> events;
  void handle_events(std::uint32_t seen) override {
    events.push_back(seen);
    if (then) then(seen);
  }
};

struct PollerTest : testing::Test {
  int turn() {
    const int ready = poller.wait(Duration::zero());
    while (poller.dispatch_next()) {
    }
    return ready;
  }

  CountingPlatform platform;
  Poller poller{platform};
};

TEST(Events, AreTheKernelsOwnNumbers) {
  EXPECT_EQ(kExclusive, std::uint32_t{EPOLLEXCLUSIVE});
  EXPECT_EQ(kNone, 0u);
  EXPECT_EQ(kRead, std::uint32_t{EPOLLIN});
  EXPECT_EQ(kWrite, std::uint32_t{EPOLLOUT});
  EXPECT_EQ(kError, std::uint32_t{EPOLLERR | EPOLLHUP});
}

TEST_F(PollerTest, TellsAHandlerAllEventsOfItsDescriptorInOneCall) {
  const SocketPair pair;
  ASSERT_EQ(::send(pair.theirs.get(), "x", 1, 0), 1);
  Handler handler;
  poller.add(pair.ours.get(), kRead | kWrite, handler);
  turn();
  EXPECT_EQ(handler.events, std::vector<std::uint32_t>{kRead | kWrite});
}

TEST_F(PollerTest, TellsAgainWhatWasNotConsumed) {
  const Pipe pipe;
  pipe.fill();
  Handler handler;
  poller.add(pipe.reader.get(), kRead, handler);
  turn();
  turn();
  EXPECT_EQ(handler.events.size(), 2u);
}

TEST_F(PollerTest, AnExclusiveOneIsToldToTheKernelAsSuchAlsoAfterAChange) {
  const Pipe pipe;
  pipe.fill();
  Handler handler;
  poller.add(pipe.reader.get(), kRead | kExclusive, handler);
  EXPECT_TRUE(platform.last_added & EPOLLEXCLUSIVE);
  EXPECT_THROW(poller.add(pipe.reader.get(), kRead, handler), InvalidStateError);
  turn();
  poller.update(pipe.reader.get(), kNone);
  EXPECT_EQ(turn(), 0);
  platform.last_added = 0;
  poller.update(pipe.reader.get(), kRead);
  EXPECT_EQ(turn(), 1);
  EXPECT_TRUE(platform.last_added & EPOLLEXCLUSIVE);
  EXPECT_EQ(handler.events, (std::vector<std::uint32_t>{kRead, kRead}));
}

TEST_F(PollerTest, AHandlerRemovedByAnotherOfTheSameBatchIsNotCalled) {
  const Pipe first;
  const Pipe second;
  first.fill();
  second.fill();
  Handler handlers[2];
  const int fds[2] = {first.reader.get(), second.reader.get()};
  for (int at = 0; at < 2; ++at) {
    handlers[at].then = [&, at](std::uint32_t) { poller.remove(fds[1 - at]); };
    poller.add(fds[at], kRead, handlers[at]);
  }
  EXPECT_EQ(turn(), 2);
  EXPECT_EQ(handlers[0].events.size() + handlers[1].events.size(), 1u);
}

TEST_F(PollerTest, AStaleEventDoesNotReachTheHandlerThatTookTheNumber) {
  Pipe first;
  Pipe second;
  const Pipe third;
  first.fill();
  second.fill();
  Handler handlers[2];
  Handler young;
  Pipe* pipes[2] = {&first, &second};
  for (int at = 0; at < 2; ++at) {
    handlers[at].then = [&, at](std::uint32_t) {
      const int number = pipes[1 - at]->reader.get();
      poller.remove(number);
      ASSERT_EQ(::dup2(third.reader.get(), number), number);  // closes it, and takes its number
      poller.add(number, kRead, young);
    };
    poller.add(pipes[at]->reader.get(), kRead, handlers[at]);
  }
  EXPECT_EQ(turn(), 2);
  EXPECT_TRUE(young.events.empty());
  for (Handler& handler : handlers) handler.then = nullptr;
  third.fill();
  turn();
  EXPECT_EQ(young.events.size(), 1u);
}

TEST_F(PollerTest, AHandlerMayRemoveAndAddItselfAndChangeItsInterestInTheCall) {
  const SocketPair pair;
  const int fd = pair.ours.get();
  Handler handler;
  handler.then = [&](std::uint32_t) {
    poller.remove(fd);
    poller.add(fd, kNone, handler);
    poller.update(fd, kWrite);
  };
  poller.add(fd, kWrite, handler);
  turn();
  turn();
  EXPECT_EQ(handler.events, (std::vector<std::uint32_t>{kWrite, kWrite}));
  EXPECT_EQ(poller.size(), 1u);
}

TEST_F(PollerTest, WhatOwnsAHandlerThatRemovesItselfStaysUntilItReturns) {
  struct Owned : EventHandler {
    Poller& poller;
    int fd;
    bool& gone;
    Owned(Poller& p, int f, bool& g) : poller(p), fd(f), gone(g) {}
    ~Owned() override { gone = true; }
    void handle_events(std::uint32_t) override {
      poller.remove(fd);
      EXPECT_FALSE(gone);
    }
  };
  const Pipe pipe;
  pipe.fill();
  bool gone = false;
  poller.add_owned(pipe.reader.get(), kRead,
                   std::make_unique<Owned>(poller, pipe.reader.get(), gone));
  turn();
  EXPECT_TRUE(gone);
}

TEST_F(PollerTest, AddingTwiceIsAnErrorAndLeavesTheFirstAsItWas) {
  const SocketPair pair;
  Handler first;
  Handler second;
  poller.add(pair.ours.get(), kWrite, first);
  EXPECT_THROW(poller.add(pair.ours.get(), kRead, second), InvalidStateError);
  turn();
  EXPECT_EQ(first.events, std::vector<std::uint32_t>{kWrite});
  EXPECT_TRUE(second.events.empty());
}

TEST_F(PollerTest, AddingTwiceIsAnErrorAlsoAfterAnUnheardHangUp) {
  Pipe pipe;
  Handler first;
  Handler second;
  poller.add(pipe.reader.get(), kNone, first);
  pipe.writer.reset();
  turn();
  EXPECT_THROW(poller.add(pipe.reader.get(), kRead, second), InvalidStateError);
}

TEST_F(PollerTest, RemovingAnUnknownOneIsHarmlessAndUpdatingItAnError) {
  const Pipe pipe;
  EXPECT_FALSE(poller.remove(pipe.reader.get()));
  EXPECT_FALSE(poller.remove(-1));
  EXPECT_THROW(poller.update(pipe.reader.get(), kRead), InvalidStateError);
  Handler handler;
  poller.add(pipe.reader.get(), kRead, handler);
  EXPECT_TRUE(poller.remove(pipe.reader.get()));
  EXPECT_FALSE(poller.remove(pipe.reader.get()));
}

TEST_F(PollerTest, ADescriptorThatEpollRefusesIsAClearError) {
  Handler handler;
  const UniqueFd file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  try {
    poller.add(file.get(), kRead, handler);
    ADD_FAILURE();
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code().value(), EPERM);
    EXPECT_NE(std::string(error.what()).find(std::to_string(file.get())), std::string::npos);
  }
  EXPECT_THROW(poller.add(-1, kRead, handler), std::system_error);
  EXPECT_EQ(poller.size(), 0u);
  EXPECT_FALSE(poller.remove(file.get()));
}

TEST_F(PollerTest, ANumberClosedWithoutAWordCanBeRegisteredAgain) {
  Handler old;
  Handler young;
  const Pipe second;
  int number = -1;
  {
    const Pipe first;
    number = first.reader.get();
    poller.add(number, kRead, old);
  }
  ASSERT_EQ(::dup2(second.reader.get(), number), number);
  const UniqueFd reused(number);
  poller.add(number, kRead, young);
  second.fill();
  turn();
  EXPECT_EQ(young.events.size(), 1u);
  EXPECT_TRUE(old.events.empty());
  EXPECT_EQ(poller.size(), 1u);
}

TEST_F(PollerTest, AnOwnerWhoseDescriptorIsGoneLearnsOfItAsAnErrorWhenItsInterestChanges) {
  Handler handler;
  int number = -1;
  {
    const Pipe pipe;
    number = pipe.reader.get();
    poller.add(number, kRead, handler);
  }
  poller.update(number, kRead | kWrite);
  turn();
  EXPECT_EQ(handler.events, std::vector<std::uint32_t>{kError});
  turn();
  EXPECT_EQ(handler.events.size(), 1u) << "once";
}

TEST_F(PollerTest, AClosedDescriptorOfWhichADuplicateLivesIsDroppedAndTheOthersStay) {
  LogCapture log;
  Handler handler;
  Handler other;
  const Pipe watched;
  Pipe pipe;
  const UniqueFd duplicate(::fcntl(pipe.reader.get(), F_DUPFD_CLOEXEC, 0));
  poller.add(watched.reader.get(), kRead, other);
  poller.add(pipe.reader.get(), kRead, handler);
  const int number = pipe.reader.get();
  pipe.fill();
  pipe.reader.reset();    // too early: the owner should have removed it first
  poller.remove(number);  // which the kernel now refuses
  int reports = 0;
  for (int at = 0; at < 5; ++at) reports += turn();
  EXPECT_EQ(reports, 1) << "no spin";
  EXPECT_TRUE(handler.events.empty());
  EXPECT_EQ(log.count("made anew"), 1u);
  watched.fill();
  turn();
  EXPECT_EQ(other.events.size(), 1u);
}

TEST_F(PollerTest, AnUnwantedHangUpIsToldOnceUntilTheInterestChanges) {
  Pipe pipe;
  Handler handler;
  poller.add(pipe.reader.get(), kNone, handler);
  pipe.writer.reset();
  int reports = 0;
  for (int at = 0; at < 5; ++at) reports += turn();
  EXPECT_EQ(reports, 1);
  EXPECT_EQ(handler.events.size(), 1u);
  EXPECT_TRUE(handler.events.front() & kError);
  poller.update(pipe.reader.get(), kNone);
  EXPECT_EQ(turn(), 0) << "no change, no report";
  poller.update(pipe.reader.get(), kRead);
  EXPECT_EQ(turn(), 1);
}

TEST_F(PollerTest, APeerThatClosesWhileOurSideIsPausedIsToldOnce) {
  SocketPair pair;
  Handler handler;
  poller.add(pair.ours.get(), kNone, handler);
  pair.theirs.reset();
  int reports = 0;
  for (int at = 0; at < 5; ++at) reports += turn();
  EXPECT_EQ(reports, 1);
  EXPECT_EQ(handler.events.size(), 1u);
}

TEST_F(PollerTest, InterestThatChangesAndChangesBackIsNotToldToTheKernel) {
  const SocketPair pair;
  Handler handler;
  poller.add(pair.ours.get(), kRead, handler);
  turn();
  platform.changes = 0;
  for (int at = 0; at < 10; ++at) {
    poller.update(pair.ours.get(), kRead | kWrite);
    poller.update(pair.ours.get(), kRead);
  }
  turn();
  EXPECT_EQ(platform.changes, 0);
  for (int at = 0; at < 10; ++at) poller.update(pair.ours.get(), kWrite);
  turn();
  EXPECT_EQ(platform.changes, 1);
  EXPECT_EQ(handler.events, std::vector<std::uint32_t>{kWrite});
}

TEST_F(PollerTest, AnEventThatWasFoundBeforeTheInterestChangedIsStillTold) {
  const Pipe pipe;
  pipe.fill();
  Handler handler;
  poller.add(pipe.reader.get(), kRead, handler);
  EXPECT_EQ(poller.wait(Duration::zero()), 1);
  poller.update(pipe.reader.get(), kNone);
  while (poller.dispatch_next()) {
  }
  EXPECT_EQ(handler.events, std::vector<std::uint32_t>{kRead});
}

TEST_F(PollerTest, UrgentBytesThatNobodyAskedForAreNotReported) {
  const SocketPair pair;
  Handler handler;
  poller.add(pair.ours.get(), kRead, handler);
  ::send(pair.theirs.get(), "!", 1, MSG_OOB);
  EXPECT_LE(turn(), 1);
}

TEST_F(PollerTest, MoreReadyDescriptorsThanABatchHoldsAreAllServedWithinTwoTurns) {
  const Pipe pipe;
  pipe.fill();
  constexpr std::size_t kMany = Poller::kEventsPerWait + 50;
  std::vector<UniqueFd> duplicates;
  std::vector<std::unique_ptr<Handler>> handlers;
  for (std::size_t at = 0; at < kMany; ++at) {
    UniqueFd fd(::fcntl(pipe.reader.get(), F_DUPFD_CLOEXEC, 3));
    if (!fd) GTEST_SKIP() << "this process may not have so many descriptors";
    duplicates.push_back(std::move(fd));
    handlers.push_back(std::make_unique<Handler>());
    poller.add(duplicates.back().get(), kRead, *handlers.back());
  }
  EXPECT_EQ(turn(), Poller::kEventsPerWait);
  turn();
  for (const auto& handler : handlers) EXPECT_GE(handler->events.size(), 1u);
  for (const UniqueFd& fd : duplicates) poller.remove(fd.get());
}

TEST_F(PollerTest, ItsDescriptorIsCloseOnExecAndNoStandardStream) {
  EXPECT_GT(poller.fd(), 2);
  EXPECT_TRUE(::fcntl(poller.fd(), F_GETFD) & FD_CLOEXEC);
}

}  // namespace
}  // namespace eddy
