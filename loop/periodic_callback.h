// PeriodicCallback: a callback at the same interval, again and again.
//
// Mirrors tornado.ioloop.PeriodicCallback. The times are multiples of the period after start(), so
// that it keeps its phase: a call that takes too long makes it skip, not lag or hurry. A callback
// that returns a Future is waited for.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <type_traits>

#include "io_loop.h"

namespace eddy {

class PeriodicCallback final : private FutureWaiter {
 public:
  // Throws std::invalid_argument unless the period is positive and 0 <= jitter < 1: each interval
  // is then period * (1 + jitter * (random - 0.5)).
  template <class Rep, class Period, class F>
  PeriodicCallback(std::chrono::duration<Rep, Period> period, F callback, double jitter = 0)
      : PeriodicCallback(to_duration(period), as_coroutine(std::move(callback)), jitter) {}
  ~PeriodicCallback() { stop(); }
  PeriodicCallback(const PeriodicCallback&) = delete;
  PeriodicCallback& operator=(const PeriodicCallback&) = delete;

  void start();  // the first call comes one period later; harmless while it runs
  void stop();   // also from the callback, which may even destroy this; start() begins a new phase
  bool is_running() const { return running_; }
  std::size_t skipped() const { return skipped_; }  // how many times passed without a call

 private:
  using Function = std::function<Future<>()>;
  PeriodicCallback(Duration period, Function callback, double jitter);

  template <class F>
  static Function as_coroutine(F callback) {
    if constexpr (std::is_same_v<std::invoke_result_t<F&>, Future<>>)
      return callback;
    else
      return [callback = std::move(callback)]() mutable {
        callback();
        return Future<>();
      };
  }
  void schedule();
  void call();
  void future_done() override;  // the call's, when it is a coroutine
  Duration interval();

  const Duration period_;
  const std::shared_ptr<Function> callback_;  // shared with its own call, which may outlive us
  const double jitter_;
  IOLoop& loop_;
  TimePoint next_;
  IOLoop::Timeout timer_;
  Future<> call_;  // the one under way
  bool calling_ = false;
  bool running_ = false;
  std::size_t skipped_ = 0;
};

}  // namespace eddy
