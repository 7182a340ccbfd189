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
  // Who is to send at once what somebody has begun to wait for.
  class Sender {
   public:
    virtual void send_awaited() = 0;

   protected:
    ~Sender() = default;
  };

  explicit WriteQueue(Sender& sender) : sender_(sender) {}
  WriteQueue(const WriteQueue&) = delete;
  WriteQueue& operator=(const WriteQueue&) = delete;
  ~WriteQueue() { fail(nullptr); }

  Future<> add(std::size_t bytes, Location where);  // queued behind the others
  void sent(std::size_t bytes);                     // the kernel has taken them
  void fail(const std::exception_ptr& error);       // of the stream; every pending write
  std::uint64_t total_write_index() const { return total_write_index_; }
  std::uint64_t total_write_done_index() const { return total_write_done_index_; }

 private:
  class Pending;

  Sender& sender_;
  List<Pending> pending_;     // in the order of their indices
  Pending* last_ = nullptr;   // the last of them
  Pending* spare_ = nullptr;  // it, while nobody holds its Future
  std::uint64_t total_write_index_ = 0;
  std::uint64_t total_write_done_index_ = 0;
};

}  // namespace eddy
