// The stream's reading side: what is buffered becomes what was asked for.

#include <stdexcept>

#include "../loop/log.h"
#include "base_io_stream.h"
#include "read_result.h"

namespace eddy {

inline void BaseIOStream::end_read() {
  read_.kind = ReadCondition::Kind::none;
  if (read_.regex) read_.regex.reset();
  if (rare_) stop(rare_->regex_timer);
}

// When no memory is found, no read has begun and no byte is lost.
template <class SetCondition>
Future<std::string> BaseIOStream::start_read(const char* what, Location where,
                                             SetCondition set_condition) {
  check_thread("IOStream::read");
  if (reading())
    return make_failed_future<std::string>(std::make_exception_ptr(AlreadyReadingError()), what,
                                           where);
  try {
    set_condition();
    if (const std::size_t end = buffered_end(); end != kNotYet)
      return give_at_once(end, what, where);
    read_promise_ = Promise<std::string>(new ReadResult(what, where));
  } catch (const std::invalid_argument&) {
    return make_failed_future<std::string>(std::current_exception(), what, where);
  } catch (...) {
    end_read();
    throw;
  }
  read_promise_.state()->set_producer(this);
  Future<std::string> future = read_promise_.future();
  or_close([this] { try_inline_read(); });
  return future;
}

// Where the read ends in what is buffered; kNotYet also if too much is there.
std::size_t BaseIOStream::buffered_end() {
  const std::size_t end = find_end(read_, read_buffer_.view(), closed_ || eof_);
  return passes_limit(read_, read_buffer_.size(), end) ? kNotYet : end;
}

// Nothing needs to be promised: the common case when a peer sends faster than we read. The budget
// hears of it with the last of what is buffered, or when more comes.
Future<std::string> BaseIOStream::give_at_once(std::size_t end, const char* what, Location where) {
  Future<std::string> future = ReadResult::make(what, where, read_buffer_.view().substr(0, end));
  read_buffer_.consume(end);
  end_read();
  if (read_buffer_.empty()) or_close([this] { took_from_buffer(); });
  return future;
}

Future<std::string> BaseIOStream::read_until(std::string_view delimiter, std::size_t max_bytes,
                                             OnLimit on_limit, Location where) {
  check_thread("IOStream::read");
  if (!reading() && delimiter.size() == 1) {  // most lines are there, and end with one byte
    const std::size_t end = find_end(read_buffer_.view(), delimiter.front());
    if (end < kNotYet && end <= max_bytes) return give_at_once(end, "read_until", where);
  }
  return start_read("read_until", where, [&] { read_.set_until(delimiter, max_bytes, on_limit); });
}

Future<std::string> BaseIOStream::read_until_regex(std::string_view pattern, std::size_t max_bytes,
                                                   OnLimit on_limit, Location where) {
  return start_read("read_until_regex", where,
                    [&] { read_.set_until_regex(pattern, max_bytes, on_limit); });
}

Future<std::string> BaseIOStream::read_bytes(std::size_t count, bool partial, Location where) {
  if (count > limits_->max_buffer_size && !partial)
    return make_failed_future<std::string>(
        std::make_exception_ptr(StreamBufferFullError(
            "read_bytes(" + std::to_string(count) +
            "): more than max_buffer_size = " + std::to_string(limits_->max_buffer_size))),
        "read_bytes", where);
  return start_read("read_bytes", where, [&] { read_.set_bytes(count, partial); });
}

Future<std::string> BaseIOStream::read_until_close(Location where) {
  return start_read("read_until_close", where, [&] { read_.set_until_close(); });
}

Future<std::size_t> BaseIOStream::read_into(std::span<char> memory, bool partial, Location where) {
  check_thread("IOStream::read_into");
  if (reading())
    return make_failed_future<std::size_t>(std::make_exception_ptr(AlreadyReadingError()),
                                           "read_into", where);
  rare().read_into = std::make_unique<ReadInto>("read_into", where, memory);
  read_.set_bytes(memory.size(), partial);
  ReadInto& into = *read_into();
  into.promise.state()->set_producer(this);
  Future<std::size_t> future = into.promise.future();
  into.filled = read_buffer_.view().copy(memory.data(), memory.size());
  read_buffer_.consume(into.filled);
  or_close([this] { try_inline_read(); });
  return future;
}

// In this order: what is buffered serves even when the stream is closed; then what the kernel
// holds; only then the loop is asked to watch.
void BaseIOStream::try_inline_read() {
  if (satisfy_from_buffer(closed_ || eof_)) return;
  if (closed_ || eof_) return finish_read_at_close();
  if (connecting_) return;
  if (!kernel_drained_) return read_from_kernel();
  read_buffer_.shrink_to_fit();
  want(kRead);
}

bool BaseIOStream::satisfy_from_buffer(bool last) {
  if (!reading()) return true;
  if (const ReadInto* into = read_into()) {
    if (find_end(read_, {into->memory.data(), into->filled}, last) == kNotYet) return false;
    complete_read(into->filled);
    return true;
  }
  // Trail 5: find_end sees the line whole
  const std::size_t end = find_end(read_, read_buffer_.view(), last);
  if (passes_limit(read_, read_buffer_.size(), end)) {
    pass_read_limit();
    return true;
  }
  if (end == kNotYet) return false;
  complete_read(end);
  return true;
}

void BaseIOStream::complete_read(std::size_t end) {
  if (read_into()) {
    end_read();
    const std::unique_ptr<ReadInto> done = std::move(rare_->read_into);
    done->promise.set_result(end);
    return took_from_buffer();
  }
  // May find no memory: nothing is lost yet.
  std::string bytes = ReadResult::copy(read_buffer_.view().substr(0, end));
  end_read();
  Promise<std::string> promise = std::move(read_promise_);
  read_buffer_.consume(end);
  promise.set_result(std::move(bytes));  // Trail 6: the promise queues its waiter
  took_from_buffer();
}

void BaseIOStream::took_from_buffer() {
  report_buffered();
  watch_for_end();
  close_if_over();
}

void BaseIOStream::pass_read_limit() {
  const auto error = std::make_exception_ptr(UnsatisfiableReadError(limit_text(read_)));
  if (read_.on_limit == OnLimit::keep_open) return fail_read(error);
  if (closed_) return fail_read(std::make_exception_ptr(StreamClosedError(error)));
  log::info("closing a stream: ", limit_text(read_));
  close_over_limit(error);
}

// The streams together hold too much, and this one most of all.
void BaseIOStream::evict(std::exception_ptr error) {
  close_over_limit(std::move(error));
  read_buffer_.clear();  // it is the memory that is wanted back
}

// What is buffered may not serve the pending read any more: its limit is what we close for.
void BaseIOStream::close_over_limit(std::exception_ptr error) {
  let_read_fail();
  close(std::move(error));
}

void BaseIOStream::let_read_fail() {
  if (reading()) read_.set_bytes(SIZE_MAX, false);
}

void BaseIOStream::fail_read(const std::exception_ptr& error) {
  give_back_read();
  const Promise<std::string> promise = std::move(read_promise_);
  const std::unique_ptr<ReadInto> into = read_into() ? std::move(rare_->read_into) : nullptr;
  FutureState& state = into ? static_cast<FutureState&>(*into->promise.state()) : *promise.state();
  state.forgive();  // a read that nobody waits for any more has failed nobody
  state.set_exception(error);
}

// The last chance of a pending read: what is buffered may be enough after all.
void BaseIOStream::finish_read_at_close() noexcept {
  try {
    if (!reading() || satisfy_from_buffer(true)) return;
    if (read_.kind == ReadCondition::Kind::close) return complete_read(read_buffer_.size());
    fail_read(closed_error());
  } catch (...) {  // no memory for the result
    if (reading()) fail_read(std::current_exception());
  }
}

// No read is pending any more; what it had put into its owner's memory is the next one's.
void BaseIOStream::give_back_read() noexcept {
  end_read();
  or_close([this] {
    if (const ReadInto* into = read_into())
      read_buffer_.append({into->memory.data(), into->filled});
    report_buffered();
  });
}

void BaseIOStream::abandoned(FutureState&) {
  give_back_read();
  const Promise<std::string> given_up = std::move(read_promise_);
  if (rare_) rare_->read_into.reset();
}

bool BaseIOStream::cancelled(FutureState&) {
  fail_read(std::make_exception_ptr(CancelledError()));
  return true;
}

}  // namespace eddy
