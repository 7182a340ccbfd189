// The socket's receiving, its events and its end. Sending has a file of its own.

#include "datagram_socket.h"

#include <linux/filter.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "../loop/run_logged.h"
#include "datagram_batch.h"
#include "io_stream.h"
#include "stream_errors.h"

namespace eddy {

DatagramSocket::DatagramSocket(UniqueFd socket, const DatagramOptions& options)
    : loop_(IOLoop::current()),
      options_(options),
      socket_(std::move(socket)),
      family_(SocketAddress::local_of(fileno()).family()) {
  const int on = 1;  // where the kernel does not count its drops, none are told of
  loop_.platform().setsockopt(fileno(), SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on);
  loop_.add_handler(fileno(), kNone, *this);
}

Future<Datagram> DatagramSocket::receive(Location where) {
  loop_.check_thread("DatagramSocket::receive");
  if (receiving())
    return make_failed_future<Datagram>(std::make_exception_ptr(AlreadyReadingError()), "receive",
                                        where);
  if (ended_ && !closed_ && arrived_.empty()) take_in();  // no event tells that nothing is left
  receive_promise_ = Promise<Datagram>("receive", where);
  Future<Datagram> future = receive_promise_.future();
  give();
  if (receiving()) {
    receive_promise_.state()->set_producer(this);
    watch(watched_ | kRead);
  }
  return future;
}

// The filter lets nothing in, and leaves alone what is in. Where there are no filters, the end is
// when the kernel's queue is found empty.
void DatagramSocket::end_receiving() {
  loop_.check_thread("DatagramSocket::end_receiving");
  if (closed_ || ended_) return;
  ended_ = true;
  sock_filter refuse_all = BPF_STMT(BPF_RET | BPF_K, 0);
  const sock_fprog program{.len = 1, .filter = &refuse_all};
  loop_.platform().setsockopt(fileno(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
  if (!receiving()) return;
  take_in();
  give();
}

// What finds no memory here is lost, as if the kernel had dropped it.
void DatagramSocket::handle_events(std::uint32_t events) {
  run_logged("Exception in a datagram socket: ", [&] {
    if (events & kError) handle_error_event();
    if (!closed_ && (events & kRead)) handle_read_event();
    if (!closed_ && (events & kWrite)) send_waiting();
  });
}

// Unlike a connection's, it is not the end: but who was told of an error is told of nothing more.
void DatagramSocket::handle_error_event() {
  told_of(pending_error());
  try {
    loop_.remove_handler(fileno());
    loop_.add_handler(fileno(), watched_, *this);
  } catch (const std::system_error&) {  // such as ENOSPC: no epoll watch is left for this user
    close(std::current_exception());
  }
}

void DatagramSocket::handle_read_event() {
  if (!receiving()) return watch(watched_ & ~kRead);
  take_in();
  give();
}

// All that the kernel holds, or as much as a turn may bring.
void DatagramSocket::take_in() {
  DatagramBatch& batch = DatagramBatch::of_this_thread();
  std::size_t datagrams = 0;
  std::size_t bytes = 0;
  bool more = true;
  while (more && datagrams < kDatagramsPerTurn && bytes < kBytesPerTurn) {
    const int count = batch.receive(loop_.platform(), fileno(), options_.max_datagram_size);
    if (count < 0) return told_of(errno == EAGAIN ? 0 : errno);
    for (int index = 0; index < count; ++index) bytes += take_one(batch, index);
    datagrams += static_cast<std::size_t>(count);
    more = batch.full(count);
  }
  loop_.count_read(bytes);
}

std::size_t DatagramSocket::take_one(const DatagramBatch& batch, int index) {
  if (const auto count = batch.drops_before(index)) {
    kernel_drops_ += *count - std::exchange(last_drop_count_, *count);  // it may wrap around
  }
  return arrived_.emplace_back(batch.datagram(index)).bytes.size();
}

// To who receives: what has arrived, or what went wrong, or that nothing will come any more.
void DatagramSocket::give() {
  if (!receiving()) return;
  if (arrived_.empty() && !undelivered_ && !closed_ && !ended_) return;
  Promise<Datagram> promise = std::move(receive_promise_);
  if (!arrived_.empty()) {
    promise.set_result(std::move(arrived_.front()));
    arrived_.pop_front();
  } else if (undelivered_) {
    promise.set_exception(std::exchange(undelivered_, nullptr));
  } else {
    promise.set_exception(closed_error());
  }
}

void DatagramSocket::told_of(int error_number) {
  if (error_number == 0) return;
  undelivered_ = std::make_exception_ptr(
      std::system_error(error_number, std::generic_category(), "an earlier datagram"));
  give();
}

int DatagramSocket::pending_error() {
  int error_number = 0;
  socklen_t size = sizeof error_number;
  loop_.platform().getsockopt(fileno(), SOL_SOCKET, SO_ERROR, &error_number, &size);
  return error_number;
}

void DatagramSocket::abandoned(FutureState&) {
  const Promise<Datagram> given_up = std::move(receive_promise_);
}

void DatagramSocket::watch(std::uint32_t events) {
  if (events == watched_) return;
  loop_.update_handler(fileno(), events);
  watched_ = events;
}

void DatagramSocket::close(std::exception_ptr error) {
  if (closed_) return;
  closed_ = true;
  error_ = std::move(error);
  if (!IOLoop::current_or_null()) return socket_.reset();  // it went, and took every waiter along
  loop_.check_thread("DatagramSocket::close");
  loop_.remove_handler(fileno());
  stop_timer();
  socket_.reset();
  give();
  fail_all_that_waits();
}

void DatagramSocket::fail_all_that_waits() {
  const std::exception_ptr reason = closed_error();
  for (Waiting& one : waiting_) settle(one, reason);
  waiting_.clear();
  nobody_waits();
}

std::exception_ptr DatagramSocket::closed_error() const {
  return std::make_exception_ptr(StreamClosedError(error_));
}

UniqueFd connect_datagram_socket(const SocketAddress& peer) {
  Platform& platform = Platform::current();
  UniqueFd socket = open_socket(peer.family(), SOCK_DGRAM);
  const SocketAddress some_name{};  // the kernel finds one that is free
  const bool named = peer.family() != AF_UNIX ||
                     platform.bind(socket.get(), some_name.get(), some_name.size()) == 0;
  if (!named || platform.connect(socket.get(), peer.get(), peer.size()) < 0)
    throw std::system_error(errno, std::generic_category(), "connect to " + peer.to_string());
  return socket;
}

}  // namespace eddy
