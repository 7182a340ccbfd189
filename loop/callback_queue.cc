#include "callback_queue.h"

#include <cassert>

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

void ForeignBatch::run() {
  for (Callback& callback : callbacks_) {
    run_logged("Exception in callback: ", callback);
    callback.reset();  // what it captured does not wait for the others
  }
  callbacks_.clear();
  if (callbacks_.capacity() > kKept) callbacks_ = std::vector<Callback>();
}

void ForeignBatch::dropped() {
  const std::vector<Callback> dropped =
      std::move(callbacks_);  // their captures may come back to us
  callbacks_.clear();
}

bool ForeignQueue::add(Callback&& callback, bool& ring) {
  const std::lock_guard lock(mutex_);
  if (closed_) return false;
  const bool first = waiting_.empty();
  waiting_.push_back(std::move(callback));
  if (first) any_.store(true, std::memory_order_seq_cst);
  ring = first && asleep_.load(std::memory_order_seq_cst);
  return true;
}

bool ForeignQueue::take_all(ForeignBatch& into) {
  assert(into.size() == 0 && "what was taken before has run");
  if (!any_.load(std::memory_order_relaxed)) return false;
  const std::lock_guard lock(mutex_);
  waiting_.swap(into.callbacks_);
  any_.store(false, std::memory_order_relaxed);
  return true;
}

std::size_t ForeignQueue::close() {
  std::vector<Callback> dropped;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    dropped.swap(waiting_);
    any_.store(false, std::memory_order_relaxed);
  }
  return dropped.size();
}

bool ForeignQueue::may_sleep(bool sleeps) {
  asleep_.store(sleeps, sleeps ? std::memory_order_seq_cst : std::memory_order_relaxed);
  return !any_.load(std::memory_order_seq_cst);
}

}  // namespace eddy
