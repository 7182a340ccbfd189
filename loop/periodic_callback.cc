#include "periodic_callback.h"

#include <random>
#include <stdexcept>

#include "log.h"

namespace eddy {

PeriodicCallback::PeriodicCallback(Duration period, Function callback, double jitter)
    : period_(period),
      callback_(std::move(callback)),
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
  if (call_.done()) schedule();  // else when the call of an earlier start() is over
}

void PeriodicCallback::stop() {
  running_ = false;
  loop_.remove_timeout(timer_);
}

// From the schedule, not from the end of the call; what passed meanwhile is skipped.
void PeriodicCallback::schedule() {
  const Duration step = interval();
  const TimePoint now = loop_.time();
  next_ += step;
  if (next_ <= now) {
    const auto missed = (now - next_) / step + 1;
    next_ += missed * step;
    skipped_ += static_cast<std::size_t>(missed);
  }
  timer_ = loop_.call_at(next_, [this] { call(); });
}

void PeriodicCallback::call() {
  try {
    call_ = callback_();
  } catch (...) {
    log::error("Exception in periodic callback: ", std::current_exception());
  }
  call_.done() ? future_done() : call_.state()->add_waiter(*this);
}

void PeriodicCallback::future_done() {
  if (call_.exception()) log::error("Exception in periodic callback: ", call_.exception());
  call_ = Future<>();
  if (running_) schedule();
}

Duration PeriodicCallback::interval() {
  if (jitter_ == 0) return period_;
  static thread_local std::minstd_rand random{std::random_device{}()};
  const double part = std::uniform_real_distribution<>(-0.5, 0.5)(random);
  return to_duration(std::chrono::duration<double, std::nano>(
      static_cast<double>(period_.count()) * (1 + jitter_ * part)));
}

}  // namespace eddy
