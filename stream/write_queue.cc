#include "write_queue.h"

#include "../loop/pool.h"

namespace eddy {

// A write whose Future somebody holds; nobody does, and it is forgotten, though its bytes are not.
class WriteQueue::Pending final : public ListNode, public Producer, public Pooled {
 public:
  Pending(std::uint64_t end, Sender& sender, Location where)
      : end_(end), sender_(sender), promise_("write", where) {
    promise_.state()->set_producer(this);
    promise_.state()->forgive();  // who ignores a write's Future hears of its failure elsewhere
  }

  std::uint64_t end() const { return end_; }
  Future<> future() const { return promise_.future(); }
  void done() { promise_.set_result(); }
  void fail(const std::exception_ptr& error) {
    if (error) promise_.set_exception(error);
  }

 private:
  void awaited(FutureState&) override { sender_.send_awaited(); }
  void abandoned(FutureState&) override { delete this; }

  const std::uint64_t end_;
  Sender& sender_;
  Promise<> promise_;
};

Future<> WriteQueue::add(std::size_t bytes, Sender& sender, Location where) {
  const std::uint64_t end = total_write_index_ + bytes;
  if (end == total_write_done_index_) return {};
  auto* pending = new Pending(end, sender, where);  // may find no memory: then nothing is queued
  total_write_index_ = end;
  pending_.push_back(*pending);
  return pending->future();
}

void WriteQueue::sent(std::size_t bytes) {
  total_write_done_index_ += bytes;
  while (!pending_.empty()) {
    auto& first = static_cast<Pending&>(pending_.front());
    if (first.end() > total_write_done_index_) return;
    first.unlink();
    first.done();
    delete &first;
  }
}

void WriteQueue::fail(const std::exception_ptr& error) {
  while (!pending_.empty()) {
    auto& first = static_cast<Pending&>(pending_.pop_front());
    first.fail(error);
    delete &first;
  }
}

}  // namespace eddy
