// RelayMemory: a bound on what the backlogs of all devices hold together.
//
// Tornado bounds the write buffer of each connection but not their sum. Here, above the limit, a
// device that is fed keeps only a small share of its backlog: those of its viewers who are behind
// lose the oldest frames, as they do beyond a limit of their own.
#pragma once

#include <cstddef>

namespace eddy {

class RelayMemory {
 public:
  static constexpr std::size_t kShare = 16 << 10;  // bytes

  explicit RelayMemory(std::size_t limit) : limit_(limit) {}

  std::size_t held() const { return held_; }  // bytes
  bool is_short() const { return held_ > limit_; }
  void count(std::size_t before, std::size_t now);  // of one backlog

 private:
  void tell();

  const std::size_t limit_;
  std::size_t held_ = 0;
  bool told_ = false;  // that it is short; forgotten once half of the limit is free again
};

}  // namespace eddy
