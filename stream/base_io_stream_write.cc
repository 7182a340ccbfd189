// The stream's writing side.

#include <cerrno>

#include "../loop/log.h"
#include "base_io_stream.h"

namespace eddy {

Future<> BaseIOStream::write(std::string_view data, Location where) {
  check_thread("IOStream::write");
  if (closed_ || shutdown_asked_) return refused("write", where);
  if (data.size() > limits_->max_write_buffer_size - write_buffer_.size())
    return make_failed_future<void>(std::make_exception_ptr(StreamBufferFullError(
                                        "write buffer full: max_write_buffer_size = " +
                                        std::to_string(limits_->max_write_buffer_size))),
                                    "write", where);
  if (data.empty()) return WriteQueue::add(0, where);
  if (data.size() >= kFlushAt && !writing() && !connecting_) return write_through(data, where);
  char* const place = write_buffer_.prepare(data.size());  // no memory: then nothing is queued
  Future<> future = WriteQueue::add(data.size(), where);
  write_buffer_.commit(data.copy(place, data.size()));
  if (blocked())
    or_close([this] { count_what_waits(); });
  else if (write_buffer_.size() >= kFlushAt)
    flush();
  else if (!TurnEnd::linked())
    loop_.at_turn_end(*this);  // Trail 10: the reply is written, and leaves with the turn's others
  return future;
}

// What would be flushed at once need not be copied first.
Future<> BaseIOStream::write_through(std::string_view data, Location where) {
  Future<> future = WriteQueue::add(data.size(), where);
  or_close([this, data] {
    const std::size_t taken = send(data);
    if (closed_) return;
    write_buffer_.append(data.substr(taken));
    WriteQueue::sent(taken);
    after_flush();
  });
  return future;
}

// A write's failure is seldom looked at, since the next read tells of it too: no log of it either.
Future<> BaseIOStream::refused(const char* what, Location where) const {
  Future<> failed = make_failed_future<void>(closed_error(), what, where);
  failed.state()->forgive();
  return failed;
}

void BaseIOStream::flush() {
  or_close([this] { send_what_waits(); });
}

void BaseIOStream::send_what_waits() {
  if (closed_ || connecting_) return;
  if (writing()) {
    const std::size_t taken = send(write_buffer_.view());
    if (closed_) return;
    write_buffer_.consume(taken);
    WriteQueue::sent(taken);  // Trail 12: the write's Future asks for the next line
  }
  after_flush();
}

// How many of the bytes the kernel took. Closes the stream when the connection has failed.
std::size_t BaseIOStream::send(std::string_view data) {
  ssize_t count = 0;
  do {
    count = write_to_fd(data.data(), data.size());  // Trail 11: the socket drains
  } while (count < 0 && errno == EINTR);
  if (count >= 0) return static_cast<std::size_t>(count);
  if (errno != EAGAIN && errno != EWOULDBLOCK) connection_failed(errno, "write");
  return 0;
}

void BaseIOStream::after_flush() {
  if (!write_buffer_.empty()) {
    want(kWrite);
  } else if (wanted_ & kWrite) {
    wanted_ &= static_cast<std::uint8_t>(~kWrite);
    loop_.update_handler(fileno(), wanted_);
  }
  if (closed_) return;
  if (rare_ && rare_->drain && write_buffer_.size() <= limits_->high_water_mark / 2)
    std::exchange(rare_->drain, Promise<>(nullptr)).set_result();
  if (rare_ && rare_->writable && !writing())
    std::exchange(rare_->writable, Promise<>(nullptr)).set_result();
  count_what_waits();
  if (closed_) return;
  if (shutdown_asked_ && !shutdown_done_ && write_buffer_.empty()) finish_shutdown();
  close_if_over();
}

Future<> BaseIOStream::drain_slowly(Location where) {
  if (!closed_ && above_high_water() && !blocked()) flush();
  if (closed_) return refused("drain", where);
  if (!above_high_water()) return {};
  return shared_promise(rare().drain, "drain", where);
}

Future<> BaseIOStream::wait_writable(Location where) {
  if (closed_) return refused("wait_writable", where);
  Future<> future = shared_promise(rare().writable, "wait_writable", where);
  or_close([this] {
    want(kWrite);
    if (!closed_) watch_for_stall();
  });
  return future;
}

void BaseIOStream::count_what_waits() {
  watch_for_stall();
  report_buffered();  // may evict us
}

void BaseIOStream::watch_for_stall() {
  const bool above = above_high_water() || (rare_ && rare_->writable);
  if (limits_->write_stall_timeout == Duration::max() || above == stalling_) return;
  stalling_ = above;
  stop(rare().stall_timer);
  if (!above) return;
  rare_->stalls_at = after(loop_.time(), limits_->write_stall_timeout);
  rare_->stall_timer = loop_.call_at(rare_->stalls_at, [this] {
    rare_->stall_timer = {};
    or_close([this] { close_for_stall(); });
  });
}

void BaseIOStream::close_for_stall() {
  const std::string reason = "the peer does not read: above high_water_mark = " +
                             std::to_string(limits_->high_water_mark) +
                             " for longer than write_stall_timeout";
  log::info("closing a stream: ", reason);
  if (limits_->budget) limits_->budget->count_stalled();
  close(std::make_exception_ptr(WriteStalledError(reason)));
}

Future<> BaseIOStream::shutdown_write(Location where) {
  check_thread("IOStream::shutdown_write");
  if (shutdown_done_) return {};
  if (closed_) return refused("shutdown_write", where);
  Future<> future = shared_promise(rare().shutdown, "shutdown_write", where);
  shutdown_asked_ = true;
  flush();
  return future;
}

void BaseIOStream::finish_shutdown() {
  if (!say_goodbye()) return want(kWrite);
  shutdown_done_ = true;
  std::exchange(rare_->shutdown, Promise<>(nullptr)).set_result();  // first: a pipe's end closes us
  shutdown_fd();
}

}  // namespace eddy
