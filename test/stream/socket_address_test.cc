#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <stdexcept>
#include <string>
#include <system_error>

#include <eddy/loop/unique_fd.h>
#include <eddy/stream/socket_address.h>

namespace eddy {
namespace {

using std::string_literals::operator""s;

std::string shown(std::string_view ip, std::uint16_t port) {
  const auto address = SocketAddress::parse(ip, port);
  return address ? address->to_string() : "nothing";
}

TEST(SocketAddress, IsWrittenAsPeopleWriteIt) {
  EXPECT_EQ(shown("127.0.0.1", 40312), "127.0.0.1:40312");
  EXPECT_EQ(shown("::1", 40312), "[::1]:40312");
  EXPECT_EQ(shown("2620:0:1CFE:face:b00c::3", 0), "[2620:0:1cfe:face:b00c::3]:0");
  EXPECT_EQ(SocketAddress::unix_path("/run/x.sock").to_string(), "unix:/run/x.sock");
  EXPECT_EQ(SocketAddress::unix_path("@name").to_string(), "unix:@name");
  EXPECT_EQ(SocketAddress().to_string(), "unix:");
}

TEST(SocketAddress, KeepsTheInterfaceOfALinkLocalAddress) {
  EXPECT_EQ(shown("fe80::1%lo", 80), "[fe80::1%lo]:80");
  EXPECT_EQ(shown("fe80::1%1", 80), "[fe80::1%lo]:80");
  EXPECT_EQ(shown("fe80::1%no-such-one", 80), "nothing");
  EXPECT_EQ(shown("fe80::1%", 80), "nothing");
  EXPECT_EQ(shown("127.0.0.1%lo", 80), "nothing");
}

TEST(SocketAddress, KnowsItsFamilyPortAndSize) {
  const SocketAddress v4 = *SocketAddress::parse("10.0.0.1", 8888);
  EXPECT_EQ(v4.family(), AF_INET);
  EXPECT_EQ(v4.port(), 8888);
  EXPECT_EQ(v4.size(), sizeof(sockaddr_in));
  EXPECT_EQ(v4.get()->sa_family, AF_INET);
  const SocketAddress v6 = *SocketAddress::parse("::", 65535);
  EXPECT_EQ(v6.family(), AF_INET6);
  EXPECT_EQ(v6.port(), 65535);
  EXPECT_EQ(v6.size(), sizeof(sockaddr_in6));
  const SocketAddress local = SocketAddress::unix_path("/run/x.sock");
  EXPECT_EQ(local.family(), AF_UNIX);
  EXPECT_EQ(local.port(), 0);
}

TEST(SocketAddress, IsEqualToAnotherOfTheSamePlace) {
  EXPECT_EQ(SocketAddress::parse("::1", 80), SocketAddress::parse("0::0:1", 80));
  EXPECT_NE(SocketAddress::parse("::1", 80), SocketAddress::parse("::1", 81));
  EXPECT_NE(SocketAddress::parse("127.0.0.1", 80), SocketAddress::parse("::1", 80));
  EXPECT_EQ(SocketAddress::unix_path("/a"), SocketAddress::unix_path("/a"));
  EXPECT_NE(SocketAddress::unix_path("/a"), SocketAddress::unix_path("/ab"));
  EXPECT_NE(SocketAddress::unix_path("/a"), *SocketAddress::parse("127.0.0.1", 80));
  EXPECT_EQ(SocketAddress(), SocketAddress());
}

TEST(SocketAddress, TakesAPathThatJustFitsAndNamesTheLimitOfOneThatDoesNot) {
  EXPECT_EQ(SocketAddress::unix_path(std::string(107, 'x')).to_string(),
            "unix:" + std::string(107, 'x'));
  try {
    SocketAddress::unix_path(std::string(108, 'x'));
    FAIL() << "108 bytes were taken";
  } catch (const std::invalid_argument& error) {
    EXPECT_NE(std::string(error.what()).find("107"), std::string::npos) << error.what();
  }
  EXPECT_THROW(SocketAddress::unix_path(""), std::invalid_argument);
  EXPECT_THROW(SocketAddress::unix_path("/run/\0x"s), std::invalid_argument);
}

TEST(SocketAddress, NeverShowsAControlByteOfAName) {
  EXPECT_EQ(SocketAddress::unix_path("@a\x1b[2J").to_string(), R"(unix:@a\x1b[2J)");
}

TEST(SocketAddress, IsReadFromBothEndsOfAConnection) {
  const UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const SocketAddress any_port = *SocketAddress::parse("127.0.0.1", 0);
  ASSERT_EQ(::bind(listener.get(), any_port.get(), any_port.size()), 0);
  ASSERT_EQ(::listen(listener.get(), 1), 0);
  const SocketAddress there = SocketAddress::local_of(listener.get());
  const UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::connect(client.get(), there.get(), there.size()), 0);
  EXPECT_NE(there.port(), 0);
  EXPECT_EQ(SocketAddress::peer_of(client.get()), there);
}

TEST(SocketAddress, IsReadFromAnAbstractUnixSocket) {
  const UniqueFd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const SocketAddress name =
      SocketAddress::unix_path("@eddy-socket-address-" + std::to_string(::getpid()));
  ASSERT_EQ(::bind(listener.get(), name.get(), name.size()), 0);
  EXPECT_EQ(SocketAddress::local_of(listener.get()), name);
  EXPECT_EQ(SocketAddress::local_of(listener.get()).to_string(), name.to_string());
}

TEST(SocketAddress, OfASocketPairHasNoName) {
  int pair[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
  const UniqueFd ours(pair[0]), theirs(pair[1]);
  EXPECT_EQ(SocketAddress::peer_of(ours.get()).to_string(), "unix:");
  EXPECT_EQ(SocketAddress::peer_of(ours.get()), SocketAddress());
}

TEST(SocketAddress, KeepsTheErrnoWhenThereIsNothingToRead) {
  const UniqueFd lonely(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  try {
    SocketAddress::peer_of(lonely.get());
    FAIL() << "a peer without a connection";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code().value(), ENOTCONN);
  }
  EXPECT_THROW(SocketAddress::local_of(-1), std::system_error);
}

TEST(SocketAddress, IsNotMadeOfAFamilyItDoesNotKnowNorOfHalfAnAddress) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  const auto* raw = reinterpret_cast<const sockaddr*>(&address);
  EXPECT_NO_THROW(SocketAddress::from(raw, sizeof address));
  EXPECT_THROW(SocketAddress::from(raw, sizeof address - 1), std::system_error);
  address.sin6_family = AF_APPLETALK;
  EXPECT_THROW(SocketAddress::from(raw, sizeof address), std::system_error);
  EXPECT_EQ(SocketAddress::from(nullptr, 0), SocketAddress());
}

TEST(SocketAddress, HoldsAPathThatFillsTheKernelsFieldWithoutANul) {
  sockaddr_un full{AF_UNIX, {}};
  std::fill(std::begin(full.sun_path), std::end(full.sun_path), 'p');
  const auto* raw = reinterpret_cast<const sockaddr*>(&full);
  EXPECT_EQ(SocketAddress::from(raw, sizeof full + 1).to_string(), "unix:" + std::string(108, 'p'));
}

TEST(SocketAddress, IsSmallEnoughToBeKeptByEveryConnection) {
  EXPECT_LT(sizeof(SocketAddress), 128u);
}

TEST(IsValidIp, TakesNumericAddressesOnly) {
  for (const char* ip : {"127.0.0.1", "4.4.4.4", "::1", "2620:0:1cfe:face:b00c::3", "fe80::1%lo"})
    EXPECT_TRUE(is_valid_ip(ip)) << ip;
  for (const char* not_ip : {"www.google.com", "localhost", "4.4.4.4<", " 127.0.0.1", "127.0.0.1 ",
                             "", " ", "\n", "256.0.0.1", "127.1", "::1::", "[::1]", "1:2"})
    EXPECT_FALSE(is_valid_ip(not_ip)) << not_ip;
  EXPECT_FALSE(is_valid_ip("\0"s));
  EXPECT_FALSE(is_valid_ip("127.0.0.1\0.example.org"s));
  EXPECT_FALSE(is_valid_ip(std::string(100, 'a')));
  EXPECT_FALSE(is_valid_ip(std::string(100000, '1')));
}

}  // namespace
}  // namespace eddy
