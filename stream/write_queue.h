// WriteQueue: which of the outstanding writes are done.
//
// Mirrors _total_write_index, _total_write_done_index and _write_futures of
// tornado.iostream.BaseIOStream. Bytes are counted for the whole life of the stream; each write
// remembers the count at its end, and is done once that many have left.
#pragma once

#include <cstdint>
#include <exception>

#include "../loop/future.h"

namespace eddy {

class WriteQueue {
 public:
  WriteQueue() = default;
  WriteQueue(const WriteQueue&) = delete;
  WriteQueue& operator=(const WriteQueue&) = delete;

  Future<> add(std::size_t bytes, Location where);  // queued behind the others
  void sent(std::size_t bytes);                     // the kernel has taken them
  void fail(const std::exception_ptr& error);       // of the stream; every pending write
  std::uint64_t total_write_index() const { return total_write_index_; }
  std::uint64_t total_write_done_index() const { return total_write_done_index_; }

 protected:
  ~WriteQueue() { fail(nullptr); }
  virtual void send_awaited() = 0;  // now, for somebody has begun to wait for a write

 private:
  class Pending;

  List<Pending> pending_;  // in the order of their indices
  std::uint64_t total_write_index_ = 0;
  std::uint64_t total_write_done_index_ = 0;
};

}  // namespace eddy
