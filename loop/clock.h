// Time as the loop knows it: CLOCK_MONOTONIC, in nanoseconds.
//
// Mirrors the deadlines of tornado.ioloop.IOLoop.add_timeout: an absolute time on the loop's
// clock, or a duration from now. Durations of any unit and of floating point are taken; what does
// not fit in 63 bits saturates, so that "in a thousand years" means never and not long ago.
#pragma once

#include <chrono>
#include <cmath>
#include <limits>
#include <ratio>
#include <stdexcept>
#include <type_traits>

namespace eddy {

using Clock = std::chrono::steady_clock;
using Duration = std::chrono::nanoseconds;
using TimePoint = std::chrono::time_point<Clock, Duration>;

// Any chrono duration in nanoseconds, rounded up (a timer is never early), saturating.
// Throws std::invalid_argument for NaN.
template <class Rep, class Period>
Duration to_duration(std::chrono::duration<Rep, Period> value) {
  if constexpr (std::is_floating_point_v<Rep>) {
    const double count = std::chrono::duration<double, std::nano>(value).count();
    if (std::isnan(count)) throw std::invalid_argument("a duration that is not a number");
    if (count >= 9.2e18) return Duration::max();
    if (count <= -9.2e18) return Duration::min();
    return Duration(static_cast<Duration::rep>(std::ceil(count)));
  } else if constexpr (std::is_integral_v<Rep> && std::is_signed_v<Rep> &&
                       std::ratio_divide<Period, std::nano>::den == 1) {
    constexpr Duration::rep kEach = std::ratio_divide<Period, std::nano>::num;
    const Duration::rep count = value.count();
    if (count > Duration::max().count() / kEach) return Duration::max();
    if (count < Duration::min().count() / kEach) return Duration::min();
    return Duration(count * kEach);
  } else {
    using Wide = std::chrono::duration<long double, std::nano>;
    const long double count = Wide(value).count();
    if (count >= static_cast<long double>(Duration::max().count())) return Duration::max();
    if (count <= static_cast<long double>(Duration::min().count())) return Duration::min();
    return std::chrono::ceil<Duration>(value);
  }
}

inline Duration to_duration(Duration value) { return value; }

// `delay` after `from`; an instant beyond the clock's range is its last one, and what should have
// been before `from` is due now.
inline TimePoint after(TimePoint from, Duration delay) {
  if (delay.count() <= 0) return from;
  const bool beyond = from.time_since_epoch().count() > 0 && delay > TimePoint::max() - from;
  return beyond ? TimePoint::max() : from + delay;
}

}  // namespace eddy
