// Counted: counts its owner's work, one more while it lives.
#pragma once

#include <cstddef>

namespace eddy {

class Counted {
 public:
  explicit Counted(std::size_t& count) : count_(count) { ++count_; }  // which must outlive it
  ~Counted() { --count_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  std::size_t& count_;
};

}  // namespace eddy
