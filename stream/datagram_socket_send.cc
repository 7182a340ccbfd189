// The socket's sending side.

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>
#include <vector>

#include "datagram_socket.h"
#include "stream_errors.h"

namespace eddy {
namespace {

bool out_of_room(int error_number) { return error_number == EAGAIN || error_number == ENOBUFS; }

std::exception_ptr failure(int error_number, std::size_t size, const SocketAddress& to) {
  const std::string whom = to.unnamed() ? std::string() : " to " + to.to_string();
  return std::make_exception_ptr(std::system_error(
      error_number, std::generic_category(), "send " + std::to_string(size) + " bytes" + whom));
}

// Seldom looked at, since a datagram may be lost anywhere: no log of it.
Future<> refused(std::exception_ptr error, Location where) {
  Future<> failed = make_failed_future<void>(std::move(error), "send", where);
  failed.state()->forgive();
  return failed;
}

}  // namespace

Future<> DatagramSocket::send_to(std::string_view bytes, const SocketAddress& to, Location where) {
  if (to.unnamed()) return refused(failure(EDESTADDRREQ, bytes.size(), to), where);
  return send_or_wait(bytes, to, where);
}

Future<> DatagramSocket::send(std::string_view bytes, Location where) {
  return send_or_wait(bytes, {}, where);
}

Future<> DatagramSocket::send_or_wait(std::string_view bytes, const SocketAddress& to,
                                      Location where) {
  loop_.check_thread("DatagramSocket::send");
  if (closed_) return refused(closed_error(), where);
  if (stands_behind_others(to)) return wait_in_line(bytes, to, where);
  const int error_number = try_to_send(bytes, to);
  if (error_number == 0) return {};
  if (!out_of_room(error_number)) return refused(failure(error_number, bytes.size(), to), where);
  Future<> future = wait_in_line(bytes, to, where);
  if (future.done()) return future;  // refused
  if (kernel_tells_of_room(error_number, to)) {
    watch(watched_ | kWrite);
  } else if (!std::exchange(asks_again_, true)) {
    set_timer();
  }
  return future;
}

// A full Unix socket of somebody's is no other peer's affair; a full network is everybody's.
bool DatagramSocket::stands_behind_others(const SocketAddress& to) const {
  if (family_ != AF_UNIX) return !waiting_.empty();
  return std::any_of(waiting_.begin(), waiting_.end(),
                     [&](const Waiting& one) { return one.to == to; });
}

Future<> DatagramSocket::wait_in_line(std::string_view bytes, const SocketAddress& to,
                                      Location where) {
  if (waiting_.size() >= options_.max_waiting_sends)
    return refused(
        std::make_exception_ptr(LimitError("datagrams wait to be sent: max_waiting_sends = " +
                                           std::to_string(options_.max_waiting_sends))),
        where);
  if (bytes.size() > options_.max_waiting_bytes - waiting_bytes_)
    return refused(
        std::make_exception_ptr(LimitError("datagrams wait to be sent: max_waiting_bytes = " +
                                           std::to_string(options_.max_waiting_bytes))),
        where);
  const TimePoint deadline = after(loop_.time(), options_.send_timeout);
  waiting_.push_back({std::string(bytes), to, deadline, Promise<>("send", where)});
  waiting_bytes_ += bytes.size();
  Promise<>& promise = waiting_.back().promise;
  promise.state()->forgive();
  if (waiting_.size() == 1) set_timer();
  return promise.future();
}

// What the kernel says of it: 0, or an errno. That an earlier one found nobody is who receives to
// hear; this one has not left yet.
int DatagramSocket::try_to_send(std::string_view bytes, const SocketAddress& to) {
  const sockaddr* address = to.unnamed() ? nullptr : to.get();
  const socklen_t size = to.unnamed() ? 0 : to.size();
  for (bool again = false;; again = true) {
    ssize_t sent = 0;
    do {
      sent = loop_.platform().sendto(fileno(), bytes.data(), bytes.size(), address, size);
    } while (sent < 0 && errno == EINTR);
    if (sent >= 0) return 0;
    if (again || errno != ECONNREFUSED || family_ == AF_UNIX) return errno;
    told_of(errno);
  }
}

// Of a Unix socket to which it is not connected it says nothing, and of its own memory neither.
bool DatagramSocket::kernel_tells_of_room(int error_number, const SocketAddress& to) const {
  return error_number == EAGAIN && (family_ != AF_UNIX || to.unnamed());
}

void DatagramSocket::send_waiting() {
  give_up_overdue();
  const std::size_t before = waiting_.size();
  std::vector<SocketAddress> full;  // Unix peers, and all that goes to them waits
  bool all_wait = false;
  bool told = false;
  asks_again_ = false;
  std::erase_if(waiting_, [&](Waiting& one) {
    if (all_wait || std::find(full.begin(), full.end(), one.to) != full.end()) return false;
    const int error_number = try_to_send(one.bytes, one.to);
    if (out_of_room(error_number)) {
      (kernel_tells_of_room(error_number, one.to) ? told : asks_again_) = true;
      all_wait = family_ != AF_UNIX;
      full.push_back(one.to);
      return false;
    }
    settle(one, error_number == 0 ? nullptr : failure(error_number, one.bytes.size(), one.to));
    return true;
  });
  const bool moved = waiting_.size() < before;
  retry_delay_ = moved ? kFirstRetry : std::min(2 * retry_delay_, kLastRetry);
  watch(told ? watched_ | kWrite : watched_ & ~kWrite);
  waiting_.empty() ? nobody_waits() : set_timer();
}

void DatagramSocket::give_up_overdue() {
  const TimePoint now = loop_.time();
  while (!waiting_.empty() && waiting_.front().deadline <= now) {
    settle(waiting_.front(),
           std::make_exception_ptr(TimeoutError("a datagram waited longer than send_timeout")));
    waiting_.pop_front();
  }
}

void DatagramSocket::settle(Waiting& one, const std::exception_ptr& failure) {
  waiting_bytes_ -= one.bytes.size();
  if (failure)
    one.promise.set_exception(failure);
  else
    one.promise.set_result();
}

// For the first that is overdue, or to see whether there is room.
void DatagramSocket::set_timer() {
  stop_timer();
  const TimePoint overdue = waiting_.front().deadline;
  const TimePoint again = after(loop_.time(), retry_delay_);
  timer_ = loop_.call_at(asks_again_ ? std::min(overdue, again) : overdue, [this] {
    timer_ = {};
    send_waiting();
  });
}

void DatagramSocket::stop_timer() {
  if (timer_.serial != 0) loop_.remove_timeout(std::exchange(timer_, {}));
}

void DatagramSocket::nobody_waits() {
  stop_timer();
  if (drain_promise_) std::exchange(drain_promise_, Promise<>(nullptr)).set_result();
}

Future<> DatagramSocket::drain(Location where) {
  loop_.check_thread("DatagramSocket::drain");
  if (waiting_.empty()) return {};
  if (!drain_promise_ || drain_promise_.done()) drain_promise_ = Promise<>("drain", where);
  return drain_promise_.future();
}

}  // namespace eddy
