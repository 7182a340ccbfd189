// pipes: libevent's classic benchmark. Bytes run from pipe to pipe: whoever reads one writes
// it into the next, until kWrites have been written; some are on their way at any time.
//
// A library is a class that watches the reading ends, calls Pipes::readable, and has run() and
// stop().
#pragma once

#include <unistd.h>

#include <array>
#include <utility>
#include <vector>

#include <eddy/loop/unique_fd.h>

#include "micro.h"

namespace micro {

inline constexpr std::size_t kPipes = 100;
inline constexpr int kWrites = 1000;

class Pipes {
 public:
  Pipes();

  int reading_end(std::size_t pipe) const { return pipes_[pipe].reading.get(); }
  void begin(std::size_t active);    // writes the first bytes
  bool byte_came(std::size_t pipe);  // was read; true: it was the last one
  bool readable(std::size_t pipe);   // reads it; true: it was the last one

 private:
  struct Pipe {
    eddy::UniqueFd reading;
    eddy::UniqueFd writing;
  };
  void write_one(std::size_t pipe);

  std::array<Pipe, kPipes> pipes_;
  int left_to_write_ = 0;
  int left_to_read_ = 0;
};

template <class Library>
void pipes(benchmark::State& state) {
  const auto active = static_cast<std::size_t>(state.range(0));
  Pipes bytes;
  Library library(bytes);
  Cost cost(state);
  for (auto _ : state) {
    bytes.begin(active);
    library.run();
  }
  cost.report(kWrites);
}

}  // namespace micro

#define MICRO_PIPES(Library, name)                        \
  BENCHMARK(micro::pipes<Library>)                        \
      ->Name("a byte through 100 pipes, {} active/" name) \
      ->Arg(1)                                            \
      ->Arg(10)                                           \
      ->Arg(100)
