#include "future_state.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <utility>

#include "errors.h"
#include "log.h"

namespace eddy {

namespace {

// Made once, since a promise may break when no memory is left.
const std::exception_ptr& broken_promise() {
  static const auto& error = *new std::exception_ptr(std::make_exception_ptr(BrokenPromiseError()));
  return error;
}

bool is_cancellation(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const CancelledError&) {
    return true;
  } catch (...) {
    return false;
  }
}

}  // namespace

// A home with its letter box.
class FutureMail final : public FutureHome {
 public:
  static FutureMail& of(FutureHome& home) { return static_cast<FutureMail&>(home); }
  static void end_with_thread();

  void send(FutureState& state, FutureState::Share share);
  void receive();
  void ring_with(Callback ring);
  bool has_mail() const { return mail_waits_.load(std::memory_order_acquire); }
  long thread() const { return thread_; }

 private:
  struct AtThreadExit {
    ~AtThreadExit();
  };
  void put(FutureState& state, FutureState::Share share);
  void drop_all(std::unique_lock<std::mutex>& lock);
  void settle_estate(std::unique_lock<std::mutex>& lock);

  const long thread_ = ::syscall(SYS_gettid);
  std::mutex mutex_;  // guards what follows
  FutureState* mail_ = nullptr;
  Callback ring_;
  bool thread_ended_ = false;
  bool dropping_ = false;  // one at a time, and without the lock: destructors do anything
  std::atomic<bool> mail_waits_{false};
};

thread_local constinit FutureHome* this_thread_home = nullptr;

void FutureMail::end_with_thread() {
  static thread_local AtThreadExit at_thread_exit;
  static_cast<void>(at_thread_exit);
}

FutureHome& make_future_home() {
  if (!this_thread_home) {
    broken_promise();
    this_thread_home = new FutureMail;
    FutureMail::end_with_thread();
  }
  return *this_thread_home;
}

// The thread is gone: its last states are dropped by whoever holds them.
FutureMail::AtThreadExit::~AtThreadExit() {
  FutureMail& home = of(*std::exchange(this_thread_home, nullptr));
  std::unique_lock lock(home.mutex_);
  home.thread_ended_ = true;
  home.settle_estate(lock);
}

void FutureMail::send(FutureState& state, FutureState::Share share) {
  std::unique_lock lock(mutex_);
  const bool first = !mail_;
  put(state, share);
  if (thread_ended_) return settle_estate(lock);
  mail_waits_.store(true, std::memory_order_release);
  if (first && ring_) ring_();
}

void FutureMail::put(FutureState& state, FutureState::Share share) {
  if (state.mailed_ == 0) state.next_mailed_ = std::exchange(mail_, &state);
  state.mailed_ += static_cast<std::uint32_t>(share);
}

void FutureMail::receive() {
  std::unique_lock lock(mutex_);
  mail_waits_.store(false, std::memory_order_relaxed);
  drop_all(lock);
}

void FutureMail::drop_all(std::unique_lock<std::mutex>& lock) {
  while (FutureState* state = mail_) {
    mail_ = state->next_mailed_;
    const std::uint32_t shares = std::exchange(state->mailed_, 0);
    lock.unlock();
    state->drop_mailed(shares);
    lock.lock();
  }
}

// Who comes while another one drops leaves it to that one.
void FutureMail::settle_estate(std::unique_lock<std::mutex>& lock) {
  if (dropping_) return;
  dropping_ = true;
  drop_all(lock);
  dropping_ = false;
  const bool last = states == 0;
  lock.unlock();
  if (last) delete this;
}

void FutureMail::ring_with(Callback ring) {
  const std::lock_guard lock(mutex_);
  ring_ = std::move(ring);
}

void receive_dropped_futures() {
  if (!this_thread_home) return;
  FutureMail& mail = FutureMail::of(*this_thread_home);
  if (mail.has_mail()) mail.receive();
}

void ring_for_dropped_futures(Callback ring) {
  FutureMail::of(make_future_home()).ring_with(std::move(ring));
}

void FutureState::log_if_nobody_looked() const noexcept {
  if (is_cancellation(exception_)) return;  // it failed nobody: it was ended
  log::error("exception that nobody looked at: ", exception_, " (", what_, " at ", where_.file(),
             ":", where_.line(), ")");
}

const std::exception_ptr& FutureState::exception() const {
  looked_at_ = true;
  return exception_;
}

void FutureState::set_exception(std::exception_ptr exception) {
  if (!exception) throw InvalidStateError("set_exception: no exception is given");
  if (cancelled_) return;
  check_pending("set_exception");
  fail(std::move(exception));
}

bool FutureState::cancel() {
  check_thread("Future::cancel");
  if (done()) return false;
  if (producer_ && producer_->cancelled(*this)) return true;
  if (done()) return true;
  Producer* const producer = producer_;
  std::exception_ptr error = std::make_exception_ptr(CancelledError());
  retain_future();    // a waiter that is told may drop the last one
  cancelled_ = true;  // what the producer sets from now on is ignored
  fail(std::move(error));
  if (producer) producer->abandoned(*this);
  drop_future();
  return true;
}

void FutureState::fail(std::exception_ptr exception) {
  exception_ = std::move(exception);
  finish(Status::failed);
}

void FutureState::tell_waiters() {
  while (!waiters_.empty()) waiters_.pop_front().future_done();
}

void FutureState::drop_waiters() {  // nobody will ever set it
  while (!waiters_.empty()) waiters_.pop_front().dropped();
}

void FutureState::last_future_dropped() {
  if (!promised_) {
    dispose();
  } else if (Producer* producer = std::exchange(producer_, nullptr)) {
    producer->abandoned(*this);  // it may drop the promise, and us with it
  }
}

void FutureState::drop_promise() {
  if (futures_ == 0) {
    dispose();
    return;
  }
  if (!done()) {
    ++futures_;  // a waiter that is told may drop the last Future
    fail(broken_promise());
    --futures_;
  }
  promised_ = false;
  if (futures_ == 0) dispose();
}

void FutureState::drop_mailed(std::uint32_t shares) {
  constexpr auto kFuture = static_cast<std::uint32_t>(Share::future);
  const bool promise = shares % kFuture != 0;
  for (; shares >= kFuture; shares -= kFuture) drop_future();
  if (promise) drop_promise();
}

void FutureState::send_home(Share share) { FutureMail::of(home_).send(*this, share); }

void FutureState::refuse_thread(const char* call) const {
  throw WrongThreadError(call, FutureMail::of(home_).thread(), ::syscall(SYS_gettid));
}

void FutureState::refuse_second(const char* call) const {
  throw InvalidStateError(std::string(call) + ": the Future is done already (" + what_ + " at " +
                          where_.file() + ":" + std::to_string(where_.line()) + ")");
}

}  // namespace eddy
