// The templates of io_loop.h, which includes this.
#pragma once

#include "await.h"
#include "coroutine_set.h"
#include "log.h"
#include "run_logged.h"

namespace eddy {
namespace detail {

template <class T>
inline constexpr bool is_future = false;
template <class T>
inline constexpr bool is_future<Future<T>> = true;

// The function lives in the coroutine's frame, where a lambda's own coroutine finds its captures.
template <class F>
Future<> run_to_end(F function) {
  co_await function();
}

// What returns a Future is watched by the loop; what returns anything else is called as it is.
template <class F>
auto watched(F&& function) {
  using Function = std::decay_t<F>;
  if constexpr (is_future<std::invoke_result_t<Function&>>) {
    return [function = Function(std::forward<F>(function))]() mutable {
      if constexpr (std::is_empty_v<Function> || std::is_pointer_v<Function>)
        IOLoop::current().spawn(function());
      else
        IOLoop::current().spawn(run_to_end(std::move(function)));
    };
  } else {
    return Function(std::forward<F>(function));
  }
}

// A user's callback in line at a Future, then in the loop's queue.
template <class T, class F>
class DoneCallback final : public FutureWaiter, public Pooled {
  static constexpr bool kLooks = std::is_invocable_v<F&, Future<T>&>;

 public:
  DoneCallback(Future<T> future, F callback, bool keeps_going) : callback_(std::move(callback)) {
    state_ = future.state();
    if (keeps_going || !state_) future_ = std::move(future);
  }

  void wait() {
    if (!state_ || state_->done()) {
      future_done();
    } else {
      state_->begin_wait();
      if (state_->done()) return future_done();
      kLooks ? state_->add_waiter(*this) : state_->add_onlooker(*this);
    }
  }
  void future_done() override {
    if (state_) {
      future_ = Future<T>(state_);  // from here on the callback holds it
      if (kLooks) state_->forgive();
    }
    IOLoop* loop = IOLoop::current_or_null();
    loop ? loop->queue().add(*this) : dropped();
  }
  void run() override {
    run_logged("Exception in callback: ", [this] {
      if constexpr (kLooks)
        callback_(future_);
      else
        callback_();
    });
    delete this;
  }
  void dropped() override { delete this; }

 private:
  F callback_;
  Future<T> future_;
  FutureStateOf<T>* state_;
};

}  // namespace detail

template <class T>
template <class F>
void Future<T>::add_done_callback(F callback) const {
  if (state_) state_->check_thread("Future::add_done_callback");
  (new detail::DoneCallback<T, F>(*this, std::move(callback), false))->wait();
}

template <class F>
bool IOLoop::add_callback(F&& callback) {
  // By a door of the call's own: the callback may have ended the loop before this one is back.
  if (current_ != this) return door().add_callback(detail::watched(std::forward<F>(callback)));
  if (!closed_) callbacks_.add(detail::watched(std::forward<F>(callback)));
  return !closed_;
}

template <class F>
void IOLoop::spawn(F&& what) {
  check_thread("IOLoop::spawn");
  if constexpr (detail::is_future<std::decay_t<F>>) {
    if (!closed_) spawned().add(std::forward<F>(what));
  } else {
    add_callback(std::forward<F>(what));
  }
}

template <class F>
IOLoop::Timeout IOLoop::call_at(TimePoint when, F&& callback) {
  check_thread("IOLoop::call_at");
  return timers_.add(when, detail::watched(std::forward<F>(callback)));
}

template <class T, class F>
void IOLoop::add_future(Future<T> future, F callback) {
  check_thread("IOLoop::add_future");
  if (future.state()) future.state()->check_thread("IOLoop::add_future");
  (new detail::DoneCallback<T, F>(std::move(future), std::move(callback), true))->wait();
}

}  // namespace eddy
