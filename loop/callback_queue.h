// CallbackQueue: what waits for the loop's next turn, first in, first out.
//
// Mirrors the _callbacks deque of tornado.ioloop.PollIOLoop. A turn runs what stood in the queue
// when it began and no more: what these add waits for the next turn, and so I/O never starves.
//
// Other threads have a door of their own, with a lock before it; whoever finds the queue behind it
// empty rings the loop, if the loop may be asleep, and a whole batch needs one ring.
#pragma once

#include <atomic>
#include <cstddef>
#include <mutex>
#include <type_traits>
#include <utility>
#include <vector>

#include "callback.h"
#include "list.h"
#include "pool.h"
#include "run_logged.h"

namespace eddy {

// One that stands in the queue by itself: a waiting coroutine does. It may be destroyed meanwhile,
// and is then no longer in the queue.
class Runnable : public ListNode {
 public:
  virtual void run() = 0;
  virtual void dropped() {}  // the queue is cleared: it will not run

 protected:
  ~Runnable() = default;
};

// A function in the queue.
template <class F>
class QueuedFunction final : public Runnable, public Pooled {
 public:
  explicit QueuedFunction(F function) : function_(std::move(function)) {}
  void run() override {
    run_logged("Exception in callback: ", function_);
    delete this;
  }
  void dropped() override { delete this; }

 private:
  F function_;
};

class CallbackQueue {  // on the loop's thread
 public:
  ~CallbackQueue() { clear(); }

  template <class F>
    requires(!std::is_base_of_v<Runnable, F>)
  void add(F function) { add(*new QueuedFunction<F>(std::move(function))); }
  void add(Runnable& runnable) noexcept { waiting_.push_back(runnable); }
  bool empty() const { return waiting_.empty(); }
  void run_batch();
  std::size_t clear();  // drops callbacks and lets go of runnables; says how many there were

 private:
  List<Runnable> waiting_;
  List<Runnable> batch_;
};

// What other threads brought, on its way through the loop's queue, where it stands as one.
class ForeignBatch final : public Runnable {
 public:
  static constexpr std::size_t kKept = 4096;  // callbacks whose room outlasts a burst

  void run() override;
  void dropped() override;
  std::size_t size() const { return callbacks_.size(); }

 private:
  friend class ForeignQueue;
  std::vector<Callback> callbacks_;
};

class ForeignQueue {  // the door for other threads
 public:
  ~ForeignQueue() { close(); }

  // False when the queue is closed: the callback is left to the caller, who destroys it. `ring`
  // says that the loop may be asleep and must be woken. Captures are moved behind the lock: their
  // move constructors must not come here.
  bool add(Callback&& callback, bool& ring);
  bool take_all(ForeignBatch& into);  // which has run; false when there is nothing
  std::size_t close();  // refuses from now on, drops what waits, says how many there were

  // Around a sleep: after may_sleep(true) every add rings, unless something waits already, of
  // which may_sleep tells by returning false.
  bool may_sleep(bool sleeps);

 private:
  std::mutex mutex_;
  std::vector<Callback> waiting_;  // changes places with the batch's, so that both keep their room
  bool closed_ = false;
  std::atomic<bool> any_{false};
  std::atomic<bool> asleep_{false};
};

}  // namespace eddy
