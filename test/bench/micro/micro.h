// micro: what the microbenchmarks have in common.
//
// A benchmark's name is "work/library", and the work is the same in each library: micro.py
// makes a row of the one and a column of the other. A number after it stands for {} in the work's
// name.
#pragma once

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace micro {

inline constexpr int kBatch = 1000;  // pieces of work that share one turn and its system calls

// Most works are done by so many at once, each so often in a row: what an iteration sets up and
// tears down, and what pools and queues take before they are warm, vanishes in a million pieces.
inline constexpr int kChains = 1000;
inline constexpr int kRounds = 1000;
inline constexpr std::int64_t kPieces = std::int64_t{kChains} * kRounds;

std::size_t allocations();  // how often the program has asked the heap, on any thread
std::size_t heap_bytes();   // what it holds now

// What a loop of the benchmark costs in allocations, all of it.
class Cost {
 public:
  explicit Cost(benchmark::State& state) : state_(state), before_(allocations()) {}
  void report(std::int64_t pieces_per_iteration) {
    report(pieces_per_iteration, allocations() - before_);
  }

 protected:
  void report(std::int64_t pieces_per_iteration, std::size_t allocated) {
    const std::int64_t pieces = state_.iterations() * pieces_per_iteration;
    state_.SetItemsProcessed(pieces);
    state_.counters["allocations"] = static_cast<double>(allocated) / static_cast<double>(pieces);
  }

  benchmark::State& state_;

 private:
  const std::size_t before_;
};

// The same where only parts of an iteration count. Its parts may lie on several threads, one after
// the other. For UseManualTime().
class PartCost : Cost {
 public:
  explicit PartCost(benchmark::State& state) : Cost(state) {}

  void begin() {
    allocated_ -= allocations();
    begun_ = Clock::now();
  }
  void end() {
    seconds_ += std::chrono::duration<double>(Clock::now() - begun_).count();
    allocated_ += allocations();
  }
  void end_iteration() {
    state_.SetIterationTime(seconds_);
    seconds_ = 0;
  }
  void report(std::int64_t pieces_per_iteration) { Cost::report(pieces_per_iteration, allocated_); }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point begun_;
  double seconds_ = 0;
  std::size_t allocated_ = 0;  // wraps around between begin() and end()
};

}  // namespace micro
