#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include <eddy/server/netutil.h>

#include "../support/program.h"
#include "../support/raw_client.h"
#include "../support/raw_datagram.h"
#include "../support/simulated_loop.h"

namespace eddy {
namespace {

using Sockets = std::vector<UniqueFd>;

int option(const UniqueFd& socket, int level, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  ::getsockopt(socket.get(), level, name, &value, &size);
  return value;
}

std::uint16_t port_of(const UniqueFd& socket) {
  return SocketAddress::local_of(socket.get()).port();
}

std::set<int> families(const Sockets& sockets) {
  std::set<int> all;
  for (const UniqueFd& socket : sockets) all.insert(SocketAddress::local_of(socket.get()).family());
  return all;
}

BindOptions only(int family) {
  BindOptions options;
  options.family = family;
  return options;
}

std::string failure_of(const std::function<void()>& function) {
  try {
    function();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "no failure";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// Binds to a name of two addresses where the machine knows both kinds, to skip the test elsewhere.
bool has_both_families() {
  static const bool both = families(bind_sockets(0)).size() == 2;
  return both;
}

class BindSockets : protected SimulatedPlatform, public testing::Test {};

// Of the two addresses that "" means; what the kernel itself can is of no matter to them.
using BindSocketsOfTwoAddresses = BindSockets;

TEST_F(BindSockets, ListensWithoutBlockingAndKeepsTheSocketFromChildren) {
  const Sockets sockets = bind_sockets(0, "127.0.0.1");
  ASSERT_EQ(sockets.size(), 1U);
  EXPECT_EQ(option(sockets[0], SOL_SOCKET, SO_ACCEPTCONN), 1);
  EXPECT_TRUE(::fcntl(sockets[0].get(), F_GETFL) & O_NONBLOCK);
  EXPECT_TRUE(::fcntl(sockets[0].get(), F_GETFD) & FD_CLOEXEC);
}

TEST_F(BindSockets, AnEmptyAddressMeansEveryInterface) {
  for (const UniqueFd& socket : bind_sockets(0)) {
    const SocketAddress address = SocketAddress::local_of(socket.get());
    EXPECT_EQ(address, *SocketAddress::parse(address.family() == AF_INET ? "0.0.0.0" : "::",
                                             address.port()));
  }
}

TEST_F(BindSockets, ListensOnceOnEachAddressOfAName) {
  std::set<std::string> addresses;
  const Sockets sockets = bind_sockets(0, "localhost");
  for (const UniqueFd& socket : sockets)
    addresses.insert(SocketAddress::local_of(socket.get()).to_string());
  EXPECT_EQ(addresses.size(), sockets.size());
}

TEST_F(BindSockets, PortZeroPicksAFreePortTheSameForAllAddresses) {
  const Sockets sockets = bind_sockets(0);
  EXPECT_GT(port_of(sockets.front()), 0);
  EXPECT_EQ(port_of(sockets.front()), port_of(sockets.back()));
  if (!has_both_families()) GTEST_SKIP() << "this machine has one family only";
  EXPECT_EQ(families(sockets), (std::set<int>{AF_INET, AF_INET6}));
}

TEST_F(BindSockets, AFamilyNarrowsTheAddresses) {
  EXPECT_EQ(families(bind_sockets(0, "", only(AF_INET))), std::set<int>{AF_INET});
  if (!has_both_families()) GTEST_SKIP() << "this machine has one family only";
  EXPECT_EQ(families(bind_sockets(0, "", only(AF_INET6))), std::set<int>{AF_INET6});
}

TEST_F(BindSockets, APortMayBeTakenAgainWhileOldConnectionsLinger) {
  EXPECT_EQ(option(bind_sockets(0, "127.0.0.1").front(), SOL_SOCKET, SO_REUSEADDR), 1);
}

TEST_F(BindSockets, AV6SocketLeavesTheV4AddressToOthers) {
  if (!has_both_families()) GTEST_SKIP() << "this machine has one family only";
  const Sockets v4 = bind_sockets(0, "0.0.0.0");  // first: strangers' ports are in this family
  const Sockets v6 = bind_sockets(port_of(v4.front()), "::");
  ASSERT_EQ(v6.size(), 1U);
  EXPECT_EQ(option(v6.front(), IPPROTO_IPV6, IPV6_V6ONLY), 1);
}

TEST_F(BindSockets, ReusePortLetsSeveralSocketsShareAPort) {
  BindOptions options;
  options.reuse_port = true;
  const Sockets first = bind_sockets(0, "127.0.0.1", options);
  const Sockets second = bind_sockets(port_of(first.front()), "127.0.0.1", options);
  EXPECT_EQ(port_of(first.front()), port_of(second.front()));
  EXPECT_THROW(bind_sockets(port_of(first.front()), "127.0.0.1"), std::system_error);
}

TEST_F(BindSockets, AKernelWithoutReusePortIsAnErrorThatNamesTheAddress) {
  BindOptions options;
  options.reuse_port = true;
  platform.let_pass(Call::setsockopt);  // SO_REUSEADDR
  platform.fail(Call::setsockopt, ENOPROTOOPT);
  const std::size_t before = open_descriptors();
  const std::string failure = failure_of([&] { bind_sockets(0, "127.0.0.1", options); });
  EXPECT_TRUE(contains(failure, "127.0.0.1:0")) << failure;
  EXPECT_TRUE(contains(failure, "Protocol not available")) << failure;
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(BindSockets, AnAddressInUseIsNamedAndNothingStaysOpen) {
  const Sockets first = bind_sockets(0, "127.0.0.1");
  const std::string taken = SocketAddress::local_of(first.front().get()).to_string();
  const std::size_t before = open_descriptors();
  const std::string failure =
      failure_of([&] { bind_sockets(port_of(first.front()), "127.0.0.1"); });
  EXPECT_TRUE(contains(failure, taken)) << failure;
  EXPECT_TRUE(contains(failure, "Address already in use")) << failure;
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(BindSockets, AFailureKeepsItsReason) {
  for (const Call call : {Call::socket, Call::bind, Call::listen}) {
    platform.fail(call, EACCES);
    try {
      bind_sockets(0, "127.0.0.1");
      ADD_FAILURE() << "nothing was thrown";
    } catch (const std::system_error& error) {
      EXPECT_EQ(error.code().value(), EACCES);
      EXPECT_TRUE(contains(error.what(), "127.0.0.1:0")) << error.what();
    }
  }
}

TEST_F(BindSockets, TheOnlyAddressMustBeOnThisMachine) {
  platform.fail(Call::bind, EADDRNOTAVAIL);
  const std::string failure = failure_of([] { bind_sockets(0, "127.0.0.1"); });
  EXPECT_TRUE(contains(failure, "Cannot assign requested address")) << failure;
  platform.fail(Call::socket, EAFNOSUPPORT);
  EXPECT_THROW(bind_sockets(0, "127.0.0.1"), std::system_error);
}

TEST_F(BindSocketsOfTwoAddresses, WhatHappensToTheSecondClosesTheFirst) {
  if (!has_both_families()) GTEST_SKIP() << "this machine has one family only";
  for (const Call call : {Call::socket, Call::bind, Call::listen}) {
    platform.let_pass(call);
    platform.fail(call, ENOBUFS);
    const std::size_t before = open_descriptors();
    EXPECT_THROW(bind_sockets(0), std::system_error);
    EXPECT_EQ(open_descriptors(), before);
  }
}

TEST_F(BindSocketsOfTwoAddresses, PortZeroPicksAnotherOneWhenItIsTakenAtTheSecond) {
  if (!has_both_families()) GTEST_SKIP() << "this machine has one family only";
  platform.let_pass(Call::bind);
  platform.fail(Call::bind, EADDRINUSE);
  const Sockets sockets = bind_sockets(0);
  ASSERT_EQ(sockets.size(), 2U);
  EXPECT_EQ(port_of(sockets.front()), port_of(sockets.back()));
}

TEST_F(BindSocketsOfTwoAddresses, ButNotForEver) {
  platform.fail(Call::bind, EADDRINUSE, FaultyPlatform::kAlways);
  EXPECT_THROW(bind_sockets(0), std::system_error);
}

TEST_F(BindSocketsOfTwoAddresses, AFamilyThatTheKernelLacksIsPassedOver) {
  platform.let_pass(Call::socket);
  platform.fail(Call::socket, EAFNOSUPPORT);
  EXPECT_EQ(bind_sockets(0).size(), 1U);
}

TEST_F(BindSocketsOfTwoAddresses, AnAddressThatThisMachineLacksIsPassedOver) {
  platform.fail(Call::bind, EADDRNOTAVAIL);
  EXPECT_LE(bind_sockets(0).size(), 1U);
}

TEST_F(BindSocketsOfTwoAddresses, WhenNoneIsOnThisMachineItSaysSo) {
  platform.fail(Call::bind, EADDRNOTAVAIL, FaultyPlatform::kAlways);
  const std::string failure = failure_of([] { bind_sockets(0); });
  EXPECT_TRUE(contains(failure, "no address is on this machine")) << failure;
}

TEST_F(BindSockets, ANameThatDoesNotResolveIsNamed) {
  const std::string name(70, 'x');  // longer than a label of a name can be
  const std::pair<std::string, int> unknown[] = {{name, AF_UNSPEC}, {"127.0.0.1", AF_INET6}};
  for (const auto& one : unknown) {
    const std::string failure = failure_of([&] { bind_sockets(0, one.first, only(one.second)); });
    EXPECT_TRUE(contains(failure, "cannot resolve '" + one.first + "'")) << failure;
  }
}

TEST_F(BindSockets, SocketsNeverLandOnTheStandardStreams) {
  const UniqueFd input(::fcntl(0, F_DUPFD_CLOEXEC, 3));
  ::close(0);
  const Sockets sockets = bind_sockets(0, "127.0.0.1");
  EXPECT_GT(sockets.front().get(), 2);
  EXPECT_LT(::fcntl(0, F_GETFD), 0) << "still closed";
  ::dup2(input.get(), 0);
}

class BindDatagramSockets : protected SimulatedPlatform, public testing::Test {};

TEST_F(BindDatagramSockets, ReceivesWithoutBlockingAndKeepsTheSocketFromChildren) {
  const Sockets sockets = bind_datagram_sockets(0, "127.0.0.1");
  ASSERT_EQ(sockets.size(), 1U);
  EXPECT_EQ(option(sockets[0], SOL_SOCKET, SO_TYPE), SOCK_DGRAM);
  EXPECT_TRUE(::fcntl(sockets[0].get(), F_GETFL) & O_NONBLOCK);
  EXPECT_TRUE(::fcntl(sockets[0].get(), F_GETFD) & FD_CLOEXEC);
  const RawDatagram client;
  EXPECT_TRUE(client.send("hello", SocketAddress::local_of(sockets[0].get())));
  EXPECT_EQ(Platform::current().bytes_waiting(sockets[0].get()), 5);
}

TEST_F(BindDatagramSockets, PortZeroPicksAFreePortTheSameForAllAddresses) {
  const Sockets sockets = bind_datagram_sockets(0);
  EXPECT_GT(port_of(sockets.front()), 0);
  EXPECT_EQ(port_of(sockets.front()), port_of(sockets.back()));
  if (!has_both_families()) GTEST_SKIP() << "this machine has one family only";
  EXPECT_EQ(families(sockets), (std::set<int>{AF_INET, AF_INET6}));
}

TEST_F(BindDatagramSockets, TwoShareAPortOnlyWhenBothWantTo) {
  BindOptions options;
  options.reuse_port = true;
  const Sockets first = bind_datagram_sockets(0, "127.0.0.1", options);
  const Sockets second = bind_datagram_sockets(port_of(first.front()), "127.0.0.1", options);
  EXPECT_EQ(port_of(first.front()), port_of(second.front()));
  const Sockets alone = bind_datagram_sockets(0, "127.0.0.1");
  for (const Sockets* taken : {&first, &alone}) {
    const std::uint16_t port = port_of(taken->front());
    const std::string failure = failure_of([&] { bind_datagram_sockets(port, "127.0.0.1"); });
    EXPECT_TRUE(contains(failure, "127.0.0.1:" + std::to_string(port))) << failure;
    EXPECT_TRUE(contains(failure, "Address already in use")) << failure;
  }
}

TEST_F(BindDatagramSockets, AFailureKeepsItsReason) {
  for (const Call call : {Call::socket, Call::bind}) {
    platform.fail(call, EACCES);
    const std::size_t before = open_descriptors();
    try {
      bind_datagram_sockets(0, "127.0.0.1");
      ADD_FAILURE() << "nothing was thrown";
    } catch (const std::system_error& error) {
      EXPECT_EQ(error.code().value(), EACCES);
      EXPECT_TRUE(contains(error.what(), "127.0.0.1:0")) << error.what();
    }
    EXPECT_EQ(open_descriptors(), before);
  }
}

class BindUnixSocket : protected SimulatedPlatform, public testing::Test {
 protected:
  BindUnixSocket() {
    std::string made = testing::TempDir() + "eddy-XXXXXX";
    directory_ = ::mkdtemp(made.data());
    path_ = directory_ / "socket";
  }
  ~BindUnixSocket() override { std::filesystem::remove_all(directory_); }

  static mode_t mode_of(const std::string& path) {
    struct stat file {};
    return ::lstat(path.c_str(), &file) < 0 ? 0 : file.st_mode;
  }

  std::filesystem::path directory_;
  std::string path_;
};

TEST_F(BindUnixSocket, ListensAtItsPathForItsOwnerOnly) {
  const UniqueFd socket = bind_unix_socket(path_);
  EXPECT_EQ(SocketAddress::local_of(socket.get()).to_string(), "unix:" + path_);
  EXPECT_EQ(mode_of(path_), S_IFSOCK | 0600U);
  EXPECT_TRUE(::fcntl(socket.get(), F_GETFL) & O_NONBLOCK);
  const RawClient client(SocketAddress::unix_path(path_));
}

TEST_F(BindUnixSocket, HasTheModeAskedWhateverTheUmask) {
  const mode_t before = ::umask(0077);
  const UniqueFd socket = bind_unix_socket(path_, 0660);
  ::umask(before);
  EXPECT_EQ(mode_of(path_), S_IFSOCK | 0660U);
}

TEST_F(BindUnixSocket, IsAtNoTimeOpenToOthers) {
  class Watch : public Platform {
   public:
    explicit Watch(std::string path) : path_(std::move(path)) {}
    int listen(int fd, int backlog) override {
      at_listen = mode_of(path_);
      return Platform::listen(fd, backlog);
    }
    mode_t at_listen = 0;

   private:
    std::string path_;
  } watch(path_);
  const ScopedPlatform watching(watch);
  const mode_t before = ::umask(0);
  const UniqueFd socket = bind_unix_socket(path_, 0600);
  ::umask(before);
  EXPECT_EQ(watch.at_listen, S_IFSOCK | 0600U);
}

TEST_F(BindUnixSocket, ReplacesWhatADeadServerLeft) {
  bind_unix_socket(path_).reset();
  ASSERT_EQ(mode_of(path_), S_IFSOCK | 0600U);
  const UniqueFd socket = bind_unix_socket(path_);
  const RawClient client(SocketAddress::unix_path(path_));
}

TEST_F(BindUnixSocket, LeavesALiveServerItsPath) {
  const UniqueFd socket = bind_unix_socket(path_);
  const std::size_t before = open_descriptors();
  const std::string failure = failure_of([this] { bind_unix_socket(path_); });
  EXPECT_TRUE(contains(failure, "unix:" + path_)) << failure;
  EXPECT_TRUE(contains(failure, "Address already in use")) << failure;
  EXPECT_EQ(open_descriptors(), before);
  const RawClient client(SocketAddress::unix_path(path_));
}

// Another starter's lock on the folder.
class FolderLock {
 public:
  explicit FolderLock(const std::filesystem::path& folder)
      : folder_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {}
  bool take() const { return ::flock(folder_.get(), LOCK_EX | LOCK_NB) == 0; }
  void release() const { ::flock(folder_.get(), LOCK_UN); }

 private:
  UniqueFd folder_;
};

TEST_F(BindUnixSocket, LeavesOneThatIsBoundAndDoesNotListenYetItsPath) {
  class Meanwhile : public Platform {
   public:
    Meanwhile(int socket, const FolderLock& lock) : socket_(socket), lock_(lock) {}
    int poll(pollfd*, std::size_t, int) override {  // waits for the first to be ready
      lock_.release();
      return ::listen(socket_, 1);
    }

   private:
    const int socket_;
    const FolderLock& lock_;
  };
  const FolderLock lock(directory_);
  ASSERT_TRUE(lock.take());
  const UniqueFd first(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const SocketAddress address = SocketAddress::unix_path(path_);
  ASSERT_EQ(::bind(first.get(), address.get(), address.size()), 0);
  Meanwhile meanwhile(first.get(), lock);
  const ScopedPlatform waiting(meanwhile);
  EXPECT_TRUE(contains(failure_of([this] { bind_unix_socket(path_); }), "already in use"));
  const RawClient client(address);
}

TEST_F(BindUnixSocket, LetsNobodyInBetweenUntilItListens) {
  class Watch : public Platform {
   public:
    explicit Watch(const FolderLock& lock) : lock_(lock) {}
    int listen(int fd, int backlog) override {
      locked_at_listen = !lock_.take();
      return Platform::listen(fd, backlog);
    }
    bool locked_at_listen = false;

   private:
    const FolderLock& lock_;
  };
  const FolderLock lock(directory_);
  Watch watch(lock);
  const ScopedPlatform watching(watch);
  const UniqueFd socket = bind_unix_socket(path_);
  EXPECT_TRUE(watch.locked_at_listen);
  EXPECT_TRUE(lock.take()) << "and not for longer";
}

TEST_F(BindUnixSocket, WaitsNotForEverForAFolderThatSomebodyKeeps) {
  class Patient : public Platform {
   public:
    int poll(pollfd*, std::size_t, int milliseconds) override {
      waited += milliseconds;
      return 0;
    }
    int waited = 0;
  } patient;
  const FolderLock lock(directory_);
  ASSERT_TRUE(lock.take());
  const ScopedPlatform waiting(patient);
  const UniqueFd socket = bind_unix_socket(path_);
  const RawClient client(SocketAddress::unix_path(path_));
  EXPECT_EQ(patient.waited, 2000);
}

TEST_F(BindUnixSocket, LeavesAnyOtherFileAlone) {
  std::ofstream(path_) << "letters";
  EXPECT_THROW(bind_unix_socket(path_), std::system_error);
  EXPECT_EQ(std::filesystem::file_size(path_), 7U);
}

TEST_F(BindUnixSocket, AnAbstractNameIsNoFile) {
  const std::string name = "@eddy-test-" + std::to_string(::getpid());
  const UniqueFd socket = bind_unix_socket(name);
  EXPECT_EQ(SocketAddress::local_of(socket.get()).to_string(), "unix:" + name);
  EXPECT_FALSE(std::filesystem::exists(name));
  EXPECT_THROW(bind_unix_socket(name), std::system_error);
}

TEST_F(BindUnixSocket, APathThatCannotBeIsRefused) {
  EXPECT_THROW(bind_unix_socket(""), std::invalid_argument);
  EXPECT_THROW(bind_unix_socket(std::string(200, 'x')), std::invalid_argument);
  EXPECT_THROW(bind_unix_socket(path_ + "/below/nothing"), std::system_error);
}

using BindUnixDatagramSocket = BindUnixSocket;

TEST_F(BindUnixDatagramSocket, ReceivesAtItsPathForItsOwnerOnly) {
  const UniqueFd socket = bind_unix_datagram_socket(path_);
  EXPECT_EQ(SocketAddress::local_of(socket.get()).to_string(), "unix:" + path_);
  EXPECT_EQ(mode_of(path_), S_IFSOCK | 0600U);
  EXPECT_TRUE(::fcntl(socket.get(), F_GETFL) & O_NONBLOCK);
  const RawDatagram client(any_unix_name());
  EXPECT_TRUE(client.send("hello", SocketAddress::unix_path(path_)));
}

TEST_F(BindUnixDatagramSocket, HasTheModeAskedAndAtNoTimeMore) {
  class Watch : public Platform {
   public:
    explicit Watch(std::string path) : path_(std::move(path)) {}
    int bind(int fd, const sockaddr* address, socklen_t size) override {
      const int answer = Platform::bind(fd, address, size);
      at_bind = mode_of(path_);
      return answer;
    }
    mode_t at_bind = 0;

   private:
    std::string path_;
  } watch(path_);
  const ScopedPlatform watching(watch);
  for (const mode_t umask : {0000U, 0077U}) {
    const mode_t before = ::umask(umask);
    const UniqueFd socket = bind_unix_datagram_socket(path_, 0620);
    ::umask(before);
    EXPECT_EQ(watch.at_bind, S_IFSOCK | (0620U & ~umask));
    EXPECT_EQ(mode_of(path_), S_IFSOCK | 0620U);
  }
}

TEST_F(BindUnixDatagramSocket, ReplacesWhatADeadServerLeftOfEitherKind) {
  bind_unix_datagram_socket(path_).reset();
  bind_unix_socket(path_).reset();
  const UniqueFd socket = bind_unix_datagram_socket(path_);
  const RawDatagram client(any_unix_name());
  EXPECT_TRUE(client.send("hello", SocketAddress::unix_path(path_)));
}

TEST_F(BindUnixDatagramSocket, LeavesALiveServerOfEitherKindItsPath) {
  const auto refused = [this] {
    for (const bool datagrams : {true, false}) {
      const std::string failure = failure_of(
          [&] { datagrams ? bind_unix_datagram_socket(path_) : bind_unix_socket(path_); });
      EXPECT_TRUE(contains(failure, "unix:" + path_)) << failure;
      EXPECT_TRUE(contains(failure, "Address already in use")) << failure;
    }
  };
  {
    const UniqueFd live = bind_unix_datagram_socket(path_);
    refused();
    const RawDatagram client(any_unix_name());
    EXPECT_TRUE(client.send("hello", SocketAddress::unix_path(path_)));
  }
  const UniqueFd live = bind_unix_socket(path_);
  refused();
}

TEST_F(BindUnixDatagramSocket, AnAbstractNameIsNoFile) {
  const std::string name = "@eddy-datagram-test-" + std::to_string(::getpid());
  const UniqueFd socket = bind_unix_datagram_socket(name);
  EXPECT_EQ(SocketAddress::local_of(socket.get()).to_string(), "unix:" + name);
  EXPECT_THROW(bind_unix_datagram_socket(name), std::system_error);
}

TEST_F(BindUnixDatagramSocket, APathMayHave107BytesAndNoMore) {
  const std::string path = directory_.string() + '/';
  const std::string longest = path + std::string(107 - path.size(), 'x');
  const UniqueFd socket = bind_unix_datagram_socket(longest);
  EXPECT_EQ(SocketAddress::local_of(socket.get()), SocketAddress::unix_path(longest));
  const std::string failure = failure_of([&] { bind_unix_datagram_socket(longest + 'x'); });
  EXPECT_TRUE(contains(failure, "longer than 107 bytes")) << failure;
  EXPECT_TRUE(contains(failure_of([&] { bind_unix_datagram_socket(longest + "/y"); }), "107"));
}

TEST_F(BindUnixDatagramSocket, AFolderThatIsMissingOrNotOursIsNamed) {
  const std::string nowhere = path_ + "/below/nothing";
  EXPECT_TRUE(contains(failure_of([&] { bind_unix_datagram_socket(nowhere); }), nowhere));
  platform.fail(Call::bind, EACCES);
  const std::string failure = failure_of([this] { bind_unix_datagram_socket(path_); });
  EXPECT_TRUE(contains(failure, path_)) << failure;
  EXPECT_TRUE(contains(failure, "Permission denied")) << failure;
}

TEST_F(BindUnixSocket, APathMayHave107BytesAndNoMore) {
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(directory_);  // which alone may be longer
  const std::string longest(107, 'x');
  EXPECT_TRUE(bind_unix_socket(longest));
  EXPECT_EQ(mode_of(longest), S_IFSOCK | 0600U);
  const std::string failure = failure_of([&] { bind_unix_socket(longest + 'x'); });
  std::filesystem::current_path(before);
  EXPECT_TRUE(contains(failure, "longer than 107 bytes")) << failure;
}

TEST_F(BindUnixSocket, ADirectoryThatMayNotBeWrittenIsAnErrorThatNamesThePath) {
  platform.fail(Call::bind, EACCES);  // as the kernel says it; a superuser is never told
  const std::size_t before = open_descriptors();
  const std::string failure = failure_of([this] { bind_unix_socket(path_); });
  EXPECT_TRUE(contains(failure, "unix:" + path_)) << failure;
  EXPECT_TRUE(contains(failure, "Permission denied")) << failure;
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST(PeerCredentialsFork, TellWhoConnects) {
  const std::string name = "@eddy-credentials-" + std::to_string(::getpid());
  const UniqueFd listener = bind_unix_socket(name);
  Program program([&](Program& self) {
    constexpr unsigned kNobody = 65534;
    static_cast<void>(::setgid(kNobody) + ::setuid(kNobody));  // or we stay who we are
    const RawClient client(SocketAddress::unix_path(name));
    self.tell(std::to_string(::getuid()) + ' ' + std::to_string(::getgid()));
    for (;;) ::pause();
    return 0;
  });
  const std::string who = program.hear();
  const UniqueFd accepted(Platform::current().accept(listener.get(), nullptr, nullptr));
  const PeerCredentials peer = peer_credentials(accepted.get());
  EXPECT_EQ(std::to_string(peer.uid) + ' ' + std::to_string(peer.gid), who);
  EXPECT_EQ(peer.pid, program.pid());
}

TEST(PeerCredentials, OfAnyOtherSocketAreAnError) {
  const Sockets sockets = bind_sockets(0, "127.0.0.1");
  EXPECT_THROW(peer_credentials(sockets.front().get()), std::system_error);
  EXPECT_THROW(peer_credentials(-1), std::system_error);
}

}  // namespace
}  // namespace eddy
