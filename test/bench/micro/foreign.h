// foreign: callbacks that another thread brings, kBatch at a time.
//
// A library is a class with four words: post(f), on the other thread; run(), until stop();
// wake_ups(), how often a post has rung, where that can be known.
#pragma once

#include <functional>
#include <mutex>
#include <semaphore>
#include <thread>
#include <utility>
#include <vector>

#include "micro.h"

namespace micro {

// What programs on libuv and libevent write by hand: who finds it empty rings.
class Mailbox {
 public:
  bool put(std::function<void()> callback) {
    const std::lock_guard lock(mutex_);
    const bool ring = waiting_.empty();
    waiting_.push_back(std::move(callback));
    rings_ += ring;
    return ring;
  }
  void run_all() {
    {
      const std::lock_guard lock(mutex_);
      taken_.swap(waiting_);
    }
    for (const auto& callback : taken_) callback();
    taken_.clear();
  }
  std::int64_t rings() const { return rings_; }

 private:
  std::mutex mutex_;
  std::vector<std::function<void()>> waiting_;
  std::vector<std::function<void()>> taken_;
  std::int64_t rings_ = 0;
};

// The other thread. It does the same thing each time it is let go.
class Poster {
 public:
  explicit Poster(std::function<void()> work)
      : work_(std::move(work)), thread_([this] { run(); }) {}
  ~Poster() {
    more_ = false;
    go_.release();
  }
  void let_go() { go_.release(); }
  void wait() { done_.acquire(); }

 private:
  void run() {
    for (go_.acquire(); more_; go_.acquire()) {
      work_();
      done_.release();
    }
  }

  std::function<void()> work_;
  std::binary_semaphore go_{0};
  std::binary_semaphore done_{0};
  bool more_ = true;
  std::jthread thread_;
};

// In turn: one thread posts them all, then the other runs them, so that what is measured is their
// work and not how the two meet. Otherwise the loop sleeps when the first one comes, and time runs
// from there to the end of the last one.
template <class Library, bool kInTurn>
void foreign_callbacks(benchmark::State& state) {
  Library library;
  PartCost cost(state);
  int left = 0;
  const auto one_of_a_batch = [&library, &left] {
    if (--left == 0) library.stop();
  };
  Poster poster([&] {
    cost.begin();
    for (int i = 0; i < kBatch; ++i) library.post(one_of_a_batch);
    if (kInTurn) cost.end();
  });
  for (auto _ : state) {
    left = kBatch;
    poster.let_go();
    if (kInTurn) poster.wait();
    if (kInTurn) cost.begin();
    library.run();
    cost.end();
    if (!kInTurn) poster.wait();
    cost.end_iteration();
  }
  cost.report(kBatch);
  if constexpr (requires { library.wake_ups(); })
    state.counters["wake-ups per batch"] =
        static_cast<double>(library.wake_ups()) / static_cast<double>(state.iterations());
}

}  // namespace micro

#define MICRO_FOREIGN(Library, name)                                   \
  BENCHMARK(micro::foreign_callbacks<Library, true>)                   \
      ->Name("a callback from another thread, in turn/" name)          \
      ->UseManualTime();                                               \
  BENCHMARK(micro::foreign_callbacks<Library, false>)                  \
      ->Name("a callback from another thread, at the same time/" name) \
      ->UseManualTime()
