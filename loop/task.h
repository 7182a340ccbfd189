// Task: a coroutine, whichever face it wears, that runs, waits for one Future, and runs on.
//
// Mirrors tornado.gen.Runner. The C++20 coroutine (await.h) and the stackless macro (coroutine.h,
// yield.h) differ only in how they are resumed and destroyed. A task starts at once, in the call
// that makes it; awaiting what is done goes straight on, within a budget, so that nobody starves;
// awaiting what is pending resumes from the loop's queue.
//
//   running --awaits--> waiting --the Future is done--> queued --the loop's turn--> running
//      \--returns, throws--> gone          (nobody holds its Future any more: gone, from anywhere)
#pragma once

#include <string>

#include "clock.h"
#include "future_state.h"
#include "location.h"

namespace eddy {

struct Moment {};
inline constexpr Moment moment;  // await it to let everybody else have a turn

class TaskEntry : public ListNode {};  // a task's place among all tasks of its thread

class Task : public FutureWaiter, public TaskEntry, public Producer {
 public:
  static constexpr int kInlineResumptions = 1024;  // awaits of done Futures between two turns

  void future_done() override;  // moves on into the loop's queue
  void run() override;          // its turn has come
  std::string describe(TimePoint now) const;

  static std::string dump(TimePoint now);  // a line for each task of this thread
  static void end_all();                   // destroys every task of this thread

  // For the words of a coroutine, before and after a wait.
  bool goes_straight_on(const FutureState* awaited) {
    return (!awaited || awaited->done()) && --inline_budget_ >= 0;
  }
  void check_cancelled(const FutureState* awaited);   // throws CancelledError
  void set_place(Location where) { where_ = where; }  // of the await that comes

 protected:
  Task();
  ~Task() = default;
  virtual void resume() = 0;
  virtual void destroy() = 0;
  virtual Location made_at() const = 0;

  // False: no need to stop. True: stop here, resume() comes later; or destroy(), if ended().
  bool wait(FutureState* state);
  bool wait_a_turn();
  bool ended() const { return ended_; }

 private:
  enum class Place : std::uint8_t { running, waiting, queued };

  bool stop(Place place, const char* what);
  void enqueue();
  void abandoned(FutureState& state) override;
  bool cancelled(FutureState& state) override;

  static thread_local constinit int inline_budget_;

  const char* what_ = nullptr;
  Location where_;
  TimePoint since_;
  Place place_ = Place::running;
  bool ended_ = false;             // nobody holds its Future: goes no further than the next await
  bool cancel_requested_ = false;  // the next await that has to wait throws instead
};

}  // namespace eddy
