// Load: one way of keeping a server busy, and of checking what it says.
//
// A load connects when it is made, and run() is what is measured. The kernel's refusals are
// std::system_error, a wrong answer is std::runtime_error, and a server that takes too long is
// TooSlow, which says nothing against its answers.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <stdexcept>

#include "options.h"

namespace load {

using Clock = std::chrono::steady_clock;

class TooSlow : public std::runtime_error {
 public:
  TooSlow() : std::runtime_error("the server takes too long") {}
};

class Load {
 public:
  virtual ~Load() = default;
  virtual std::size_t run() = 0;  // gives how many units were done
};

std::unique_ptr<Load> make_rounds(const Options& options);    // echo, lines, rpc, idle, silent
std::unique_ptr<Load> make_sink(const Options& options);      // sink
std::unique_ptr<Load> make_accept(const Options& options);    // accept
std::unique_ptr<Load> make_messages(const Options& options);  // dribble, header, message

// For --seconds from now things begin; then there is patience for what is under way.
struct Deadline {
  Clock::time_point until;
  Clock::time_point give_up;

  Deadline(double seconds, double patience)
      : until(after(seconds)), give_up(after(seconds + patience)) {}
  static Clock::time_point after(double seconds) {
    return Clock::now() +
           std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  }
};

}  // namespace load
