// CoroutineSet: the coroutines that belong to somebody, and run while they do.
//
// What keeps the running handlers of a server or a connection. Mirrors the list of running futures
// that Tornado's programs keep by hand, and asyncio.TaskGroup. Dropping the set ends them, each at
// the place where it waits; drain() waits for them. A failure is logged, unless it is a
// cancellation.
#pragma once

#include <cstddef>

#include "future.h"
#include "task.h"

namespace eddy {

class CoroutineSet {
 public:
  using OnFailure = void (*)(const std::exception_ptr& failure);
  static void log_failure(const std::exception_ptr& failure);

  explicit CoroutineSet(OnFailure on_failure = log_failure) : on_failure_(on_failure) {}
  ~CoroutineSet() { clear(); }
  CoroutineSet(const CoroutineSet&) = delete;
  CoroutineSet& operator=(const CoroutineSet&) = delete;

  template <class T>
  void add(Future<T> future) {
    if (future.state()) add_state(*future.state());
  }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  Future<> drain(Location where = Location::current());  // done when none is left
  void clear();                                          // ends them all now

 private:
  friend class Task;
  class Member;
  class Entry : public ListNode {};

  void add_state(FutureState& state);
  void hold(FutureState& state);
  void finished(const FutureState& state);
  void tell_drained();

  const OnFailure on_failure_;
  TaskList tasks_;       // the coroutines,
  List<Entry> members_;  // and who stands for any other Future
  std::size_t size_ = 0;
  Promise<> drained_{nullptr};
};

}  // namespace eddy
