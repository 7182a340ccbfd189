// timers: to start, cancel and fire a timer while many others wait, due at random within an
// hour.
//
// A library is a class that is made for so many timers, each with a number, and has these words:
// start(number, delay), cancel(number), after_cancelling(), and run_due(), which fires what is due
// and ends when kBatch have called fired().
//
// Each iteration takes the next kBatch timers, far from each other in memory, cancels them and
// starts them anew. What is measured is one of these parts, or the firing of as many.
#pragma once

#include <chrono>
#include <random>

#include "micro.h"

namespace micro {

using Milliseconds = std::chrono::milliseconds;

enum class TimerPart { start, cancel, fire };

inline int timers_fired = 0;  // in this iteration
inline void fired() { ++timers_fired; }

template <class Library>
class WaitingTimers {
 public:
  explicit WaitingTimers(std::size_t size)
      : heap_before_(heap_bytes()), size_(size), library_(size) {
    for (std::size_t number = 0; number < size; ++number) library_.start(number, far_away());
    bytes_each_ = static_cast<double>(heap_bytes() - heap_before_) / static_cast<double>(size);
  }
  double bytes_each() const { return bytes_each_; }

  void cancel_batch() {
    for (int i = 0; i < kBatch; ++i) library_.cancel(number(i));
    library_.after_cancelling();
  }
  void start_batch() {
    for (int i = 0; i < kBatch; ++i) library_.start(number(i), far_away());
  }
  void start_due_batch() {
    for (int i = 0; i < kBatch; ++i) library_.start(number(i), Milliseconds(0));
  }
  void fire_batch() {
    timers_fired = 0;
    library_.run_due();
  }
  void next_batch() { first_ += kBatch; }

 private:
  static constexpr std::size_t kStride = 7919;  // a prime: comes to every one before it comes again

  std::size_t number(int i) const {
    return (first_ + static_cast<std::size_t>(i)) * kStride % size_;
  }
  Milliseconds far_away() { return Milliseconds(3600'000 + random_() % 3600'000); }

  const std::size_t heap_before_;
  const std::size_t size_;
  double bytes_each_ = 0;
  std::size_t first_ = 0;
  std::minstd_rand random_;
  Library library_;
};

template <class Library, TimerPart kPart>
void timers(benchmark::State& state) {
  WaitingTimers<Library> waiting(static_cast<std::size_t>(state.range(0)));
  PartCost cost(state);
  const auto part = [&](TimerPart which, auto work) {
    if (which == kPart) cost.begin();
    work();
    if (which == kPart) cost.end();
  };
  for (auto _ : state) {
    part(TimerPart::cancel, [&] { waiting.cancel_batch(); });
    if constexpr (kPart == TimerPart::fire) {
      waiting.start_due_batch();
      part(TimerPart::fire, [&] { waiting.fire_batch(); });
    }
    part(TimerPart::start, [&] { waiting.start_batch(); });
    waiting.next_batch();
    cost.end_iteration();
  }
  cost.report(kBatch);
  if (kPart == TimerPart::start) state.counters["bytes each"] = waiting.bytes_each();
}

}  // namespace micro

// The number of iterations is fixed, since a million timers are made for each run of them.
#define MICRO_TIMERS(Library, name, size)                     \
  BENCHMARK(micro::timers<Library, micro::TimerPart::start>)  \
      ->Name("start a timer among {}/" name)                  \
      ->Arg(size)                                             \
      ->Iterations(100)                                       \
      ->UseManualTime();                                      \
  BENCHMARK(micro::timers<Library, micro::TimerPart::cancel>) \
      ->Name("cancel a timer among {}/" name)                 \
      ->Arg(size)                                             \
      ->Iterations(100)                                       \
      ->UseManualTime();                                      \
  BENCHMARK(micro::timers<Library, micro::TimerPart::fire>)   \
      ->Name("fire a timer among {}/" name)                   \
      ->Arg(size)                                             \
      ->Iterations(100)                                       \
      ->UseManualTime()
