#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <eddy/loop/gen.h>
#include <eddy/loop/run_sync.h>
#include <eddy/server/threaded_resolver.h>

#include "../support/black_hole.h"
#include "../support/log_capture.h"
#include "../support/simulated_loop.h"

namespace eddy {
namespace {

using namespace std::chrono_literals;
using Names = std::vector<std::string>;

class ThreadedResolverTest : public testing::Test {
 protected:
  template <class E>
  static std::string failure_of(const Future<Addresses>& future) {
    try {
      future.result();
    } catch (const E& error) {
      return error.what();
    }
    return "no such failure";
  }
  static SocketAddress address(const std::string& ip) {
    return SocketAddress::parse(ip, 80).value();
  }
  void run_until_done(const Future<Addresses>& future) {
    while (!future.done()) loop.turn(1ms);
  }

  LogCapture log;
  BlackHole nobody;
  IOLoop loop;
};

TEST_F(ThreadedResolverTest, ANameIsLookedUpOnAnotherThreadAndTheOrderKept) {
  std::thread::id asked_on;
  ThreadedResolver resolver(1, 1, [&](const std::string& host, std::uint16_t port, int family) {
    asked_on = std::this_thread::get_id();
    EXPECT_EQ(host, "example.com");
    EXPECT_EQ(port, 80);
    EXPECT_EQ(family, AF_INET);
    return Addresses{address("192.0.2.2"), address("::1"), address("192.0.2.1")};
  });
  const Addresses found =
      loop.run_sync([&] { return resolver.resolve("example.com", 80, AF_INET); });
  EXPECT_EQ(found, (Addresses{address("192.0.2.2"), address("::1"), address("192.0.2.1")}));
  EXPECT_NE(asked_on, std::this_thread::get_id());
}

TEST_F(ThreadedResolverTest, AsksTheSystem) {
  ThreadedResolver resolver;
  const Addresses found = loop.run_sync([&] { return resolver.resolve("localhost", 80, AF_INET); });
  EXPECT_EQ(found, Addresses{address("127.0.0.1")});
}

TEST_F(ThreadedResolverTest, ANumericAddressIsAnsweredAtOnceWhateverElseHangs) {
  ThreadedResolver resolver(1, 0, nobody.look_up());
  const Future<Addresses> numeric = resolver.resolve("::1", 80);
  ASSERT_TRUE(numeric.done());
  EXPECT_EQ(numeric.result(), Addresses{address("::1")});
  const Future<Addresses> other_family = resolver.resolve("::1", 80, AF_INET);
  ASSERT_TRUE(other_family.done());
  EXPECT_NE(failure_of<ResolverError>(other_family).find("'::1'"), std::string::npos);
}

TEST_F(ThreadedResolverTest, WhatALookupThrowsArrivesInTheFuture) {
  ThreadedResolver resolver(1, 1, [](const std::string& host, std::uint16_t, int) -> Addresses {
    throw ResolverError(host, "no such name");
  });
  const Future<Addresses> found = resolver.resolve("example.com", 80);
  run_until_done(found);
  EXPECT_EQ(failure_of<ResolverError>(found), "cannot resolve 'example.com': no such name");
}

TEST_F(ThreadedResolverTest, AFewAtATimeAreLookedUpInOrderAndTheRestWaits) {
  ThreadedResolver resolver(2, 3, nobody.look_up());
  std::vector<Future<Addresses>> all;
  for (const char* name : {"one", "two"}) {
    all.push_back(resolver.resolve(name, 80));
    nobody.wait_for(all.size());
  }
  for (const char* name : {"three", "four", "five"}) all.push_back(resolver.resolve(name, 80));
  EXPECT_EQ(nobody.asked(), (Names{"one", "two"}));
  nobody.open();
  for (const Future<Addresses>& each : all) run_until_done(each);
  EXPECT_EQ(nobody.asked().size(), 5U);
}

TEST_F(ThreadedResolverTest, BeyondItsLimitALookupFailsAtOnceAndTheLimitIsNamed) {
  ThreadedResolver resolver(1, 1, nobody.look_up());
  const Future<Addresses> hangs = resolver.resolve("one", 80);
  nobody.wait_for(1);
  const Future<Addresses> waits = resolver.resolve("two", 80);
  const Future<Addresses> refused = resolver.resolve("three", 80);
  ASSERT_TRUE(refused.done());
  EXPECT_EQ(failure_of<LimitError>(refused),
            "ThreadedResolver: 1 lookups wait for a thread already (most_waiting)");
}

TEST_F(ThreadedResolverTest, WhatIsGivenUpBeforeItsTurnIsNeverAskedAndLeavesItsPlace) {
  ThreadedResolver resolver(1, 1, nobody.look_up());
  const Future<Addresses> hangs = resolver.resolve("one", 80);
  nobody.wait_for(1);
  static_cast<void>(resolver.resolve("two", 80));
  Future<Addresses> cancelled = resolver.resolve("three", 80);
  cancelled.cancel();
  loop.turn();
  loop.turn();
  EXPECT_TRUE(cancelled.done());
  const Future<Addresses> last = resolver.resolve("four", 80);
  nobody.open();
  run_until_done(last);
  EXPECT_EQ(nobody.asked(), (Names{"one", "four"}));
}

TEST_F(ThreadedResolverTest, TheAnswerOfALookupThatWasGivenUpGoesNowhere) {
  ThreadedResolver resolver(1, 1, nobody.look_up());
  int told = 0;
  {
    const Future<Addresses> hangs = resolver.resolve("one", 80);
    hangs.add_done_callback([&] { ++told; });
    nobody.wait_for(1);
  }
  const Future<Addresses> next = resolver.resolve("two", 80);
  nobody.open();
  run_until_done(next);
  EXPECT_EQ(told, 0);
  EXPECT_TRUE(log.lines().empty());
}

TEST_F(ThreadedResolverTest, ALookupMayHaveADeadline) {
  ThreadedResolver resolver(1, 1, nobody.look_up());
  const Future<Addresses> hangs = with_timeout(1ms, resolver.resolve("one", 80));
  run_until_done(hangs);
  EXPECT_THROW(hangs.result(), TimeoutError);
}

TEST_F(ThreadedResolverTest, ItsEndWaitsForNoNameServerAndFailsWhatItOwes) {
  std::optional<ThreadedResolver> resolver(std::in_place, 2, 8, nobody.look_up());
  const Future<Addresses> hangs = resolver->resolve("one", 80);
  nobody.wait_for(1);
  const Future<Addresses> hangs_too = resolver->resolve("two", 80);
  nobody.wait_for(2);
  const Future<Addresses> waits = resolver->resolve("three", 80);
  resolver.reset();
  for (const Future<Addresses>& each : {hangs, hangs_too, waits}) {
    run_until_done(each);
    EXPECT_THROW(each.result(), CancelledError);
  }
  EXPECT_EQ(nobody.asked(), (Names{"one", "two"}));
}

TEST_F(ThreadedResolverTest, AfterItsEndNoThreadIsLeft) {
  const std::string tasks = "/proc/self/task";
  const auto threads = [&] {
    using Entries = std::filesystem::directory_iterator;
    return std::distance(Entries(tasks), Entries());
  };
  std::thread([] {}).join();  // a sanitizer's own thread begins with the first one
  const auto before = threads();
  {
    ThreadedResolver resolver(3, 8, nobody.look_up());
    std::vector<Future<Addresses>> all;
    for (const char* name : {"one", "two", "three"}) all.push_back(resolver.resolve(name, 80));
    nobody.wait_for(3);
    EXPECT_GT(threads(), before);
    nobody.open();
    for (const Future<Addresses>& each : all) run_until_done(each);
  }
  while (threads() > before) std::this_thread::yield();  // on its way out
}

TEST(ThreadedResolverEnd, ClosingTheLoopMeanwhileIsSilentAndLeavesNothingOpen) {  // DN-03
  const LogCapture log;
  const std::size_t before = open_descriptors();
  int told = 0;
  {
    BlackHole nobody;
    ThreadedResolver resolver(1, 1, nobody.look_up());
    {
      IOLoop loop;
      Future<Addresses> hangs = resolver.resolve("one", 80);
      hangs.add_done_callback([&] { ++told; });
      nobody.wait_for(1);
      hangs.cancel();
      for (int turns = 0; turns < 4; ++turns) loop.turn();
      hangs = {};
    }
    EXPECT_EQ(open_descriptors(), before) << "the lookup holds the door of a loop that is gone";
  }
  EXPECT_EQ(told, 1) << "cancelled";
  EXPECT_TRUE(log.lines().empty());
}

TEST(ThreadedResolverEnd, LeavesNothingOfTheLoopInTheHandsOfAThreadThatHasAnswered) {
  const std::size_t before = open_descriptors();
  for (int times = 0; times < 100; ++times) {
    {
      ThreadedResolver resolver(1, 1, [](const std::string&, std::uint16_t port, int) {
        return Addresses{SocketAddress::parse("192.0.2.1", port).value()};
      });
      IOLoop loop;
      loop.run_sync([&] { return resolver.resolve("one", 80); });
    }
    ASSERT_EQ(open_descriptors(), before);
  }
}

TEST(ThreadedResolverEnd, AnAnswerThatComesAfterTheLoopIsDropped) {
  const LogCapture log;
  BlackHole nobody;
  ThreadedResolver resolver(1, 1, nobody.look_up());
  std::optional<Future<Addresses>> outlives;
  {
    IOLoop loop;
    outlives = resolver.resolve("one", 80);
    nobody.wait_for(1);
  }
  nobody.open();
  EXPECT_THROW(outlives->result(), CancelledError);
  EXPECT_TRUE(log.lines().empty());
}

TEST_F(ThreadedResolverTest, ItsThreadsTakeNoSignals) {
  bool blocked = false;
  ThreadedResolver resolver(1, 1, [&](const std::string&, std::uint16_t, int) {
    sigset_t mask;
    ::pthread_sigmask(SIG_BLOCK, nullptr, &mask);
    blocked = sigismember(&mask, SIGTERM) == 1 && sigismember(&mask, SIGUSR1) == 1;
    return Addresses{};
  });
  run_until_done(resolver.resolve("example.com", 80));
  EXPECT_TRUE(blocked);
}

#ifndef __SANITIZE_THREAD__  // it cannot start threads in the child of a fork

TEST(ThreadedResolverFork, AChildHasThreadsOfItsOwn) {
  BlackHole nobody;
  ThreadedResolver resolver(1, 1, nobody.look_up());
  std::optional<IOLoop> loop(std::in_place);
  Future<Addresses> hangs = resolver.resolve("one", 80);
  nobody.wait_for(1);
  hangs = {};
  loop.reset();
  const pid_t child = ::fork();
  if (child == 0) {
    nobody.open();
    IOLoop own;
    const Addresses found = own.run_sync([&] { return resolver.resolve("two", 80); }, 20s);
    ::_exit(found.size() == 1 ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

#endif

TEST(DefaultResolver, IsSharedWhileSomebodyHoldsIt) {
  const std::shared_ptr<Resolver> one = default_resolver();
  EXPECT_EQ(one, default_resolver());
  std::shared_ptr<Resolver> of_another_thread;
  std::thread([&] { of_another_thread = default_resolver(); }).join();
  EXPECT_NE(one, of_another_thread);
}

TEST(DefaultResolver, TheNextOneHasThreadsAsTheFirstHad) {
  IOLoop loop;
  for (int times = 0; times < 10; ++times) {
    const std::shared_ptr<Resolver> resolver = default_resolver();
    EXPECT_FALSE(loop.run_sync([&] { return resolver->resolve("localhost", 80); }).empty());
  }
}

}  // namespace
}  // namespace eddy
