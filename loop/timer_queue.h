// TimerQueue: callbacks that wait for their hour.
//
// Mirrors the timeout heap inside tornado.ioloop.PollIOLoop. It makes no system call and never
// asks what time it is: the loop tells it. A test can live through a century in a microsecond.
//
// Where Tornado only marks a cancelled timer and sweeps the heap now and then, removal here is
// real: each timer's place is known, and what it captured is freed at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "clock.h"
#include "pool.h"
#include "timer_order.h"

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
    if (free_ == kNowhere) add_block();
    const std::uint32_t number = free_;
    const std::uint32_t next_free = slot(number).next_free;  // the call takes its place
    put_call(slot(number), std::move(function));
    free_ = next_free;  // from here on, nothing fails
    return start(when, number);
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

  class Call {  // what is to be called, of any type
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

  template <class F>
  class Boxed {  // a function that a slot cannot hold
   public:
    explicit Boxed(F function) : box_(std::make_unique<Box>(std::move(function))) {}
    void operator()() { box_->function(); }

   private:
    struct Box : Pooled {
      explicit Box(F one) : function(std::move(one)) {}
      F function;
    };
    std::unique_ptr<Box> box_;
  };

  // It never moves: what is called may be running in it.
  struct alignas(32) Slot {
    std::uint64_t serial = 0;  // 0: of no timer that waits
    union {
      std::byte call[24];  // a vtable, and captures of up to 16 bytes or where they are
      std::uint32_t next_free = kNowhere;
    };
    Call& get() { return *std::launder(reinterpret_cast<Call*>(call)); }
  };
  static_assert(sizeof(Slot) == 32, "two to a line");

  static constexpr std::uint32_t kSlotsPerBlock = 256;
  static constexpr std::size_t kKeptBlocks = 16;

  Slot& slot(std::uint32_t number) {
    return blocks_[number / kSlotsPerBlock][number % kSlotsPerBlock];
  }

  template <class F>
  static void put_call(Slot& slot, F function) {
    if constexpr (sizeof(CallOf<F>) <= sizeof slot.call && alignof(F) <= alignof(void*) &&
                  std::is_nothrow_move_constructible_v<F>) {
      ::new (static_cast<void*>(slot.call)) CallOf<F>(std::move(function));
    } else {
      put_call(slot, Boxed<F>(std::move(function)));
    }
  }

  void add_block();
  Id start(TimePoint when, std::uint32_t number);
  void end(Slot& timer);                 // no handle reaches it from here on
  void give_back(std::uint32_t number);  // of one that has ended
  void shrink_after_a_burst();

  TimerOrder order_;
  std::vector<std::unique_ptr<Slot[]>> blocks_;
  std::vector<Id> due_;  // what run_due runs
  std::uint32_t free_ = kNowhere;
  std::uint64_t last_serial_ = 0;
  std::size_t waiting_ = 0;
};

}  // namespace eddy
