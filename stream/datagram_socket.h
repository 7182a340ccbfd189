// DatagramSocket: messages that arrive whole, or not at all: UDP, and Unix datagrams.
//
// Mirrors asyncio.DatagramTransport and DatagramProtocol, by Futures alone; Tornado has none. One
// receive at a time, any number of sends. Whatever goes wrong comes through the operation's Future,
// and the socket lives on. A receive that is given up, by cancel() or by dropping its Future,
// leaves every datagram to the next one.
//
// Nothing is taken from the kernel unless somebody receives: who sends too fast fills the kernel's
// queue, and what it drops then is counted. What the kernel has no room to send waits here, within
// limits. Belongs to the thread of its loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <string>
#include <string_view>

#include "../loop/future.h"
#include "../loop/io_loop.h"
#include "../loop/unique_fd.h"
#include "datagram.h"

namespace eddy {

class DatagramBatch;

struct DatagramOptions {
  std::size_t max_datagram_size = 64 << 10;  // bytes; what is longer arrives truncated
  // What waits for room in the kernel. A send beyond either fails with LimitError, and what waits
  // already keeps its place.
  std::size_t max_waiting_sends = 1024;
  std::size_t max_waiting_bytes = 4 << 20;
  Duration send_timeout = std::chrono::seconds(1);  // waits longer: TimeoutError
};

class DatagramSocket : private EventHandler, private Producer {
 public:
  static constexpr std::size_t kDatagramsPerTurn = 128;  // then others on the loop have their turn
  static constexpr std::size_t kBytesPerTurn = IOLoop::kBytesPerTurn;
  static constexpr Duration kFirstRetry = std::chrono::milliseconds(1);
  static constexpr Duration kLastRetry = std::chrono::milliseconds(32);

  // The socket must be non-blocking, as open_socket() and bind_datagram_sockets() make it. Throws
  // std::system_error when the kernel refuses to watch it.
  explicit DatagramSocket(UniqueFd socket, const DatagramOptions& options = {});
  ~DatagramSocket() override { close(); }
  DatagramSocket(const DatagramSocket&) = delete;
  DatagramSocket& operator=(const DatagramSocket&) = delete;

  // The next datagram. Fails with AlreadyReadingError; with std::system_error when an earlier send
  // could not be delivered (ECONNREFUSED, told once); with StreamClosedError at the end.
  Future<Datagram> receive(Location where = Location::current());
  // Nothing that reaches the machine from now on is taken in. What is there already is received
  // still, and then receive() fails with StreamClosedError.
  void end_receiving();

  // Done when the kernel has taken the datagram. Fails with std::system_error, such as EMSGSIZE,
  // whose text names the size and the address (EDESTADDRREQ when it is unnamed), and with
  // LimitError, TimeoutError or StreamClosedError. What waits leaves also when nobody holds its
  // Future, and what goes to one address, in order.
  Future<> send_to(std::string_view bytes, const SocketAddress& to,
                   Location where = Location::current());
  Future<> send(std::string_view bytes, Location where = Location::current());  // when connected
  Future<> drain(Location where = Location::current());  // done when no send waits any more

  // Closes now: pending Futures fail, what was received already stays. Harmless when repeated.
  void close(std::exception_ptr error = nullptr);

  bool closed() const { return closed_; }
  std::size_t kernel_drops() const { return kernel_drops_; }  // before the last one that arrived
  std::size_t waiting_sends() const { return waiting_.size(); }
  IOLoop& loop() const { return loop_; }
  int fileno() const { return socket_.get(); }  // -1 once closed

 private:
  struct Waiting {
    std::string bytes;
    SocketAddress to;  // unnamed: to whom it is connected
    TimePoint deadline;
    Promise<> promise;
  };

  // Receiving, and the end: datagram_socket.cc.
  bool receiving() const { return static_cast<bool>(receive_promise_); }
  void handle_events(std::uint32_t events) override;
  void handle_error_event();
  void handle_read_event();
  void take_in();
  std::size_t take_one(const DatagramBatch& batch, int index);
  void give();
  void told_of(int error_number);
  int pending_error();
  void abandoned(FutureState& state) override;
  void watch(std::uint32_t events);
  std::exception_ptr closed_error() const;
  void fail_all_that_waits();

  // Sending: datagram_socket_send.cc.
  Future<> send_or_wait(std::string_view bytes, const SocketAddress& to, Location where);
  bool stands_behind_others(const SocketAddress& to) const;
  Future<> wait_in_line(std::string_view bytes, const SocketAddress& to, Location where);
  int try_to_send(std::string_view bytes, const SocketAddress& to);
  bool kernel_tells_of_room(int error_number, const SocketAddress& to) const;
  void send_waiting();
  void give_up_overdue();
  void settle(Waiting& one, const std::exception_ptr& failure);
  void set_timer();
  void stop_timer();
  void nobody_waits();

  IOLoop& loop_;
  const DatagramOptions options_;
  UniqueFd socket_;
  const int family_;
  std::uint32_t watched_ = kNone;
  bool ended_ = false;  // receiving
  bool closed_ = false;
  std::exception_ptr error_;  // why it closed

  std::deque<Datagram> arrived_;  // of one turn, at most
  Promise<Datagram> receive_promise_{nullptr};
  std::exception_ptr undelivered_;  // nobody was told of it yet
  std::uint32_t last_drop_count_ = 0;
  std::size_t kernel_drops_ = 0;

  std::deque<Waiting> waiting_;
  std::size_t waiting_bytes_ = 0;
  Promise<> drain_promise_{nullptr};
  IOLoop::Timeout timer_;    // while any waits
  bool asks_again_ = false;  // the kernel does not tell when there is room
  Duration retry_delay_ = kFirstRetry;
};

// A socket that sends to the peer, and receives from it alone; a Unix one gets a name, so that it
// can be answered. Throws std::system_error naming the address.
UniqueFd connect_datagram_socket(const SocketAddress& peer);

}  // namespace eddy
