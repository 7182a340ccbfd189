// TimerQueue: callbacks that wait for their hour.
//
// Mirrors the timeout heap inside tornado.ioloop.PollIOLoop. It makes no system call and never
// asks what time it is: the loop tells it. A test can live through a century in a microsecond.
//
// Where Tornado only marks a cancelled timer and sweeps the heap now and then, removal here is
// real: each timer knows its place in the heap, and what it captured is freed at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "callback.h"
#include "clock.h"

namespace eddy {

class TimerQueue {
 public:
  struct Id {  // stays safe to pass after the timer ran: the serial no longer matches
    std::uint32_t slot = 0;
    std::uint64_t serial = 0;
  };

  static constexpr std::size_t kTimersPerTurn =
      1000;  // so that a storm of them leaves room for I/O

  TimerQueue() { due_.reserve(kTimersPerTurn); }  // so that running them asks for no memory

  Id add(TimePoint when, Callback callback);
  bool remove(Id id);  // false, and harmless, when it ran, was removed or never was
  void clear();        // drops all without running them

  std::size_t size() const { return waiting_; }
  std::optional<TimePoint> next() const;  // when the earliest is due; nothing while none waits

  // First chooses what is due, by due time and then in the order of adding, at most kTimersPerTurn;
  // then runs it. What is added in between or by them waits for a later turn, however early it is
  // due; what is removed meanwhile does not run.
  void choose_due(TimePoint now);
  void run_due();

 private:
  static constexpr std::uint32_t kNowhere = UINT32_MAX;

  struct Entry {
    TimePoint when;
    std::uint64_t serial;
    std::uint32_t slot;
    bool before(const Entry& other) const {
      return when != other.when ? when < other.when : serial < other.serial;
    }
  };
  struct Slot {
    Callback callback;
    std::uint64_t serial = 0;        // 0: free
    std::uint32_t place = kNowhere;  // in the heap; a free slot's: the next free one
  };

  std::uint32_t take_slot();
  Callback give_back(std::uint32_t slot);
  void place(std::size_t at, const Entry& entry);
  void sift_up(std::size_t at, const Entry& entry);
  void sift_down(std::size_t at, const Entry& entry);
  void remove_from_heap(std::size_t at);
  void shrink_after_a_burst();

  std::vector<Entry> heap_;  // 4-ary, by due time, then serial: ties are first-in, first-out
  std::vector<Slot> slots_;  // where in the heap each timer stands, so that removal is real
  std::vector<Id> due_;      // what run_due runs
  std::uint32_t free_ = kNowhere;
  std::uint64_t last_serial_ = 0;
  std::size_t waiting_ = 0;
};

}  // namespace eddy
