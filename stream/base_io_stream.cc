// The stream's events, and its end. Reading and writing have files of their own.

#include "base_io_stream.h"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "../loop/log.h"
#include "../loop/run_logged.h"

namespace eddy {

// Waits in the loop's queue, after the reads that were completed before the close.
class BaseIOStream::CloseNotice final : public Runnable {
 public:
  explicit CloseNotice(Callback callback) : callback_(std::move(callback)) {}
  void run() override {
    Callback callback = std::move(callback_);  // it may destroy the stream, and us
    run_logged("Exception in close callback: ", callback);
  }

 private:
  Callback callback_;
};

BaseIOStream::BaseIOStream(SharedLimits limits)
    : loop_(IOLoop::current()), limits_(std::move(limits)) {}

BaseIOStream::~BaseIOStream() = default;

BaseIOStream::Rare& BaseIOStream::rare() {
  if (!rare_) rare_ = std::make_unique<Rare>();
  return *rare_;
}

void BaseIOStream::handle_events(std::uint32_t events) {
  or_close([&] {
    if (connecting_) return handle_connect();
    if (events & kRead) handle_read_event();
    if (!closed_ && (events & kWrite)) flush();
    if (!closed_ && (events & kError)) handle_error_event();
  });
}

// Out of memory, as a rule. An event that is not taken in comes again at once, and for ever.
void BaseIOStream::close_for_exception() noexcept {
  const std::exception_ptr error = std::current_exception();
  run_logged("Exception in a stream, which is closed: ", [&] { std::rethrow_exception(error); });
  close(error);
}

// A read that nobody waits for any more left its interest behind: it is given up only now, when
// it would cost something, for most conversations read again at once.
void BaseIOStream::handle_read_event() {
  kernel_drained_ = false;
  if (reading() || (awaits_close() && read_buffer_.empty())) return read_from_kernel();
  wanted_ &= static_cast<std::uint8_t>(~kRead);
  loop_.update_handler(fileno(), wanted_);
}

// The connection is over in both directions. What arrived before is still worth having.
void BaseIOStream::handle_error_event() {
  const int error_number = fd_error();
  const ssize_t last = read_the_rest();
  if (closed_) return;
  if (error_number != 0) return connection_failed(error_number, "connection");
  if (last > 0) return step_out();  // the buffer is full: the rest is fetched when somebody reads
  if (last < 0) return connection_failed(last == -EAGAIN ? EIO : static_cast<int>(-last), "events");
  reached_eof();
  close();
}

void BaseIOStream::connection_failed(int error_number, const char* what) {
  if (!is_connection_reset(error_number) && error_number != EBADF)
    log::warning("closing a stream: ", std::string_view(what), ": ",
                 std::generic_category().message(error_number));
  close(std::make_exception_ptr(std::system_error(error_number, std::generic_category(), what)));
}

void BaseIOStream::hand_close_callback_to(BaseIOStream& successor) {
  if (awaits_close()) successor.rare().close_notice = std::move(rare_->close_notice);
}

void BaseIOStream::step_out() {
  if (registered_) loop_.remove_handler(fileno());
  registered_ = false;
  wanted_ = kNone;
}

void BaseIOStream::want(std::uint32_t events) {
  if (connecting_ || closed_) return;  // what it takes to connect is all that is watched meanwhile
  if (events & kRead) read_waits();
  watch(wanted_ | events);
}

void BaseIOStream::watch(std::uint32_t events) {
  const auto wanted = static_cast<std::uint8_t>(events);
  if (registered_ && wanted == wanted_) return;
  try {
    if (registered_)
      loop_.update_handler(fileno(), wanted);
    else
      loop_.add_handler(fileno(), wanted, *this);
  } catch (const std::system_error&) {  // such as ENOSPC: no epoll watch is left for this user
    return close(std::current_exception());
  }
  wanted_ = wanted;
  registered_ = true;
}

void BaseIOStream::end_connecting() {
  connecting_ = false;
  flush();
  if (reading()) return try_inline_read();
  if (!closed_) watch_for_end();
}

void BaseIOStream::read_on() {
  if (wanted_ & kRead) or_close([this] { handle_read_event(); });
}

void BaseIOStream::close(std::exception_ptr error) {
  if (closed_) return;
  if (!IOLoop::current_or_null()) {  // the loop went before us, and took every waiter along
    closed_ = true;
    close_fd();
    return report_buffered();
  }
  check_thread("IOStream::close");
  closed_ = true;
  error_ = std::move(error);
  step_out();
  close_fd();
  TurnEnd::unlink();
  write_buffer_.clear();
  finish_read_at_close();
  const std::exception_ptr reason = closed_error();
  fail_connect(reason);
  WriteQueue::fail(reason);
  report_buffered();
  if (rare_) close_rare(*rare_, reason);
}

void BaseIOStream::close_rare(Rare& rare, const std::exception_ptr& reason) {
  stop(rare.stall_timer);
  for (Promise<>* waiting : {&rare.drain, &rare.writable, &rare.shutdown}) {
    if (!*waiting) continue;
    const Promise<> failed = std::move(*waiting);
    failed.state()->forgive();
    failed.state()->set_exception(reason);
  }
  if (rare.wait_closed) std::exchange(rare.wait_closed, Promise<>(nullptr)).set_result();
  if (rare.close_notice) loop_.queue().add(*rare.close_notice);
}

void BaseIOStream::set_close_callback(Callback callback) {
  check_thread("IOStream::set_close_callback");
  std::unique_ptr<CloseNotice>& notice = rare().close_notice;
  notice.reset();
  if (!callback) return;
  notice = std::make_unique<CloseNotice>(std::move(callback));
  if (closed_) return loop_.queue().add(*notice);
  watch_for_end();
  close_if_over();
}

// Who wants to hear of the close wants to hear of the peer's end, also while nobody reads.
void BaseIOStream::watch_for_end() {
  if (awaits_close() && !closed_ && !eof_ && !reading() && read_buffer_.empty()) want(kRead);
}

Future<> BaseIOStream::wait_closed(Location where) {
  check_thread("IOStream::wait_closed");
  if (closed_) return {};
  watch(wanted_);  // a reset is reported to whoever is registered, whatever it watches
  if (closed_) return {};
  return shared_promise(rare().wait_closed, "wait_closed", where);
}

std::size_t BaseIOStream::available() {
  const std::size_t waiting = closed_ ? 0 : arrived();
  return read_buffer_.size() + waiting;
}

std::size_t BaseIOStream::arrived() {
  return static_cast<std::size_t>(std::max(loop_.platform().bytes_waiting(fileno()), 0));
}

// Both sides have ended, or the peer's has and nobody is left who would read or write.
void BaseIOStream::close_if_over() {
  if (closed_ || !eof_ || writing()) return;
  if (shutdown_done_ || (awaits_close() && !reading() && read_buffer_.empty())) close();
}

void BaseIOStream::stop(IOLoop::Timeout& timer) {
  if (timer.serial != 0 && IOLoop::current_or_null()) loop_.remove_timeout(timer);
  timer = {};
}

std::exception_ptr BaseIOStream::closed_error() const noexcept {
  try {
    return std::make_exception_ptr(StreamClosedError(error_));
  } catch (...) {  // no memory for its words
    return std::current_exception();
  }
}

// One for all who ask for the same, while it is pending: it is done when somebody cancelled it.
Future<> BaseIOStream::shared_promise(Promise<>& promise, const char* what, Location where) {
  if (!promise || promise.done()) promise = Promise<>(what, where);
  return promise.future();
}

void BaseIOStream::count_held(std::size_t bytes) {
  if (bytes == 0 && !rare_) return;
  rare().held = bytes;
  or_close([this] { report_buffered(); });
}

void BaseIOStream::report_buffered() {
  if (!limits_->budget) return;
  const std::size_t held = rare_ ? rare_->held : 0;
  const std::size_t bytes = closed_ ? 0 : read_buffer_.size() + write_buffer_.size() + held;
  limits_->budget->update(*this, budget_share_, bytes);
}

}  // namespace eddy
