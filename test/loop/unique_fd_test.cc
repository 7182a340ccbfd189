#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <utility>

#include <eddy/loop/unique_fd.h>

namespace eddy {
namespace {

UniqueFd open_something() { return UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }
bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

TEST(UniqueFdTest, ClosesWhatItOwnsOnce) {
  int number = -1;
  {
    UniqueFd fd = open_something();
    number = fd.get();
    EXPECT_TRUE(fd);
    EXPECT_TRUE(is_open(number));
    const UniqueFd owner = std::move(fd);
    EXPECT_FALSE(fd);  // NOLINT(bugprone-use-after-move): that is the question
    EXPECT_TRUE(is_open(number));
  }
  EXPECT_FALSE(is_open(number));
}

TEST(UniqueFdTest, AssigningClosesWhatItOwnedBefore) {
  UniqueFd fd = open_something();
  const int number = fd.get();
  fd = UniqueFd();
  EXPECT_FALSE(is_open(number));
  fd.reset();
  EXPECT_EQ(fd.get(), -1);
}

TEST(UniqueFdTest, ReleasedItClosesNothing) {
  UniqueFd fd = open_something();
  const UniqueFd other(fd.release());
  fd.reset();
  EXPECT_TRUE(is_open(other.get()));
}

TEST(UniqueFdTest, ADescriptorOfAStandardStreamIsMovedAboveThem) {
  const int kept = ::fcntl(0, F_DUPFD_CLOEXEC, 3);
  ASSERT_GE(::dup2(open_something().get(), 0), 0);
  {
    const UniqueFd moved = above_standard_streams(UniqueFd(0));
    EXPECT_GT(moved.get(), 2);
    EXPECT_FALSE(is_open(0)) << "and the number is free again";
    EXPECT_TRUE(::fcntl(moved.get(), F_GETFD) & FD_CLOEXEC);
  }
  if (kept >= 0) {
    ::dup2(kept, 0);
    ::close(kept);
  }
  UniqueFd high = open_something();
  const int number = high.get();
  EXPECT_EQ(above_standard_streams(std::move(high)).get(), number);
  EXPECT_FALSE(above_standard_streams(UniqueFd()));
}

}  // namespace
}  // namespace eddy
