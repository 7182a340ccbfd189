// WriteQueue: which of the outstanding writes are done.
//
// Mirrors _total_write_index, _total_write_done_index and _write_futures of
// tornado.iostream.BaseIOStream. Bytes are counted for the whole life of the stream; each write
// remembers the count at its end, and is done once that many have left.
#pragma once

#include <cstdint>
#include <exception>

#include "../loop/future.h"
#include "../loop/pool.h"

namespace eddy {

class WriteQueue {
 public:
  WriteQueue() = default;
  WriteQueue(const WriteQueue&) = delete;
  WriteQueue& operator=(const WriteQueue&) = delete;

  Future<> add(std::size_t bytes, Location where) {  // queued behind the others
    const std::uint64_t end = total_write_index_ + bytes;
    if (end == total_write_done_index_) return {};
    if (pending_.empty() || !pending_.back().spare())
      pending_.push_back(*new Pending(*this, where));  // may find no memory: then nothing is queued
    total_write_index_ = end;
    return pending_.back().future_of(end);
  }
  void sent(std::size_t bytes);                // the kernel has taken them
  void fail(const std::exception_ptr& error);  // of the stream; every pending write
  std::uint64_t total_write_index() const { return total_write_index_; }
  std::uint64_t total_write_done_index() const { return total_write_done_index_; }

 protected:
  ~WriteQueue() { fail(nullptr); }
  virtual void send_awaited() = 0;  // now, for somebody has begun to wait for a write

 private:
  // A write. Most have their Future dropped at once, since who writes on and on awaits drain()
  // instead: the last one then serves as the next one, and only its index moves.
  class Pending final : public ListNode, public Producer, public Pooled {
   public:
    Pending(WriteQueue& queue, Location where) : queue_(queue), promise_("write", where) {
      promise_.state()->forgive();  // who ignores a write's Future hears of its failure elsewhere
    }
    bool spare() const { return spare_; }  // nobody holds its Future
    Future<> future_of(std::uint64_t end) {
      spare_ = false;
      end_ = end;
      promise_.state()->set_producer(this);
      return promise_.future();
    }
    std::uint64_t end() const { return end_; }
    void done() { promise_.set_result(); }
    void fail(const std::exception_ptr& error) {
      if (error) promise_.set_exception(error);
    }

   private:
    void awaited(FutureState&) override { queue_.send_awaited(); }
    void abandoned(FutureState& state) override {
      if (state.has_waiters()) return;  // a callback that wants to hear of this write
      if (this == &queue_.pending_.back() && !promise_.done())
        spare_ = true;
      else
        delete this;
    }

    WriteQueue& queue_;
    std::uint64_t end_ = 0;
    Promise<> promise_;
    bool spare_ = false;
  };

  List<Pending> pending_;  // in the order of their indices
  std::uint64_t total_write_index_ = 0;
  std::uint64_t total_write_done_index_ = 0;
};

}  // namespace eddy
