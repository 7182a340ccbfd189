#include "future_state.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <utility>
#include <vector>

#include "errors.h"
#include "log.h"

namespace eddy {

class FutureHome {
 public:
  static FutureHome* of_this_thread();

  void adopt() { ++states_; }
  void forget() { --states_; }  // under the lock once the thread has ended
  void send(FutureState& state, FutureState::Share share);
  void receive();
  bool has_mail() const { return mail_waits_.load(std::memory_order_relaxed); }
  long thread() const { return thread_; }

 private:
  struct AtThreadExit {
    ~AtThreadExit();
  };
  static void drop(FutureState& state, FutureState::Share share);

  const long thread_ = ::syscall(SYS_gettid);
  std::size_t states_ = 0;
  std::mutex mutex_;  // guards what follows
  std::vector<std::pair<FutureState*, FutureState::Share>> mail_;
  bool thread_ended_ = false;
  std::atomic<bool> mail_waits_{false};
};

thread_local constinit FutureHome* this_thread_home = nullptr;

FutureHome* FutureHome::of_this_thread() {
  if (!this_thread_home) {
    this_thread_home = new FutureHome;
    static thread_local AtThreadExit at_thread_exit;
    static_cast<void>(at_thread_exit);
  }
  return this_thread_home;
}

// The thread is gone: its last states are dropped by whoever holds them, one at a time.
FutureHome::AtThreadExit::~AtThreadExit() {
  FutureHome* home = std::exchange(this_thread_home, nullptr);
  bool last = false;
  {
    const std::lock_guard lock(home->mutex_);
    home->thread_ended_ = true;
    const auto mail = std::exchange(home->mail_, {});
    this_thread_home = home;
    for (const auto& [state, share] : mail) drop(*state, share);
    this_thread_home = nullptr;
    last = home->states_ == 0;
  }
  if (last) delete home;
}

void FutureHome::drop(FutureState& state, FutureState::Share share) {
  share == FutureState::Share::future ? state.drop_future() : state.drop_promise();
}

void FutureHome::send(FutureState& state, FutureState::Share share) {
  bool last = false;
  {
    const std::lock_guard lock(mutex_);
    if (!thread_ended_) {
      mail_.emplace_back(&state, share);
      mail_waits_.store(true, std::memory_order_relaxed);
      return;
    }
    FutureHome* mine = std::exchange(this_thread_home, this);
    drop(state, share);
    this_thread_home = mine;
    last = states_ == 0;
  }
  if (last) delete this;
}

void FutureHome::receive() {
  std::vector<std::pair<FutureState*, FutureState::Share>> mail;
  {
    const std::lock_guard lock(mutex_);
    mail.swap(mail_);
    mail_waits_.store(false, std::memory_order_relaxed);
  }
  for (const auto& [state, share] : mail) drop(*state, share);
}

void receive_dropped_futures() {
  if (this_thread_home && this_thread_home->has_mail()) this_thread_home->receive();
}

FutureState::FutureState(const char* what, Location where)
    : home_(this_thread_home ? this_thread_home : FutureHome::of_this_thread()),
      what_(what),
      where_(where) {
  home_->adopt();
}

FutureState::~FutureState() {
  while (!waiters_.empty()) waiters_.pop_front().dropped();  // nobody will ever set it
  home_->forget();
  if (failed() && !looked_at_)
    log::error("exception that nobody looked at: ", exception_, " (", what_, " at ", where_.file,
               ":", where_.line, ")");
}

const std::exception_ptr& FutureState::exception() const {
  looked_at_ = true;
  return exception_;
}

void FutureState::set_exception(std::exception_ptr exception) {
  if (cancelled_) return;
  check_pending("set_exception");
  exception_ = std::move(exception);
  finish(Status::failed);
}

bool FutureState::cancel() {
  check_thread("Future::cancel");
  if (done()) return false;
  if (producer_ && producer_->cancelled(*this)) return true;
  if (done()) return true;
  looked_at_ = true;  // whoever cancels knows
  set_exception(std::make_exception_ptr(CancelledError()));
  cancelled_ = true;  // what the producer sets from now on is ignored
  return true;
}

void FutureState::finish(Status status) {
  status_ = status;
  producer_ = nullptr;
  while (!waiters_.empty()) waiters_.pop_front().future_done();
}

void FutureState::drop_future() {
  if (--futures_ > 0) return;
  if (!promised_) {
    delete this;
  } else if (Producer* producer = std::exchange(producer_, nullptr)) {
    producer->abandoned(*this);  // it may drop the promise, and us with it
  }
}

void FutureState::drop_promise() {
  if (futures_ == 0) {
    delete this;
    return;
  }
  if (!done()) {
    ++futures_;  // a waiter that is told may drop the last Future
    set_exception(std::make_exception_ptr(BrokenPromiseError()));
    --futures_;
  }
  promised_ = false;
  if (futures_ == 0) delete this;
}

void FutureState::send_home(Share share) { home_->send(*this, share); }

void FutureState::refuse_thread(const char* call) const {
  throw WrongThreadError(call, home_->thread(), ::syscall(SYS_gettid));
}

void FutureState::refuse_second(const char* call) const {
  throw InvalidStateError(std::string(call) + ": the Future is done already (" + what_ + " at " +
                          where_.file + ":" + std::to_string(where_.line) + ")");
}

}  // namespace eddy
