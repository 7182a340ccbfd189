#include "callback_queue.h"

namespace eddy {
namespace {

std::size_t drop(List<Runnable>& waiting) {
  std::size_t dropped = 0;
  for (; !waiting.empty(); ++dropped) waiting.pop_front().dropped();
  return dropped;
}

}  // namespace

void CallbackQueue::run_batch() {
  batch_.take_all(waiting_);
  while (!batch_.empty()) batch_.pop_front().run();
}

std::size_t CallbackQueue::clear() { return drop(batch_) + drop(waiting_); }

bool ForeignQueue::add(Callback callback, bool& ring) {
  auto* queued = new QueuedFunction<Callback>(std::move(callback));
  {
    const std::lock_guard lock(mutex_);
    if (!closed_) {
      ring = waiting_.empty();
      waiting_.push_back(*queued);
      any_.store(true, std::memory_order_seq_cst);
      ring = ring && asleep_.load(std::memory_order_seq_cst);
      return true;
    }
  }
  delete queued;
  return false;
}

std::size_t ForeignQueue::take_all(CallbackQueue& into) {
  if (!any_.load(std::memory_order_relaxed)) return 0;
  List<Runnable> taken;
  {
    const std::lock_guard lock(mutex_);
    taken.take_all(waiting_);
    any_.store(false, std::memory_order_relaxed);
  }
  std::size_t count = 0;
  for (; !taken.empty(); ++count) into.add(taken.pop_front());
  return count;
}

std::size_t ForeignQueue::close() {
  List<Runnable> dropped;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    dropped.take_all(waiting_);
    any_.store(false, std::memory_order_relaxed);
  }
  return drop(dropped);
}

bool ForeignQueue::may_sleep(bool sleeps) {
  asleep_.store(sleeps, sleeps ? std::memory_order_seq_cst : std::memory_order_relaxed);
  return !any_.load(std::memory_order_seq_cst);
}

}  // namespace eddy
