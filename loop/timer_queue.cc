#include "timer_queue.h"

#include <algorithm>
#include <new>

#include "run_logged.h"

namespace eddy {

TimerQueue::Id TimerQueue::add_call(TimePoint when, std::unique_ptr<Call> call) {
  if (heap_.size() == heap_.capacity()) heap_.reserve(2 * heap_.size() + 16);
  const std::uint32_t slot = take_slot();  // from here on, nothing fails
  slots_[slot] = {call.release(), ++last_serial_};
  heap_.push_back({});
  sift_up(heap_.size() - 1, {when, static_cast<std::uint32_t>(last_serial_), slot});
  ++waiting_;
  return {slot, last_serial_};
}

bool TimerQueue::remove(Id id) {
  if (id.serial == 0 || id.slot >= slots_.size() || slots_[id.slot].serial != id.serial)
    return false;
  if (const std::uint32_t place = places_[id.slot]; place != kNowhere) remove_from_heap(place);
  give_back(id.slot);  // what it captured dies last, when the queue is in order again
  return true;
}

void TimerQueue::clear() {
  heap_.clear();
  places_.clear();
  due_.clear();
  free_ = kNowhere;
  waiting_ = 0;
  const std::vector<Slot> dropped = std::move(slots_);  // their captures may come back to us
  slots_.clear();
  for (const Slot& slot : dropped) delete slot.call;
}

std::optional<TimePoint> TimerQueue::next() const {
  if (heap_.empty()) return std::nullopt;
  return heap_.front().when;
}

void TimerQueue::choose_due(TimePoint now) {
  while (!heap_.empty() && heap_.front().when <= now && due_.size() < kTimersPerTurn) {
    const std::uint32_t slot = heap_.front().slot;
    due_.push_back({slot, slots_[slot].serial});
    places_[slot] = kNowhere;
    remove_from_heap(0);
  }
}

void TimerQueue::run_due() {
  if (due_.empty()) return;
  for (std::size_t at = 0; at < due_.size(); ++at) {
    const Id id = due_[at];
    if (slots_[id.slot].serial != id.serial) continue;  // an earlier one of these removed it
    const std::unique_ptr<Call> call = give_back(id.slot);
    run_logged("Exception in timer: ", [&] { call->run(); });
  }
  due_.clear();
  shrink_after_a_burst();
}

std::uint32_t TimerQueue::take_slot() {
  if (free_ == kNowhere) {
    if (places_.size() == places_.capacity()) places_.reserve(2 * places_.size() + 16);
    slots_.emplace_back();
    places_.push_back(kNowhere);
    return static_cast<std::uint32_t>(slots_.size() - 1);
  }
  return std::exchange(free_, places_[free_]);
}

std::unique_ptr<TimerQueue::Call> TimerQueue::give_back(std::uint32_t slot) {
  places_[slot] = std::exchange(free_, slot);
  --waiting_;
  return std::unique_ptr<Call>(std::exchange(slots_[slot], {}).call);
}

void TimerQueue::place(std::size_t at, const Entry& entry) {
  heap_[at] = entry;
  places_[entry.slot] = static_cast<std::uint32_t>(at);
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
  places_ = std::vector<std::uint32_t>();
  free_ = kNowhere;
}

}  // namespace eddy
