// run_sync: a whole program in one call: starts the loop, runs one coroutine, stops.
//
// Mirrors tornado.ioloop.IOLoop.run_sync.
#pragma once

#include "io_loop.h"

namespace eddy {
namespace detail {

// One run_sync, on its caller's stack: in the loop's queue, then in line at the Future; and in
// neither any more once the call is over, however it ends.
template <class F>
class SyncRun final : public FutureWaiter {
 public:
  SyncRun(IOLoop& loop, F& function, Duration timeout) : loop_(loop), function_(function) {
    if (timeout != Duration::max()) timer_ = loop.call_later(timeout, [this] { time_is_up(); });
    loop.queue().add(*this);
  }
  ~SyncRun() { loop_.remove_timeout(timer_); }
  SyncRun(const SyncRun&) = delete;
  SyncRun& operator=(const SyncRun&) = delete;

  auto result() {
    if (failure_) std::rethrow_exception(failure_);
    if (!begun_ || !future_.done())
      throw InvalidStateError("run_sync: the event loop stopped before the Future completed");
    try {
      if constexpr (std::is_void_v<decltype(future_.result())>)
        future_.result();
      else
        return future_.state()->take();
    } catch (const CancelledError&) {
      if (timed_out_) throw TimeoutError("run_sync: the operation timed out");
      throw;
    }
  }

 private:
  void run() override {
    try {
      future_ = function_();
      begun_ = true;
      if (future_.state() && !future_.done()) future_.state()->begin_wait();
      if (future_.state() && !future_.done()) return future_.state()->add_waiter(*this);
    } catch (...) {
      failure_ = std::current_exception();
    }
    loop_.stop();
  }
  void future_done() override { loop_.stop(); }
  void time_is_up() { timed_out_ = future_.cancel(); }

  IOLoop& loop_;
  F& function_;
  std::invoke_result_t<F&> future_;
  std::exception_ptr failure_;
  IOLoop::Timeout timer_;
  bool begun_ = false;
  bool timed_out_ = false;
};

}  // namespace detail

// `function` returns a Future. Gives its result or throws its failure; TimeoutError when `timeout`
// passed first (the coroutine is cancelled, and waited for); InvalidStateError when somebody else
// stopped the loop, and the coroutine then ends.
template <class F>
auto IOLoop::run_sync(F function, Duration timeout) {
  static_assert(detail::is_future<std::invoke_result_t<F&>>,
                "run_sync wants a function that returns a Future");
  check_thread("IOLoop::run_sync");
  detail::SyncRun<F> run(*this, function, timeout);
  start();
  return run.result();
}

}  // namespace eddy
