#include <fcntl.h>
#include <gtest/gtest.h>

#include <list>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include <eddy/server/accept_handler.h>
#include <eddy/server/netutil.h>

#include "../support/raw_client.h"
#include "../support/simulated_loop.h"

namespace eddy {
namespace {

using namespace std::chrono_literals;

class AcceptHandlerTest : public SimulatedLoop {
 public:
  static UniqueFd listener() {
    BindOptions options;
    options.backlog = 512;
    return std::move(bind_sockets(0, "127.0.0.1", options).front());
  }

  void start() {
    handler.emplace(listening.get(), [this](UniqueFd socket, const SocketAddress& peer) {
      sockets.push_back(std::move(socket));
      peers.push_back(peer);
    });
  }
  RawClient& connect() { return connect_to(listening); }
  RawClient& connect_to(const UniqueFd& where) {
    return clients.emplace_back(SocketAddress::local_of(where.get()));
  }
  bool run_until_accepted(std::size_t count) {
    return run_until([&] { return sockets.size() == count; });
  }
  std::size_t accepts() const { return platform.calls(Call::accept); }

  UniqueFd listening = listener();
  std::list<RawClient> clients;
  std::vector<UniqueFd> sockets;
  std::vector<SocketAddress> peers;
  std::optional<AcceptHandler> handler;
};

TEST_F(AcceptHandlerTest, GivesEachConnectionWithItsPeersAddress) {
  start();
  connect();
  connect();
  ASSERT_TRUE(run_until_accepted(2));
  EXPECT_EQ(peers.front(), clients.front().address());
  EXPECT_EQ(peers.back(), clients.back().address());
}

TEST_F(AcceptHandlerTest, TheWordOfTornadoMakesOneToo) {
  int accepted = 0;
  const AcceptHandler made =
      add_accept_handler(listening.get(), [&](UniqueFd, const SocketAddress&) { ++accepted; });
  connect();
  EXPECT_TRUE(run_until([&] { return accepted == 1; }));
}

TEST_F(AcceptHandlerTest, AcceptedSocketsDoNotBlockAndAreKeptFromChildren) {
  start();
  connect();
  ASSERT_TRUE(run_until_accepted(1));
  EXPECT_TRUE(::fcntl(sockets[0].get(), F_GETFL) & O_NONBLOCK);
  EXPECT_TRUE(::fcntl(sockets[0].get(), F_GETFD) & FD_CLOEXEC);
}

TEST_F(AcceptHandlerTest, CallsBackRightAfterEachAcceptNotInBulk) {
  std::vector<std::size_t> accepts_so_far;
  handler.emplace(listening.get(),
                  [&](UniqueFd, const SocketAddress&) { accepts_so_far.push_back(accepts()); });
  for (int i = 0; i < 3; ++i) connect();
  ASSERT_TRUE(run_until([&] { return accepts_so_far.size() == 3; }));
  EXPECT_EQ(accepts_so_far[1], accepts_so_far[0] + 1);
}

TEST_F(AcceptHandlerTest, TakesAtMost128InATurn) {
  start();
  for (int i = 0; i < 150; ++i) connect();
  ASSERT_TRUE(run_until([&] { return !sockets.empty(); }));
  EXPECT_EQ(sockets.size(), 128U);
  EXPECT_TRUE(run_until_accepted(150));
}

TEST_F(AcceptHandlerTest, AFloodAtOneListenerLeavesTheOtherItsTurn) {
  const UniqueFd quiet = listener();
  std::size_t flood_before_quiet_one = SIZE_MAX;
  const AcceptHandler other(quiet.get(), [&](UniqueFd, const SocketAddress&) {
    flood_before_quiet_one = sockets.size();
  });
  start();
  for (int i = 0; i < 200; ++i) connect();
  connect_to(quiet);
  ASSERT_TRUE(run_until([&] { return flood_before_quiet_one != SIZE_MAX; }));
  EXPECT_LE(flood_before_quiet_one, 128U);
}

TEST_F(AcceptHandlerTest, AcceptWaitingTakesAllAtOnce) {
  start();
  for (int i = 0; i < 150; ++i) connect();
  handler->accept_waiting();
  EXPECT_EQ(sockets.size(), 150U);
}

TEST_F(AcceptHandlerTest, DestroyedItAcceptsNothingMore) {
  start();
  handler.reset();
  connect();
  turn_a_few_times();
  EXPECT_EQ(accepts(), 0U);
}

TEST_F(AcceptHandlerTest, DestroyedByItsCallbackItEndsTheBatch) {
  int accepted = 0;
  handler.emplace(listening.get(), [&](UniqueFd, const SocketAddress&) {
    ++accepted;
    handler.reset();
  });
  for (int i = 0; i < 3; ++i) connect();
  EXPECT_TRUE(run_until([&] { return accepted > 0; }));
  turn_a_few_times();
  EXPECT_EQ(accepted, 1);
}

TEST_F(AcceptHandlerTest, DestroyedByItsCallbackItEndsAcceptWaitingToo) {
  int accepted = 0;
  handler.emplace(listening.get(), [&](UniqueFd, const SocketAddress&) {
    ++accepted;
    handler.reset();
  });
  for (int i = 0; i < 3; ++i) connect();
  handler->accept_waiting();
  EXPECT_EQ(accepted, 1);
}

TEST_F(AcceptHandlerTest, AFailingCallbackIsLoggedAndTheNextConnectionTaken) {
  int called = 0;
  handler.emplace(listening.get(), [&](UniqueFd, const SocketAddress&) {
    if (++called == 1) throw std::runtime_error("clumsy");
  });
  connect();
  connect();
  EXPECT_TRUE(run_until([&] { return called == 2; }));
  EXPECT_EQ(log.count("Error in connection callback: clumsy"), 1U);
  EXPECT_TRUE(clients.front().over()) << "its socket is closed";
}

TEST_F(AcceptHandlerTest, AcceptedSocketsNeverLandOnTheStandardStreams) {
  start();
  const UniqueFd input(::fcntl(0, F_DUPFD_CLOEXEC, 3));
  connect();
  ::close(0);
  EXPECT_TRUE(run_until_accepted(1));
  ::dup2(input.get(), 0);
  EXPECT_GT(sockets.at(0).get(), 2);
}

TEST_F(AcceptHandlerTest, AKernelThatRefusesToWatchTheListenerIsAnError) {
  platform.fail(Call::epoll_add, ENOSPC);
  EXPECT_THROW(start(), std::system_error);
}

TEST_F(AcceptHandlerTest, SuspendedByItsCallbackItLeavesTheOthersInTheKernelsQueue) {
  handler.emplace(listening.get(), [this](UniqueFd socket, const SocketAddress&) {
    sockets.push_back(std::move(socket));
    handler->suspend();
  });
  for (int i = 0; i < 3; ++i) connect();
  for (std::size_t taken = 1; taken <= 3; ++taken) {
    ASSERT_TRUE(run_until_accepted(taken));
    turn_a_few_times();
    EXPECT_EQ(sockets.size(), taken);
    handler->resume();
  }
}

TEST_F(AcceptHandlerTest, ResumedWhereTheKernelRefusesToWatchItComesBackByItself) {
  start();
  handler->suspend();
  connect();
  platform.fail(Call::epoll_add, ENOSPC);
  handler->resume();
  EXPECT_TRUE(handler->paused());
  pass(AcceptHandler::kFirstPause);
  EXPECT_EQ(sockets.size(), 1U);
  EXPECT_EQ(log.count("cannot accept connections: "), 1U);
}

// --- Connections that were gone before they were taken

class AcceptHandlerPassesOver : public AcceptHandlerTest,
                                public testing::WithParamInterface<int> {};

TEST_P(AcceptHandlerPassesOver, WhatConcernsOneConnectionOnly) {
  start();
  connect();
  platform.fail(Call::accept, GetParam(), 3);
  ASSERT_TRUE(run_until_accepted(1));
  EXPECT_EQ(accepts(), 5U) << "three failures, a connection, and the word that this is all";
  EXPECT_FALSE(handler->paused());
  EXPECT_TRUE(log.lines().empty());
}

INSTANTIATE_TEST_SUITE_P(Errors, AcceptHandlerPassesOver,
                         testing::Values(ECONNABORTED, EPROTO, ENOPROTOOPT, EHOSTDOWN, ENONET,
                                         EHOSTUNREACH, EOPNOTSUPP, ENETDOWN, ENETUNREACH, ETIMEDOUT,
                                         EPERM, EINTR));

TEST_F(AcceptHandlerTest, NothingButGoneConnectionsForAWholeTurnIsAShortageLikeAnyOther) {
  start();
  connect();
  platform.fail(Call::accept, EPROTO, FaultyPlatform::kAlways);
  ASSERT_TRUE(run_until([&] { return handler->paused(); }));
  EXPECT_EQ(accepts(), 128U);
  EXPECT_EQ(log.count("cannot accept connections: Protocol error"), 1U);
  platform.heal(Call::accept);
  pass(10ms);
  EXPECT_EQ(sockets.size(), 1U);
}

// --- Shortages of descriptors and memory

class AcceptHandlerShortOf : public AcceptHandlerTest, public testing::WithParamInterface<int> {};

TEST_P(AcceptHandlerShortOf, ResourcesPausesAndComesBackByItself) {
  start();
  connect();
  platform.fail(Call::accept, GetParam());
  ASSERT_TRUE(run_until([&] { return handler->paused(); }));
  EXPECT_TRUE(sockets.empty());
  pass(10ms);
  EXPECT_EQ(sockets.size(), 1U);
  EXPECT_FALSE(handler->paused());
  EXPECT_EQ(log.lines().size(), 1U);
  EXPECT_EQ(log.count("cannot accept connections: "), 1U);
}

INSTANTIATE_TEST_SUITE_P(Errors, AcceptHandlerShortOf,
                         testing::Values(EMFILE, ENFILE, ENOBUFS, ENOMEM, ENOSR));

class AcceptHandlerShortage : public AcceptHandlerTest {
 protected:
  void begin_shortage() {
    start();
    connect();
    platform.fail(Call::accept, EMFILE, FaultyPlatform::kAlways);
    ASSERT_TRUE(run_until([&] { return handler->paused(); }));
  }
  void end_shortage() { platform.heal(Call::accept); }
};

TEST_F(AcceptHandlerShortage, TriesAgainAfterPausesThatDoubleUpTo320Milliseconds) {
  begin_shortage();
  for (const Duration pause : {10ms, 20ms, 40ms, 80ms, 160ms, 320ms, 320ms, 320ms}) {
    const std::size_t before = accepts();
    pass(pause - 1ms);
    EXPECT_EQ(accepts(), before) << "too early";
    pass(1ms);
    EXPECT_EQ(accepts(), before + 1) << "after " << pause / 1ms << " ms";
  }
}

TEST_F(AcceptHandlerShortage, SleepsMeanwhileAndSaysSoOnce) {
  begin_shortage();
  const std::size_t before = platform.waits;
  pass(10s);
  EXPECT_LT(platform.waits - before, 100U) << "in ten seconds";
  EXPECT_EQ(log.lines().size(), 1U);
}

TEST_F(AcceptHandlerShortage, LeavesTheOtherDescriptorsServed) {
  begin_shortage();
  bool called = false;
  loop.add_callback([&] { called = true; });
  loop.turn();
  EXPECT_TRUE(called);
}

TEST_F(AcceptHandlerShortage, EndsForAllWhoWaited) {
  begin_shortage();
  for (int i = 0; i < 5; ++i) connect();
  pass(1s);
  end_shortage();
  pass(AcceptHandler::kLongestPause);
  EXPECT_EQ(sockets.size(), 6U);
}

TEST_F(AcceptHandlerShortage, OnceOverTheNextOneIsTriedSoonAndSaidAgain) {
  begin_shortage();
  pass(1s);
  end_shortage();
  pass(1s);
  ASSERT_EQ(sockets.size(), 1U);
  platform.fail(Call::accept, EMFILE);
  connect();
  ASSERT_TRUE(run_until([&] { return handler->paused(); }));
  EXPECT_EQ(log.lines().size(), 2U);
  pass(10ms);
  EXPECT_EQ(sockets.size(), 2U);
}

TEST_F(AcceptHandlerShortage, IsOverAlsoWhenNobodyWaitsAnyMore) {
  start();
  platform.fail(Call::accept, EMFILE, 3);
  handler->accept_waiting();  // as if somebody had come, who then gives up
  ASSERT_TRUE(handler->paused());
  pass(1s);
  ASSERT_FALSE(handler->paused());
  platform.fail(Call::accept, EMFILE);
  connect();
  ASSERT_TRUE(run_until([&] { return handler->paused(); }));
  EXPECT_EQ(log.lines().size(), 2U) << "a new one";
}

TEST_F(AcceptHandlerShortage, AConnectionInBetweenDoesNotMakeItANewOne) {
  begin_shortage();
  for (int i = 0; i < 3; ++i) connect();
  for (std::size_t taken = 1; taken <= 3; ++taken) {
    platform.heal(Call::accept);
    platform.let_pass(Call::accept);
    platform.fail(Call::accept, EMFILE, FaultyPlatform::kAlways);
    pass(AcceptHandler::kLongestPause);
    ASSERT_EQ(sockets.size(), taken);
  }
  EXPECT_EQ(log.lines().size(), 1U);
}

TEST_F(AcceptHandlerShortage, DestroyedMeanwhileItWakesUpNoMore) {
  begin_shortage();
  const std::size_t before = accepts();
  handler.reset();
  pass(1s);
  EXPECT_EQ(accepts(), before);
}

TEST_F(AcceptHandlerShortage, AskedToAcceptMeanwhileItWaitsOnceNotTwice) {
  begin_shortage();
  handler->accept_waiting();
  const std::size_t before = accepts();
  pass(10ms);
  EXPECT_EQ(accepts(), before + 1);
  pass(1ms);
  EXPECT_EQ(accepts(), before + 1) << "the pause has doubled once";
  handler->accept_waiting();
  handler.reset();  // and with it all that waits
  pass(1s);
}

TEST_F(AcceptHandlerShortage, SuspendedMeanwhileItWakesUpNoMoreUntilResumed) {
  begin_shortage();
  end_shortage();
  const std::size_t before = accepts();
  handler->suspend();
  pass(1s);
  EXPECT_EQ(accepts(), before);
  handler->resume();
  EXPECT_TRUE(run_until_accepted(1));
}

TEST_F(AcceptHandlerShortage, AskedToAcceptMeanwhileItTakesWhatItCan) {
  begin_shortage();
  end_shortage();
  handler->accept_waiting();
  EXPECT_EQ(sockets.size(), 1U);
}

TEST_F(AcceptHandlerShortage, AListenerThatDoesNotListenIsNoReasonToSpin) {
  const UniqueFd deaf(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  handler.emplace(deaf.get(), [](UniqueFd, const SocketAddress&) {});
  pass(10s);
  EXPECT_LT(accepts(), 100U);
  EXPECT_EQ(log.count("cannot accept connections: Invalid argument"), 1U);
}

TEST_F(AcceptHandlerShortage, AlsoOfTheKernelsRoomForWatching) {
  begin_shortage();
  end_shortage();
  platform.fail(Call::epoll_add, ENOSPC);
  pass(11ms);
  EXPECT_TRUE(handler->paused()) << "it could not be watched again";
  pass(AcceptHandler::kLongestPause);
  EXPECT_EQ(sockets.size(), 1U);
  EXPECT_EQ(log.lines().size(), 1U);
}

TEST(AcceptHandlerAtTheEnd, MayOutliveItsLoop) {
  const std::vector<UniqueFd> listening = bind_sockets(0, "127.0.0.1");
  std::optional<IOLoop> loop(std::in_place);
  std::optional<AcceptHandler> handler(std::in_place, listening.front().get(),
                                       [](UniqueFd, const SocketAddress&) {});
  loop.reset();
  handler.reset();
  EXPECT_GE(::fcntl(listening.front().get(), F_GETFD), 0) << "the listener is not its own";
}

}  // namespace
}  // namespace eddy
