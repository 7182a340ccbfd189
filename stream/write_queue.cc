#include "write_queue.h"

#include <utility>

#include "../loop/pool.h"

namespace eddy {

// A write whose Future somebody holds. Most are dropped at once, since who writes on and on awaits
// drain() instead: the last one then serves as the next one, and only its index moves.
class WriteQueue::Pending final : public ListNode, public Producer, public Pooled {
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
  void abandoned(FutureState&) override {
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

Future<> WriteQueue::add(std::size_t bytes, Location where) {
  const std::uint64_t end = total_write_index_ + bytes;
  if (end == total_write_done_index_) return {};
  if (pending_.empty() || !pending_.back().spare())
    pending_.push_back(*new Pending(*this, where));  // may find no memory: then nothing is queued
  total_write_index_ = end;
  return pending_.back().future_of(end);
}

void WriteQueue::sent(std::size_t bytes) {
  total_write_done_index_ += bytes;
  while (!pending_.empty()) {
    Pending& first = pending_.front();
    if (first.end() > total_write_done_index_) return;
    first.unlink();
    first.done();
    delete &first;
  }
}

void WriteQueue::fail(const std::exception_ptr& error) {
  while (!pending_.empty()) {
    Pending& first = pending_.pop_front();
    first.fail(error);
    delete &first;
  }
}

}  // namespace eddy
