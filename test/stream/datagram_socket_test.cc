#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <eddy/loop/await.h>
#include <eddy/loop/gen.h>
#include <eddy/loop/run_sync.h>
#include <eddy/loop/unique_fd.h>
#include <eddy/stream/datagram_socket.h>
#include <eddy/stream/stream_errors.h>

#include "../support/raw_datagram.h"
#include "../support/simulated_loop.h"

namespace eddy {
namespace {

using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

template <class Error>
std::optional<Error> thrown(const std::exception_ptr& error) {
  try {
    if (error) std::rethrow_exception(error);
  } catch (const Error& expected) {
    return expected;
  } catch (...) {
  }
  return std::nullopt;
}

template <class Error, class T>
std::optional<Error> failure(const Future<T>& future) {
  return future.done() ? thrown<Error>(future.exception()) : std::nullopt;
}

template <class T>
int errno_of(const Future<T>& future) {
  const auto error = failure<std::system_error>(future);
  return error ? error->code().value() : 0;
}

class DatagramSocketTest : public SimulatedLoop {
 public:
  DatagramSocket& open(const DatagramOptions& options = {}) { return open(loopback(), options); }
  DatagramSocket& open(const SocketAddress& at, const DatagramOptions& options = {}) {
    return open(datagram_socket_at(at), options);
  }
  DatagramSocket& open(UniqueFd socket, const DatagramOptions& options = {}) {
    ours = std::make_unique<DatagramSocket>(std::move(socket), options);
    address = SocketAddress::local_of(ours->fileno());
    return *ours;
  }
  Datagram receive() { return result_of(ours->receive()); }
  template <class T>
  T result_of(const Future<T>& future) {
    EXPECT_TRUE(run_until([&] { return future.done(); }));
    return future.result();
  }
  template <class T>
  bool run_until_done(const Future<T>& future) {
    return run_until([&] { return future.done(); });
  }
  // All that is there now, in one receive after the other.
  Texts receive_all() {
    Texts all;
    for (;;) {
      Future<Datagram> next = ours->receive();
      turn_a_few_times();
      if (!next.done()) return all;
      all.push_back(next.result().bytes);
    }
  }

  std::unique_ptr<DatagramSocket> ours;
  SocketAddress address;  // ours
};

using DatagramReceive = DatagramSocketTest;
using DatagramSend = DatagramSocketTest;
using DatagramUndelivered = DatagramSocketTest;
using DatagramEnd = DatagramSocketTest;
using DatagramClose = DatagramSocketTest;

Texts numbered(int count) {
  Texts all;
  for (int i = 0; i < count; ++i) all.push_back(std::to_string(i));
  return all;
}

// --- Receiving

TEST_F(DatagramReceive, BringsEachWholeWithItsSender) {
  open();
  const RawDatagram theirs;
  for (const std::size_t size : {0U, 1U, 65'507U}) {
    ASSERT_TRUE(theirs.send(std::string(size, 'x'), address)) << size;
    const Datagram datagram = receive();
    EXPECT_EQ(datagram.bytes, std::string(size, 'x')) << size;
    EXPECT_EQ(datagram.from, theirs.address());
    EXPECT_FALSE(datagram.truncated);
  }
}

TEST_F(DatagramReceive, KeepsTheOrderAndTheBoundaries) {
  open();
  const RawDatagram theirs;
  for (const std::string& text : numbered(20)) theirs.send(text, address);
  EXPECT_EQ(receive_all(), numbered(20));
}

TEST_F(DatagramReceive, WhatIsLongerThanTheLimitIsCutAndSaysSo) {
  DatagramOptions options;
  options.max_datagram_size = 4;
  open(options);
  const RawDatagram theirs;
  for (const char* text : {"four", "fives", "next"}) theirs.send(text, address);
  const Datagram whole = receive();
  const Datagram cut = receive();
  EXPECT_EQ(whole.bytes, "four");
  EXPECT_FALSE(whole.truncated);
  EXPECT_EQ(cut.bytes, "five");
  EXPECT_TRUE(cut.truncated);
  EXPECT_EQ(receive().bytes, "next");
}

TEST_F(DatagramReceive, ALimitAboveTheUsualTakesLongUnixDatagrams) {
  DatagramOptions options;
  options.max_datagram_size = 2 << 20;
  open(any_unix_name(), options);
  const RawDatagram theirs(any_unix_name());
  ASSERT_TRUE(theirs.send(std::string(100'000, 'x'), address));
  EXPECT_EQ(receive().bytes.size(), 100'000U);
}

TEST_F(DatagramReceive, TakesNothingFromTheKernelUnlessSomebodyReceives) {
  open();
  const RawDatagram theirs;
  theirs.send("hello", address);
  turn_a_few_times();
  EXPECT_EQ(platform.calls(Call::recvmmsg), 0U);
  EXPECT_EQ(receive().bytes, "hello");
}

TEST_F(DatagramReceive, SeveralCostOneSystemCall) {
  open();
  const RawDatagram theirs;
  for (const std::string& text : numbered(10)) theirs.send(text, address);
  for (int i = 0; i < 10; ++i) receive();
  EXPECT_EQ(platform.calls(Call::recvmmsg), 1U);
}

TEST_F(DatagramReceive, OneTurnBringsSoManyAndThenOthersHaveTheirs) {
  open();
  const RawDatagram theirs;
  for (int i = 0; i < 160; ++i) theirs.send("x", address);
  Future<Datagram> next = ours->receive();
  loop.turn();
  std::size_t brought = 0;
  for (; next.done(); next = ours->receive()) ++brought;
  EXPECT_EQ(brought, DatagramSocket::kDatagramsPerTurn);
  turn_a_few_times();
  for (; next.done(); next = ours->receive()) ++brought;
  EXPECT_EQ(brought, 160U);
}

TEST_F(DatagramReceive, OneTurnBringsSoManyBytesAndThenOthersHaveTheirs) {
  class Endless : public Platform {  // there are always more, and they are long
   public:
    int recvmmsg(int, mmsghdr* messages, unsigned int count) override {
      for (unsigned int at = 0; at < count; ++at) {
        messages[at].msg_len = 60'000;
        messages[at].msg_hdr.msg_namelen = 0;
        messages[at].msg_hdr.msg_controllen = 0;
        brought += 60'000;
      }
      return static_cast<int>(count);
    }
    std::size_t brought = 0;
  } endless;
  std::thread([&endless] {
    const ScopedPlatform installed_here(endless);
    IOLoop loop_here;
    DatagramSocket socket(datagram_socket_at(loopback()));
    const RawDatagram theirs;
    theirs.send("x", SocketAddress::local_of(socket.fileno()));
    const Future<Datagram> next = socket.receive();
    loop_here.turn(1s);
    EXPECT_TRUE(next.done());
  }).join();
  EXPECT_GE(endless.brought, DatagramSocket::kBytesPerTurn);
  EXPECT_LE(endless.brought, DatagramSocket::kBytesPerTurn + (1 << 20));
}

TEST_F(DatagramReceive, WhatTheKernelDroppedIsCounted) {
  open();
  const int room = 64 << 10;  // bytes: less than two thousand datagrams need
  ASSERT_EQ(::setsockopt(ours->fileno(), SOL_SOCKET, SO_RCVBUF, &room, sizeof room), 0);
  const RawDatagram theirs;
  for (int i = 0; i < 2000; ++i) theirs.send("x", address);
  const std::size_t received = receive_all().size();
  EXPECT_LT(received, 2000U);
  theirs.send("y", address);
  EXPECT_EQ(receive_all(), Texts{"y"});
  EXPECT_EQ(ours->kernel_drops(), 2000U - received);
  theirs.send("z", address);
  EXPECT_EQ(receive_all(), Texts{"z"});
  EXPECT_EQ(ours->kernel_drops(), 2000U - received) << "and only once";
}

TEST_F(DatagramReceive, GivenUpLeavesEveryDatagramToTheNextOne) {
  open();
  const RawDatagram theirs;
  Future<Datagram> cancelled = ours->receive();
  EXPECT_TRUE(cancelled.cancel());
  EXPECT_TRUE(failure<CancelledError>(cancelled));
  static_cast<void>(ours->receive());  // dropped
  const Future<Datagram> late = with_timeout(1s, ours->receive());
  pass(1s);
  EXPECT_TRUE(failure<TimeoutError>(late));
  for (const std::string& text : numbered(3)) theirs.send(text, address);
  turn_a_few_times();
  EXPECT_EQ(receive_all(), numbered(3));
}

TEST_F(DatagramReceive, OneAtATime) {
  open();
  const RawDatagram theirs;
  const Future<Datagram> first = ours->receive();
  EXPECT_TRUE(failure<AlreadyReadingError>(ours->receive()));
  theirs.send("hello", address);
  EXPECT_EQ(result_of(first).bytes, "hello");
}

TEST_F(DatagramReceive, ASignalIsNoFailure) {
  open();
  const RawDatagram theirs;
  platform.fail(Call::recvmmsg, EINTR, 3);
  theirs.send("hello", address);
  EXPECT_EQ(receive().bytes, "hello");
}

TEST_F(DatagramReceive, AKernelThatRefusesToWatchThrows) {
  platform.fail(Call::epoll_add, ENOSPC);
  const std::size_t before = open_descriptors();
  EXPECT_THROW(open(), std::system_error);
  EXPECT_EQ(open_descriptors(), before);
}

// --- Sending

TEST_F(DatagramSend, EachLeavesWholeAndAtOnce) {
  open();
  const RawDatagram theirs;
  for (const std::size_t size : {0U, 1U, 65'507U}) {
    EXPECT_TRUE(ours->send_to(std::string(size, 'x'), theirs.address()).done());
    EXPECT_EQ(theirs.receive(), Texts{std::string(size, 'x')}) << size;
  }
}

TEST_F(DatagramSend, WhatIsTooLongIsAnErrorThatNamesItsSize) {
  open();
  const RawDatagram theirs;
  const Future<> sent = ours->send_to(std::string(65'508, 'x'), theirs.address());
  EXPECT_EQ(errno_of(sent), EMSGSIZE);
  const std::string text = failure<std::system_error>(sent)->what();
  EXPECT_NE(text.find("65508 bytes to " + theirs.address().to_string()), text.npos) << text;
  ours->send_to("short", theirs.address()).result();
  EXPECT_EQ(theirs.receive(), Texts{"short"});
}

TEST_F(DatagramSend, AUnixSocketWithoutANameCannotBeAnswered) {
  open(any_unix_name());
  const RawDatagram theirs(UniqueFd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)));
  theirs.send("hello", address);
  const Datagram datagram = receive();
  EXPECT_TRUE(datagram.from.unnamed());
  EXPECT_EQ(errno_of(ours->send_to("answer", datagram.from)), EDESTADDRREQ);
}

TEST_F(DatagramSend, ToNobodyIsAnErrorOfAUnixSocket) {
  open(any_unix_name());
  const SocketAddress gone = RawDatagram(any_unix_name()).address();
  EXPECT_EQ(errno_of(ours->send_to("hello", gone)), ECONNREFUSED);
  EXPECT_FALSE(ours->receive().done()) << "it has been told once";
}

TEST_F(DatagramSend, WhatTheKernelHasNoRoomForLeavesInOrderWhenItHas) {
  open();
  const RawDatagram theirs;
  platform.fail(Call::sendto, EAGAIN);
  const Future<> first = ours->send_to("first", theirs.address());
  const Future<> second = ours->send_to("second", theirs.address());
  EXPECT_FALSE(first.done() || second.done());
  EXPECT_EQ(ours->waiting_sends(), 2U);
  EXPECT_TRUE(run_until_done(second));
  EXPECT_EQ(theirs.receive(), (Texts{"first", "second"}));
  EXPECT_EQ(platform.sleeps, 0U) << "the kernel told of it";
}

TEST_F(DatagramSend, AShortageIsWaitedOutWithoutSpinning) {
  open();
  const RawDatagram theirs;
  platform.fail(Call::sendto, ENOBUFS, FaultyPlatform::kAlways);
  const Future<> sent = ours->send_to("hello", theirs.address());
  pass(500ms);
  EXPECT_FALSE(sent.done());
  EXPECT_LT(platform.calls(Call::sendto), 30U);
  platform.heal(Call::sendto);
  pass(DatagramSocket::kLastRetry);
  EXPECT_TRUE(sent.done());
  EXPECT_EQ(theirs.receive(), Texts{"hello"});
}

TEST_F(DatagramSend, AFullUnixPeerHoldsUpNobodyElse) {
  open(any_unix_name());
  const RawDatagram slow(any_unix_name());
  const RawDatagram fast(any_unix_name());
  const int many = 1000;
  for (const std::string& text : numbered(many))
    static_cast<void>(ours->send_to(text, slow.address()));
  EXPECT_GT(ours->waiting_sends(), 0U);
  const Future<> sent = ours->send_to("hello", fast.address());
  EXPECT_TRUE(sent.done());
  EXPECT_EQ(fast.receive(), Texts{"hello"});

  const std::size_t calls = platform.calls(Call::sendto);
  pass(500ms);
  EXPECT_LT(platform.calls(Call::sendto) - calls, 30U) << "nor does it keep us busy";
  Texts got;
  const Future<> all = ours->drain();
  EXPECT_TRUE(run_until([&] {
    for (std::string& text : slow.receive()) got.push_back(std::move(text));
    pass(DatagramSocket::kFirstRetry);
    return all.done();
  }));
  for (std::string& text : slow.receive()) got.push_back(std::move(text));
  EXPECT_EQ(got, numbered(many));
}

TEST_F(DatagramSend, AConnectedUnixSocketIsToldWhenItsPeerHasRoom) {
  const RawDatagram theirs(any_unix_name());
  open(connect_datagram_socket(theirs.address()));
  while (ours->waiting_sends() == 0) static_cast<void>(ours->send("x"));
  turn_a_few_times();
  EXPECT_EQ(ours->waiting_sends(), 1U);
  EXPECT_FALSE(theirs.receive().empty());
  EXPECT_TRUE(run_until_done(ours->drain()));
  EXPECT_EQ(theirs.receive(), Texts{"x"});
  EXPECT_EQ(platform.sleeps, 0U) << "no timer was needed";
}

TEST_F(DatagramSend, NoMoreWaitThanTheLimitWhichTheErrorNames) {
  DatagramOptions options;
  options.max_waiting_sends = 2;
  open(options);
  const RawDatagram theirs;
  platform.fail(Call::sendto, EAGAIN);
  static_cast<void>(ours->send_to("1", theirs.address()));
  static_cast<void>(ours->send_to("2", theirs.address()));
  const auto error = failure<LimitError>(ours->send_to("3", theirs.address()));
  ASSERT_TRUE(error);
  EXPECT_NE(std::string(error->what()).find("max_waiting_sends = 2"), std::string::npos);
  EXPECT_TRUE(run_until_done(ours->drain()));
  EXPECT_EQ(theirs.receive(), (Texts{"1", "2"}));
}

TEST_F(DatagramSend, NoMoreBytesWaitThanTheLimitWhichTheErrorNames) {
  DatagramOptions options;
  options.max_waiting_bytes = 10;
  open(options);
  const RawDatagram theirs;
  platform.fail(Call::sendto, EAGAIN);
  static_cast<void>(ours->send_to("123456", theirs.address()));
  const auto error = failure<LimitError>(ours->send_to("78901", theirs.address()));
  ASSERT_TRUE(error);
  EXPECT_NE(std::string(error->what()).find("max_waiting_bytes = 10"), std::string::npos);
  static_cast<void>(ours->send_to("7890", theirs.address()));
  EXPECT_TRUE(run_until_done(ours->drain()));
  EXPECT_EQ(theirs.receive(), (Texts{"123456", "7890"}));
}

TEST_F(DatagramSend, WaitsNoLongerThanItsTimeout) {
  DatagramOptions options;
  options.send_timeout = 2s;
  open(options);
  const RawDatagram theirs;
  platform.fail(Call::sendto, ENOBUFS, FaultyPlatform::kAlways);
  const Future<> sent = ours->send_to("hello", theirs.address());
  pass(2s - 1ms);
  EXPECT_FALSE(sent.done());
  pass(1ms);
  EXPECT_TRUE(failure<TimeoutError>(sent));
  EXPECT_EQ(ours->waiting_sends(), 0U);
  platform.heal(Call::sendto);
  turn_a_few_times();
  EXPECT_EQ(theirs.receive(), Texts());
}

TEST_F(DatagramSend, WhatWaitsLeavesAlsoWhenItsFutureWasGivenUp) {
  open();
  const RawDatagram theirs;
  platform.fail(Call::sendto, EAGAIN);
  Future<> cancelled = ours->send_to("hello", theirs.address());
  EXPECT_TRUE(cancelled.cancel());
  EXPECT_TRUE(run_until_done(ours->drain()));
  EXPECT_EQ(theirs.receive(), Texts{"hello"});
}

TEST_F(DatagramSend, ARefusalOfOneThatWaitsIsItsOwn) {
  open();
  const RawDatagram theirs;
  platform.fail(Call::sendto, EAGAIN);
  platform.fail(Call::sendto, EPERM);
  const Future<> refused = ours->send_to("forbidden", theirs.address());
  const Future<> next = ours->send_to("next", theirs.address());
  EXPECT_TRUE(run_until_done(next));
  EXPECT_EQ(errno_of(refused), EPERM);
  EXPECT_EQ(theirs.receive(), Texts{"next"});
}

TEST_F(DatagramSend, AFailureThatNobodyLooksAtIsNotLogged) {
  open();
  static_cast<void>(ours->send_to(std::string(70'000, 'x'), loopback()));
  EXPECT_TRUE(log.lines().empty());
}

TEST_F(DatagramSend, AConnectedOneNeedsNoAddress) {
  const RawDatagram theirs;
  open(connect_datagram_socket(theirs.address()));
  EXPECT_TRUE(ours->send("hello").done());
  EXPECT_EQ(theirs.receive(), Texts{"hello"});
  open();
  EXPECT_EQ(errno_of(ours->send("hello")), EDESTADDRREQ);
}

TEST_F(DatagramSend, AConnectedUnixSocketHasANameAndIsAnswered) {
  const RawDatagram theirs(any_unix_name());
  open(connect_datagram_socket(theirs.address()));
  EXPECT_FALSE(address.unnamed());
  ASSERT_TRUE(theirs.send("answer", address));
  EXPECT_EQ(receive().bytes, "answer");
}

TEST_F(DatagramSend, ConnectingToNobodyNamesTheAddress) {
  try {
    connect_datagram_socket(SocketAddress::unix_path("/no/such/socket"));
    ADD_FAILURE() << "nothing was thrown";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code().value(), ENOENT);
    EXPECT_NE(std::string(error.what()).find("unix:/no/such/socket"), std::string::npos);
  }
}

// --- What could not be delivered

TEST_F(DatagramUndelivered, IsToldOnceAndTheSocketLives) {
  auto theirs = std::make_unique<RawDatagram>();
  const SocketAddress there = theirs->address();
  open(connect_datagram_socket(there));
  theirs.reset();
  Future<Datagram> next = ours->receive();
  ours->send("anybody?").result();
  EXPECT_TRUE(run_until_done(next));
  EXPECT_EQ(errno_of(next), ECONNREFUSED);
  next = ours->receive();
  turn_a_few_times();
  EXPECT_FALSE(next.done());

  const RawDatagram again(there);
  ours->send("again").result();
  EXPECT_EQ(again.receive(), Texts{"again"});
  again.send("answer", address);
  EXPECT_EQ(result_of(next).bytes, "answer");
}

TEST_F(DatagramUndelivered, WaitsForWhoReceives) {
  auto theirs = std::make_unique<RawDatagram>();
  open(connect_datagram_socket(theirs->address()));
  theirs.reset();
  ours->send("anybody?").result();
  const std::size_t waits = platform.waits;
  turn_a_few_times();
  EXPECT_EQ(platform.waits - waits, 10U);
  EXPECT_EQ(errno_of(ours->receive()), ECONNREFUSED);
  EXPECT_FALSE(ours->receive().done());
}

TEST_F(DatagramUndelivered, CostsTheNextOneNothing) {
  auto theirs = std::make_unique<RawDatagram>();
  const SocketAddress there = theirs->address();
  open(connect_datagram_socket(there));
  theirs.reset();
  ours->send("anybody?").result();
  const RawDatagram again(there);
  ours->send("next").result();
  EXPECT_EQ(again.receive(), Texts{"next"});
  EXPECT_EQ(errno_of(ours->receive()), ECONNREFUSED);
}

TEST_F(DatagramUndelivered, HoldsUpNothingThatWaitsToBeSent) {
  auto theirs = std::make_unique<RawDatagram>();
  const SocketAddress there = theirs->address();
  open(connect_datagram_socket(there));
  theirs.reset();
  ours->send("anybody?").result();
  platform.fail(Call::sendto, EAGAIN);
  const RawDatagram again(there);
  const Future<> sent = ours->send("next");
  EXPECT_TRUE(run_until_done(sent));
  EXPECT_EQ(platform.sleeps, 0U);
  EXPECT_EQ(again.receive(), Texts{"next"});
}

TEST_F(DatagramUndelivered, WhenTheKernelThenRefusesToWatchTheSocketIsClosed) {
  auto theirs = std::make_unique<RawDatagram>();
  open(connect_datagram_socket(theirs->address()));
  theirs.reset();
  platform.fail(Call::epoll_add, ENOSPC);
  ours->send("anybody?").result();
  EXPECT_TRUE(run_until([&] { return ours->closed(); }));
}

// --- The end of receiving

TEST_F(DatagramEnd, BringsWhatHadArrivedAndNothingThatComesLater) {
  open();
  const RawDatagram theirs;
  for (const std::string& text : numbered(150)) theirs.send(text, address);
  ours->end_receiving();
  for (int i = 0; i < 50; ++i) theirs.send("too late", address);
  for (const std::string& text : numbered(150)) EXPECT_EQ(receive().bytes, text);
  const auto end = failure<StreamClosedError>(ours->receive());
  ASSERT_TRUE(end);
  EXPECT_EQ(end->real_error(), nullptr);
  ours->send_to("still here", theirs.address()).result();
  EXPECT_EQ(theirs.receive(), Texts{"still here"});
}

TEST_F(DatagramEnd, IsToldToWhoReceives) {
  open();
  const RawDatagram theirs;
  const Future<Datagram> nothing = ours->receive();
  ours->end_receiving();
  EXPECT_TRUE(failure<StreamClosedError>(nothing));
  open();
  const Future<Datagram> last = ours->receive();
  theirs.send("hello", address);
  ours->end_receiving();
  ASSERT_TRUE(last.done());
  EXPECT_EQ(last.result().bytes, "hello");
  ours->end_receiving();  // again
  EXPECT_TRUE(failure<StreamClosedError>(ours->receive()));
}

TEST_F(DatagramEnd, OfAUnixSocketToo) {
  open(any_unix_name());
  const RawDatagram theirs(any_unix_name());
  theirs.send("hello", address);
  ours->end_receiving();
  theirs.send("too late", address);
  EXPECT_EQ(receive().bytes, "hello");
  EXPECT_TRUE(failure<StreamClosedError>(ours->receive()));
}

TEST_F(DatagramEnd, WithoutFiltersIsWhenNothingIsLeft) {
  open();
  const RawDatagram theirs;
  theirs.send("1", address);
  platform.fail(Call::setsockopt, EPERM);
  ours->end_receiving();
  theirs.send("2", address);
  EXPECT_EQ(receive().bytes, "1");
  EXPECT_EQ(receive().bytes, "2");
  EXPECT_TRUE(failure<StreamClosedError>(ours->receive()));
}

// --- Closing

TEST_F(DatagramClose, FailsAllThatWaitsOnceWithTheReason) {
  open();
  const RawDatagram theirs;
  const Future<Datagram> next = ours->receive();
  platform.fail(Call::sendto, EAGAIN);
  const Future<> sent = ours->send_to("hello", theirs.address());
  const Future<> drained = ours->drain();
  ours->close(std::make_exception_ptr(std::runtime_error("enough")));
  ours->close();
  for (const auto& error : {failure<StreamClosedError>(next), failure<StreamClosedError>(sent)}) {
    ASSERT_TRUE(error);
    EXPECT_TRUE(thrown<std::runtime_error>(error->real_error()));
  }
  EXPECT_TRUE(drained.done());
  EXPECT_TRUE(ours->closed());
  EXPECT_EQ(ours->fileno(), -1);
  turn_a_few_times();
  EXPECT_EQ(theirs.receive(), Texts());
}

TEST_F(DatagramClose, EveryLaterOperationFails) {
  open();
  ours->close();
  EXPECT_TRUE(failure<StreamClosedError>(ours->receive()));
  EXPECT_TRUE(failure<StreamClosedError>(ours->send_to("hello", address)));
  ours->end_receiving();
  EXPECT_TRUE(ours->drain().done());
}

TEST_F(DatagramClose, LeavesWhatWasReceived) {
  open();
  const RawDatagram theirs;
  for (const std::string& text : numbered(3)) theirs.send(text, address);
  EXPECT_EQ(receive().bytes, "0");
  ours->close();
  EXPECT_EQ(receive().bytes, "1");
  EXPECT_EQ(receive().bytes, "2");
  EXPECT_TRUE(failure<StreamClosedError>(ours->receive()));
}

TEST_F(DatagramClose, ByDestroyingItTooAndAlsoWithinATurn) {
  open();
  const RawDatagram theirs;
  const std::size_t before = open_descriptors();
  const Future<Datagram> next = ours->receive();
  theirs.send("hello", address);
  loop.add_callback([this] { ours.reset(); });
  turn_a_few_times();
  EXPECT_TRUE(failure<StreamClosedError>(next));
  EXPECT_EQ(open_descriptors(), before - 1);
}

TEST_F(DatagramClose, AfterTheLoopIsHarmless) {
  std::thread([] {
    auto loop_here = std::make_unique<IOLoop>();
    DatagramSocket socket(datagram_socket_at(loopback()));
    static_cast<void>(socket.send_to("hello", SocketAddress::local_of(socket.fileno())));
    loop_here.reset();
    socket.close();
    EXPECT_EQ(socket.fileno(), -1);
  }).join();
}

// --- A flood, in real time

Future<> take_for_ever(DatagramSocket& socket, std::size_t& taken) {
  for (;;) {
    const Datagram datagram = co_await socket.receive();
    static_cast<void>(socket.send_to(datagram.bytes, datagram.from));
    ++taken;
  }
}

TEST(DatagramFlood, LeavesOthersOnTheLoopTheirTurns) {
  IOLoop loop;
  DatagramSocket socket(datagram_socket_at(loopback()));
  const SocketAddress address = SocketAddress::local_of(socket.fileno());
  std::atomic<bool> enough = false;
  std::thread sender([&] {
    const RawDatagram flood;
    while (!enough) flood.send("x", address);
  });
  std::size_t taken = 0;
  const Future<> taking = take_for_ever(socket, taken);
  const auto sleep_often = [&taken]() -> Future<> {
    for (int i = 0; i < 100 || taken <= 100; ++i) co_await sleep(2ms);
  };
  EXPECT_NO_THROW(loop.run_sync(sleep_often, 20s));
  enough = true;
  sender.join();
  EXPECT_GT(taken, 100U);
}

}  // namespace
}  // namespace eddy
