#include "timer_queue.h"

#include <algorithm>
#include <new>

#include "run_logged.h"

namespace eddy {

TimerQueue::Id TimerQueue::add(TimePoint when, Callback callback) {
  if (heap_.size() == heap_.capacity()) heap_.reserve(2 * heap_.size() + 16);
  const std::uint32_t slot = take_slot();
  slots_[slot].callback = std::move(callback);
  slots_[slot].serial = ++last_serial_;
  heap_.push_back({});
  sift_up(heap_.size() - 1, {when, last_serial_, slot});
  ++waiting_;
  return {slot, last_serial_};
}

bool TimerQueue::remove(Id id) {
  if (id.serial == 0 || id.slot >= slots_.size() || slots_[id.slot].serial != id.serial)
    return false;
  const std::uint32_t place = slots_[id.slot].place;
  if (place != kNowhere) remove_from_heap(place);
  give_back(id.slot);  // the callback dies last, when the queue is in order again
  return true;
}

void TimerQueue::clear() {
  heap_.clear();
  due_.clear();
  free_ = kNowhere;
  waiting_ = 0;
  const std::vector<Slot> dropped = std::move(slots_);  // their captures may come back to us
  slots_.clear();
}

std::optional<TimePoint> TimerQueue::next() const {
  if (heap_.empty()) return std::nullopt;
  return heap_.front().when;
}

void TimerQueue::choose_due(TimePoint now) {
  while (!heap_.empty() && heap_.front().when <= now && due_.size() < kTimersPerTurn) {
    due_.push_back({heap_.front().slot, heap_.front().serial});
    slots_[heap_.front().slot].place = kNowhere;
    remove_from_heap(0);
  }
}

void TimerQueue::run_due() {
  if (due_.empty()) return;
  for (std::size_t at = 0; at < due_.size(); ++at) {
    const Id id = due_[at];
    if (slots_[id.slot].serial != id.serial) continue;  // an earlier one of these removed it
    Callback callback = give_back(id.slot);
    run_logged("Exception in timer: ", callback);
  }
  due_.clear();
  shrink_after_a_burst();
}

std::uint32_t TimerQueue::take_slot() {
  if (free_ == kNowhere) {
    slots_.emplace_back();
    return static_cast<std::uint32_t>(slots_.size() - 1);
  }
  const std::uint32_t slot = free_;
  free_ = slots_[slot].place;
  return slot;
}

Callback TimerQueue::give_back(std::uint32_t slot) {
  slots_[slot].serial = 0;
  slots_[slot].place = free_;
  free_ = slot;
  --waiting_;
  return std::move(slots_[slot].callback);
}

void TimerQueue::place(std::size_t at, const Entry& entry) {
  heap_[at] = entry;
  slots_[entry.slot].place = static_cast<std::uint32_t>(at);
}

void TimerQueue::sift_up(std::size_t at, const Entry& entry) {
  while (at > 0) {
    const std::size_t parent = (at - 1) / 4;
    if (!entry.before(heap_[parent])) break;
    place(at, heap_[parent]);
    at = parent;
  }
  place(at, entry);
}

void TimerQueue::sift_down(std::size_t at, const Entry& entry) {
  for (;;) {
    const std::size_t first = 4 * at + 1;
    if (first >= heap_.size()) break;
    const std::size_t last = std::min(first + 4, heap_.size());
    std::size_t least = first;
    for (std::size_t child = first + 1; child < last; ++child)
      if (heap_[child].before(heap_[least])) least = child;
    if (!heap_[least].before(entry)) break;
    place(at, heap_[least]);
    at = least;
  }
  place(at, entry);
}

void TimerQueue::remove_from_heap(std::size_t at) {
  const Entry last = heap_.back();
  heap_.pop_back();
  if (at == heap_.size()) return;
  if (at > 0 && last.before(heap_[(at - 1) / 4]))
    sift_up(at, last);
  else
    sift_down(at, last);
}

void TimerQueue::shrink_after_a_burst() {
  if (waiting_ > 0 || slots_.capacity() < 4096) return;
  slots_ = std::vector<Slot>();
  heap_ = std::vector<Entry>();
  free_ = kNowhere;
}

}  // namespace eddy
