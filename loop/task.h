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
#include "future.h"
#include "location.h"

namespace eddy {

struct Moment {};
inline constexpr Moment moment;  // await it to let everybody else have a turn

class CoroutineSet;
class IOLoop;
class TaskList;

class TaskEntry : public ListNode {};  // a task's place in the one list where it stands

class Task : public FutureWaiter, public TaskEntry, public Producer {
 public:
  static constexpr int kInlineResumptions = 1024;  // awaits of done Futures between two turns

  void future_done() override;  // moves on into the loop's queue
  void run() override;          // its turn has come

  // A line for each place where tasks of this thread wait.
  static std::string dump(TimePoint now);
  static void end_all();  // destroys every task of this thread, which begins anew

  // For the words of a coroutine, before and after a wait.
  static bool goes_straight_on(const FutureState* awaited) {
    return (!awaited || awaited->done()) && --inline_budget_ >= 0;
  }
  // Both throw CancelledError. Who goes on although what it awaits is pending was cancelled; what
  // is there already is not lost, and the next await that has to wait throws.
  static void check_awaited(const FutureState* awaited) {
    if (awaited && !awaited->done()) resumed_->throw_cancelled();
  }
  static void check_cancelled() {
    if (resumed_->cancel_requested_) resumed_->throw_cancelled();
  }
  void set_place(Location where) { where_ = where; }  // of the await that comes

 protected:
  Task();
  ~Task() = default;
  virtual void resume() = 0;
  virtual void destroy() = 0;
  virtual FutureState& outcome() = 0;  // that it will set

  // False: no need to stop. True: stop here, resume() comes later; or destroy(), if ended().
  bool wait(FutureState* state);
  bool wait_a_turn();
  bool ended() const { return ended_; }
  // By the set that owns it, if one does, when its outcome is there or will never be.
  bool owned_by_set() const { return set_ != nullptr; }
  void leave_set(FutureState& outcome);

 private:
  friend class CoroutineSet;
  friend class TaskList;
  enum class Place : std::uint8_t { running, waiting, queued };
  struct Crowd;

  [[noreturn]] void throw_cancelled();
  void join_set(CoroutineSet& set, TaskList& its_tasks);
  void part_from_set();
  bool stop(const IOLoop& loop, const char* what);
  void enqueue(IOLoop& loop);
  std::string describe_place();
  Duration waiting_time(TimePoint now) const;
  void abandoned(FutureState& state) override;
  bool cancelled(FutureState& state) override;
  Task* as_task() override { return this; }

  static thread_local constinit int inline_budget_;
  static thread_local constinit Task* resumed_;  // who goes on with an await; valid just then

  const char* what_ = nullptr;  // it waits for; none: its next turn
  CoroutineSet* set_ = nullptr;
  Location where_;
  TimePoint since_;
  Place place_ = Place::running;
  bool ended_ = false;             // nobody holds its Future: goes no further than the next await
  bool cancel_requested_ = false;  // the next await that has to wait throws instead
};

// Tasks that belong together: those of a CoroutineSet, or those of nobody in particular. All lists
// of a thread are known, so that every coroutine can be told of and ended.
class TaskList : public ListNode {
 public:
  TaskList();
  static TaskList& of_nobody() { return of_nobody_ ? *of_nobody_ : make_of_nobody(); }

  bool empty() const { return tasks_.empty(); }
  void add(Task& task) { tasks_.push_back(task); }  // from the list where it stood
  Task& pop_front() { return static_cast<Task&>(tasks_.pop_front()); }
  Task* first_at_rest();  // none: all of them run, or there are none
  template <class F>
  void for_each(F visit) {  // `visit` may not change the list
    tasks_.for_each([&](TaskEntry& entry) { visit(static_cast<Task&>(entry)); });
  }

 private:
  static TaskList& make_of_nobody();

  static thread_local constinit TaskList* of_nobody_;
  List<TaskEntry> tasks_;
};

inline Task::Task() { TaskList::of_nobody().add(*this); }

// A task with the promise of its result: what both faces are built on.
template <class T>
class TaskOf : public Task, public Pooled {
 protected:
  explicit TaskOf(Location where) : promise_("a coroutine", where) {
    promise_.state()->set_producer(this);
  }
  ~TaskOf() {
    if (!owned_by_set()) return;
    FutureState& outcome = *promise_.state();  // the set holds a Future of it
    promise_ = Promise<T>(nullptr);            // broken, when it is still pending
    leave_set(outcome);
  }

  Promise<T> promise_;

 private:
  FutureState& outcome() override { return *promise_.state(); }
};

}  // namespace eddy
