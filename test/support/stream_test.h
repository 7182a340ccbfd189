// StreamTest: a stream, ours, and what a test does at the other end, theirs.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <eddy/loop/gen.h>
#include <eddy/loop/io_loop.h>
#include <eddy/stream/io_stream.h>

#include "counting_platform.h"
#include "descriptors.h"
#include "log_capture.h"

namespace eddy {

// The other end of a connection, by plain system calls that no Platform sees.
class Peer {
 public:
  Peer() = default;
  explicit Peer(UniqueFd socket) : socket_(std::move(socket)) {}

  int fd() const { return socket_.get(); }
  std::size_t send(std::string_view bytes) const {  // how many the kernel took
    const ssize_t count = ::send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return count < 0 ? 0 : static_cast<std::size_t>(count);
  }
  std::string receive(std::size_t most = SIZE_MAX) {  // what is there now
    std::string all;
    char block[65536];
    while (all.size() < most) {
      const std::size_t room = std::min(sizeof block, most - all.size());
      const ssize_t count = ::recv(fd(), block, room, MSG_DONTWAIT);
      at_end_ = at_end_ || count == 0;
      was_reset_ = was_reset_ || (count < 0 && errno == ECONNRESET);
      if (count <= 0) break;
      all.append(block, static_cast<std::size_t>(count));
    }
    return all;
  }
  bool at_end() const { return at_end_; }  // the last receive() saw the end
  bool was_reset() const { return was_reset_; }
  void end() const { ::shutdown(fd(), SHUT_WR); }
  void close() { socket_.reset(); }
  void reset() {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
  }

 private:
  UniqueFd socket_;
  bool at_end_ = false;
  bool was_reset_ = false;
};

class StreamTest : public ::testing::Test {
 public:
  CountingPlatform platform;
  ScopedPlatform installed{platform};
  LogCapture log;
  IOLoop loop;
  Peer theirs;
  std::unique_ptr<IOStream> ours;

  // A Unix pair: what one end does, the other sees at once.
  void open(const StreamLimits& limits = {}) {
    SocketPair pair;
    ours = std::make_unique<IOStream>(std::move(pair.ours), limits);
    theirs = Peer(std::move(pair.theirs));
  }
  // A TCP connection over the loopback, for what only TCP does: a reset, urgent bytes.
  void open_tcp(const StreamLimits& limits = {}) {
    const UniqueFd listener = listen_on_loopback();
    const SocketAddress address = SocketAddress::local_of(listener.get());
    UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    check(::connect(client.get(), address.get(), address.size()));
    const int accepted = ::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    check(accepted);
    ours = std::make_unique<IOStream>(UniqueFd(accepted), limits);
    theirs = Peer(std::move(client));
  }
  static UniqueFd listen_on_loopback() {
    UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const SocketAddress any = SocketAddress::parse("127.0.0.1", 0).value();
    check(::bind(listener.get(), any.get(), any.size()));
    check(::listen(listener.get(), 16));
    return listener;
  }

  // Turns the loop until the condition holds; false, and a failure, when it never does.
  template <class Condition>
  bool run_until(Condition condition) {
    const auto bound = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > bound) {
        ADD_FAILURE() << "what the test waits for does not happen";
        return false;
      }
      loop.turn(std::chrono::milliseconds(100));
    }
    return true;
  }
  void run_turns(int turns = 5) {  // enough for all that is under way, without waiting
    for (int turn = 0; turn < turns; ++turn) loop.turn();
  }

  template <class T>
  T result_of(Future<T> future) {
    run_until([&] { return future.done(); });
    return future.result();
  }
  void finish(Future<> future) {
    run_until([&] { return future.done(); });
    future.result();
  }

  // The failure of the Future, when it is an E.
  template <class E, class T>
  std::optional<E> failure(Future<T> future) {
    run_until([&] { return future.done(); });
    return thrown<E>(future.exception());
  }
  // StreamClosedError, and behind it an E.
  template <class E, class T>
  std::optional<E> closed_by(Future<T> future) {
    const auto closed = failure<StreamClosedError>(std::move(future));
    return closed ? thrown<E>(closed->real_error()) : std::nullopt;
  }
  template <class T>
  bool closed_orderly(Future<T> future) {
    const auto closed = failure<StreamClosedError>(std::move(future));
    return closed && !closed->real_error();
  }
  template <class T>
  int closed_by_errno(Future<T> future) {
    const auto closed = failure<StreamClosedError>(std::move(future));
    return closed ? closed->error_number() : 0;
  }

  template <class E>
  static std::optional<E> thrown(const std::exception_ptr& error) {
    if (!error) return std::nullopt;
    try {
      std::rethrow_exception(error);
    } catch (const E& expected) {
      return expected;
    } catch (...) {
      return std::nullopt;
    }
  }

  // Fills what the kernel holds for the peer, who does not read, so that writes wait here.
  std::size_t stall() {
    std::size_t written = 0;
    const std::string block(256 << 10, '.');
    while (!ours->writing()) {
      static_cast<void>(ours->write(block));
      written += block.size();
    }
    return written;
  }

 private:
  static void check(int answer) {
    if (answer < 0) throw std::system_error(errno, std::generic_category(), "loopback");
  }
};

}  // namespace eddy
