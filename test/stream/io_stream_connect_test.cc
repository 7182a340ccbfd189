#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

#include <eddy/loop/errors.h>
#include <eddy/stream/io_stream.h>

#include "../support/stream_test.h"

namespace eddy {
namespace {

using namespace std::chrono_literals;

class IOStreamConnect : public StreamTest {
 public:
  void SetUp() override { ours = std::make_unique<IOStream>(open_socket(AF_INET)); }

  SocketAddress address() const { return SocketAddress::local_of(listener.get()); }
  void accept() {
    theirs = Peer(UniqueFd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)));
    ASSERT_GE(theirs.fd(), 0);
  }

  std::string receive(std::size_t size) {
    std::string all;
    run_until([&] { return (all += theirs.receive(size - all.size())).size() == size; });
    return all;
  }
  std::string receive_to_end() {
    std::string all;
    run_until([&] {
      all += theirs.receive();
      return theirs.at_end();
    });
    return all;
  }

  UniqueFd listener = listen_on_loopback();
};

TEST_F(IOStreamConnect, IsDoneWhenConnected) {
  const Future<> connected = ours->connect(address());
  EXPECT_FALSE(connected.done());
  finish(connected);
  accept();
  finish(ours->write("hello"));
  EXPECT_EQ(receive(5), "hello");
  theirs.send("line\n");
  EXPECT_EQ(result_of(ours->read_until("\n")), "line\n");
}

TEST_F(IOStreamConnect, WhatIsWrittenMeanwhileIsSentThen) {
  std::vector<std::string> order;
  loop.add_future(ours->connect(address()), [&](Future<>&) { order.emplace_back("connected"); });
  loop.add_future(ours->write("hello "), [&](Future<>&) { order.emplace_back("written"); });
  static_cast<void>(ours->write("world"));
  EXPECT_EQ(platform.calls(CountingPlatform::kSend), 0U);
  run_until([&] { return order.size() == 2; });
  EXPECT_EQ(order, (std::vector<std::string>{"connected", "written"}));
  EXPECT_EQ(platform.calls(CountingPlatform::kSend), 1U);
  accept();
  EXPECT_EQ(receive(11), "hello world");
}

TEST_F(IOStreamConnect, AReadThatIsAskedMeanwhileBeginsThen) {
  const Future<> connected = ours->connect(address());
  Future<std::string> line = ours->read_until("\n");
  finish(connected);
  accept();
  theirs.send("welcome\n");
  EXPECT_EQ(result_of(line), "welcome\n");
}

TEST_F(IOStreamConnect, OurSideMayEndMeanwhile) {
  static_cast<void>(ours->connect(address()));
  static_cast<void>(ours->write("all there is"));
  finish(ours->shutdown_write());
  accept();
  EXPECT_EQ(receive_to_end(), "all there is");
}

TEST_F(IOStreamConnect, ARefusalIsTheReasonBehindTheFailure) {
  const SocketAddress nobody = address();
  listener.reset();
  Future<> connected = ours->connect(nobody);
  Future<> write = ours->write("x");
  Future<std::string> line = ours->read_until("\n");
  EXPECT_EQ(closed_by_errno(connected), ECONNREFUSED);
  EXPECT_EQ(closed_by_errno(write), ECONNREFUSED);
  EXPECT_EQ(closed_by_errno(line), ECONNREFUSED);
  EXPECT_TRUE(ours->closed());
  EXPECT_TRUE(log.lines().empty());
}

TEST_F(IOStreamConnect, AnImmediateRefusalComesThroughTheFutureToo) {
  platform.fail(CountingPlatform::kConnect, ENETUNREACH);
  Future<> connected = ours->connect(address());
  EXPECT_EQ(closed_by_errno(connected), ENETUNREACH);
  try {
    std::rethrow_exception(ours->error());
  } catch (const std::system_error& error) {
    EXPECT_NE(std::string(error.what()).find(address().to_string()), std::string::npos);
  }
}

TEST_F(IOStreamConnect, GivesUpAtItsDeadline) {
  // A queue that is full: the peer's kernel answers nothing.
  const UniqueFd full(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const SocketAddress any = SocketAddress::parse("127.0.0.1", 0).value();
  ASSERT_EQ(::bind(full.get(), any.get(), any.size()), 0);
  ASSERT_EQ(::listen(full.get(), 0), 0);
  const SocketAddress busy = SocketAddress::local_of(full.get());
  std::vector<UniqueFd> queued;
  for (int number = 0; number < 4; ++number) {
    queued.push_back(open_socket(AF_INET));
    static_cast<void>(::connect(queued.back().get(), busy.get(), busy.size()));
  }
  const TimePoint deadline = platform.now() + 5s;
  Future<> connected = ours->connect(busy, deadline);
  const auto error = closed_by<TimeoutError>(connected);
  ASSERT_TRUE(error);
  EXPECT_NE(std::string(error->what()).find(busy.to_string()), std::string::npos);
  EXPECT_GE(platform.now(), deadline);
  EXPECT_TRUE(ours->closed());
}

TEST_F(IOStreamConnect, ADeadlineThatWasMetNoLongerCounts) {
  finish(ours->connect(address(), platform.now() + 5s));
  platform.advance(60s);
  run_turns();
  EXPECT_FALSE(ours->closed());
}

TEST_F(IOStreamConnect, ClosingMeanwhileFailsIt) {
  Future<> connected = ours->connect(address());
  ours->close();
  EXPECT_TRUE(closed_orderly(connected));
}

TEST_F(IOStreamConnect, DestroyingMeanwhileFailsIt) {
  Future<> connected = ours->connect(address(), platform.now() + 5s);
  Future<> write = ours->write("x");
  Future<std::string> line = ours->read_until("\n");
  ours.reset();
  EXPECT_TRUE(closed_orderly(connected));
  platform.advance(60s);
  run_turns();
}

TEST_F(IOStreamConnect, ConnectingTwiceOrAfterTheCloseFailsAtOnce) {
  const Future<> connected = ours->connect(address());
  EXPECT_TRUE(failure<InvalidStateError>(ours->connect(address())));
  finish(connected);
  ours->close();
  EXPECT_TRUE(failure<InvalidStateError>(ours->connect(address())));
}

TEST_F(IOStreamConnect, ASignalMeanwhileIsNoFailure) {
  platform.fail(CountingPlatform::kConnect, EINTR);
  finish(ours->connect(address()));
  accept();
  finish(ours->write("hello"));
  EXPECT_EQ(receive(5), "hello");
}

TEST_F(IOStreamConnect, AFullUnixListenerIsARefusal) {
  ours = std::make_unique<IOStream>(open_socket(AF_UNIX));
  const SocketAddress nobody = SocketAddress::unix_path("@eddy-test-" + std::to_string(::getpid()));
  platform.fail(CountingPlatform::kConnect, EAGAIN);
  EXPECT_EQ(closed_by_errno(ours->connect(nobody)), EAGAIN);
}

TEST_F(IOStreamConnect, SmallWritesNeedNotWaitForCompany) {
  finish(ours->connect(address()));
  const auto nodelay = [&] {
    int value = -1;
    socklen_t size = sizeof value;
    ::getsockopt(ours->fileno(), IPPROTO_TCP, TCP_NODELAY, &value, &size);
    return value;
  };
  EXPECT_EQ(nodelay(), 0);
  ours->set_nodelay(true);
  EXPECT_NE(nodelay(), 0);
  ours->set_nodelay(false);
  EXPECT_EQ(nodelay(), 0);
  ours->close();
  ours->set_nodelay(true);
  open();
  ours->set_nodelay(true);  // on what is no TCP
  EXPECT_FALSE(ours->closed());
}

}  // namespace
}  // namespace eddy
