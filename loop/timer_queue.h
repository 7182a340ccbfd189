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
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "clock.h"
#include "pool.h"

namespace eddy {

class TimerQueue {
 public:
  struct Id {  // stays safe to pass after the timer ran: the serial no longer matches
    std::uint32_t slot = 0;
    std::uint64_t serial = 0;
  };

  // So that a storm of them leaves room for I/O.
  static constexpr std::size_t kTimersPerTurn = 1000;

  TimerQueue() { due_.reserve(kTimersPerTurn); }  // so that running them asks for no memory
  ~TimerQueue() { clear(); }
  TimerQueue(const TimerQueue&) = delete;
  TimerQueue& operator=(const TimerQueue&) = delete;

  template <class F>
  Id add(TimePoint when, F function) {
    return add_call(when, std::make_unique<CallOf<F>>(std::move(function)));
  }
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

  class Call : public Pooled {  // what is to be called, of any type
   public:
    virtual void run() = 0;
    virtual ~Call() = default;
  };
  template <class F>
  class CallOf final : public Call {
   public:
    explicit CallOf(F function) : function_(std::move(function)) {}
    void run() override { function_(); }

   private:
    F function_;
  };

  struct Entry {
    TimePoint when;
    std::uint32_t order;  // of adding: the serial's lower half, which may wrap around
    std::uint32_t slot;
    bool before(const Entry& other) const {
      return when != other.when ? when < other.when
                                : static_cast<std::int32_t>(order - other.order) < 0;
    }
  };
  struct Slot {
    Call* call = nullptr;
    std::uint64_t serial = 0;  // 0: free
  };

  Id add_call(TimePoint when, std::unique_ptr<Call> call);
  std::uint32_t take_slot();
  std::unique_ptr<Call> give_back(std::uint32_t slot);
  void place(std::size_t at, const Entry& entry);
  void sift_up(std::size_t at, const Entry& entry);
  void sift_down(std::size_t at, const Entry& entry);
  void remove_from_heap(std::size_t at);
  void shrink_after_a_burst();

  std::vector<Entry> heap_;  // 4-ary, by due time, then order: ties are first-in, first-out
  std::vector<Slot> slots_;
  // Where in the heap each slot's timer stands, so that removal is real; a free one's: the next
  // free one. Apart from the slots, since it is what moves when the heap does.
  std::vector<std::uint32_t> places_;
  std::vector<Id> due_;  // what run_due runs
  std::uint32_t free_ = kNowhere;
  std::uint64_t last_serial_ = 0;
  std::size_t waiting_ = 0;
};

}  // namespace eddy
