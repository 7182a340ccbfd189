#include "periodic_callback.h"

#include <random>
#include <stdexcept>

#include "log.h"
#include "run_logged.h"

namespace eddy {

PeriodicCallback::PeriodicCallback(Duration period, Function callback, double jitter)
    : period_(period),
      callback_(std::make_shared<Function>(std::move(callback))),
      jitter_(jitter),
      loop_(IOLoop::current()) {
  if (period <= Duration::zero())
    throw std::invalid_argument("PeriodicCallback: the period must be positive");
  if (!(jitter >= 0 && jitter < 1))
    throw std::invalid_argument("PeriodicCallback: the jitter must be at least 0 and below 1");
}

void PeriodicCallback::start() {
  if (running_) return;
  running_ = true;
  next_ = loop_.time();
  if (!calling_) schedule();  // else when the call is over, which an earlier start() began
}

void PeriodicCallback::stop() {
  running_ = false;
  loop_.remove_timeout(timer_);
}

// From the schedule, not from the end of the call; what passed meanwhile is skipped.
void PeriodicCallback::schedule() {
  const Duration step = interval();
  const TimePoint now = loop_.time();
  next_ = after(next_, step);
  if (next_ <= now) {
    const auto missed = (now - next_) / step + 1;
    next_ += missed * step;
    skipped_ += static_cast<std::size_t>(missed);
  }
  timer_ = loop_.call_at(next_, [this] { call(); });
}

void PeriodicCallback::call() {
  const std::shared_ptr<Function> callback = callback_;
  Future<> call;
  calling_ = true;
  run_logged("Exception in periodic callback: ", [&] { call = (*callback)(); });
  if (callback.use_count() == 1) return;  // it destroyed us, and so its own call ends here
  call_ = std::move(call);
  if (!call_.done()) call_.state()->begin_wait();
  call_.done() ? future_done() : call_.state()->add_waiter(*this);
}

void PeriodicCallback::future_done() {
  if (call_.exception()) log::error("Exception in periodic callback: ", call_.exception());
  call_ = Future<>();
  calling_ = false;
  if (running_) run_logged("PeriodicCallback stops: ", [this] { schedule(); });
}

Duration PeriodicCallback::interval() {
  if (jitter_ == 0) return period_;
  static thread_local std::random_device random;  // which has no state that a fork would copy
  const double part = std::uniform_real_distribution<>(-0.5, 0.5)(random);
  return to_duration(std::chrono::duration<double, std::nano>(static_cast<double>(period_.count()) *
                                                              (1 + jitter_ * part)));
}

}  // namespace eddy
