#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>

#include <cerrno>
#include <thread>

#include <eddy/loop/platform.h>
#include <eddy/loop/unique_fd.h>

#include "../support/descriptors.h"

namespace eddy {
namespace {

using namespace std::chrono_literals;

TEST(PlatformTest, SendingToADeadPeerIsAnErrorAndNoSignal) {
  SocketPair pair;
  pair.theirs.reset();
  EXPECT_EQ(Platform::current().send(pair.ours.get(), "x", 1), -1);
  EXPECT_EQ(errno, EPIPE);
}

TEST(PlatformTest, SocketsAreNonBlockingAndCloseOnExec) {
  const UniqueFd fd(Platform::current().socket(AF_UNIX, SOCK_STREAM, 0));
  EXPECT_TRUE(::fcntl(fd.get(), F_GETFD) & FD_CLOEXEC);
  EXPECT_TRUE(::fcntl(fd.get(), F_GETFL) & O_NONBLOCK);
}

TEST(PlatformTest, AWaitIsNeverShorterThanAskedAlsoBelowAMillisecond) {
  Platform& platform = Platform::current();
  const UniqueFd epoll(platform.epoll_create());
  epoll_event event;
  const TimePoint began = platform.now();
  EXPECT_EQ(platform.epoll_wait(epoll.get(), &event, 1, 300us), 0);
  EXPECT_GE(platform.now() - began, 300us);
}

TEST(PlatformTest, AnotherOneStandsInItsPlaceOnThisThreadOnlyAndForAsLongAsItLives) {
  Platform* const real = &Platform::current();
  Platform outer;
  {
    const ScopedPlatform installed(outer);
    EXPECT_EQ(&Platform::current(), &outer);
    Platform inner;
    {
      const ScopedPlatform nested(inner);
      EXPECT_EQ(&Platform::current(), &inner);
    }
    EXPECT_EQ(&Platform::current(), &outer);
    std::thread([real] { EXPECT_EQ(&Platform::current(), real); }).join();
  }
  EXPECT_EQ(&Platform::current(), real);
}

}  // namespace
}  // namespace eddy
