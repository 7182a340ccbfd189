#include "timer_queue.h"

#include <utility>

#include "run_logged.h"

namespace eddy {

void TimerQueue::add_block() {
  const auto first = static_cast<std::uint32_t>(blocks_.size() * kSlotsPerBlock);
  order_.reserve(first + kSlotsPerBlock);
  blocks_.push_back(std::make_unique<Slot[]>(kSlotsPerBlock));
  for (std::uint32_t number = first + kSlotsPerBlock; number-- > first;)
    slot(number).next_free = std::exchange(free_, number);
}

TimerQueue::Id TimerQueue::start(TimePoint when, std::uint32_t number) {
  slot(number).serial = ++last_serial_;
  order_.add({when, static_cast<std::uint32_t>(last_serial_), number});
  ++waiting_;
  return {number, last_serial_};
}

bool TimerQueue::remove(Id id) {
  if (id.serial == 0 || id.slot / kSlotsPerBlock >= blocks_.size()) return false;
  if (slot(id.slot).serial != id.serial) return false;
  order_.remove(id.slot);
  end(slot(id.slot));
  give_back(id.slot);
  return true;
}

void TimerQueue::clear() {
  order_.clear();
  due_.clear();
  const std::uint64_t newest = last_serial_;  // what was captured may add others when it dies
  for (std::uint32_t number = 0; number < blocks_.size() * kSlotsPerBlock; ++number) {
    Slot& timer = slot(number);
    if (timer.serial == 0 || timer.serial > newest) continue;
    end(timer);
    give_back(number);
  }
}

std::optional<TimePoint> TimerQueue::next() const {
  if (order_.empty()) return std::nullopt;
  return order_.first().when;
}

void TimerQueue::choose_due(TimePoint now) {
  while (!order_.empty() && order_.first().when <= now && due_.size() < kTimersPerTurn) {
    const std::uint32_t number = order_.first().timer;
    due_.push_back({number, slot(number).serial});
    order_.remove(number);
  }
}

void TimerQueue::run_due() {
  if (due_.empty()) return;
  for (std::size_t at = 0; at < due_.size(); ++at) {
    const Id id = due_[at];
    Slot& timer = slot(id.slot);
    if (timer.serial != id.serial) continue;  // an earlier one of these removed it
    end(timer);
    run_logged("Exception in timer: ", [&] { timer.get().run(); });
    give_back(id.slot);
  }
  due_.clear();
  shrink_after_a_burst();
}

void TimerQueue::end(Slot& timer) {
  timer.serial = 0;
  --waiting_;
}

void TimerQueue::give_back(std::uint32_t number) {
  slot(number).get().~Call();  // what it captured may come back to us, and nobody has the slot yet
  slot(number).next_free = std::exchange(free_, number);
}

void TimerQueue::shrink_after_a_burst() {
  if (waiting_ > 0 || blocks_.size() <= kKeptBlocks) return;
  order_.forget_numbers();
  blocks_ = std::vector<std::unique_ptr<Slot[]>>();
  free_ = kNowhere;
}

}  // namespace eddy
