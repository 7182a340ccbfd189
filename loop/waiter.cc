#include "waiter.h"

#include <cstdint>
#include <stdexcept>
#include <string>

namespace eddy {

void Waiter::begin(std::unique_ptr<Waiter> waiter, Until until) {
  Waiter& waiting = *waiter;
  if (until.for_ever()) {
    static_cast<void>(waiter.release());
    return;
  }
  IOLoop& loop = IOLoop::current();
  waiting.timer_ =
      loop.call_at(until.deadline(), [owned = std::move(waiter)] { owned->time_is_up(); });
  waiting.loop_ = &loop;
}

void Waiter::leave() {
  unlink();
  if (loop_)
    loop_->remove_timeout(timer_);
  else
    delete this;
}

TimeoutError timed_out(const char* what) {
  return TimeoutError{std::string("timed out waiting for ") + what};
}

void check_not_negative(std::size_t number, const char* name) {
  if (number > PTRDIFF_MAX) throw std::invalid_argument(std::string(name) + " is negative");
}

}  // namespace eddy
