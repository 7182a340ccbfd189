// Waiter: who stands in line at a lock or a queue, until served, out of patience, or gone.
//
// Mirrors the Futures in tornado.locks' and tornado.queues' deques of waiters. Tornado leaves one
// that has timed out in its deque, and sweeps after a hundred of them; ours leaves the line at
// once, whatever ends the wait: its turn, its deadline, a cancellation, or that nobody holds its
// Future.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <utility>

#include "io_loop.h"
#include "list.h"

namespace eddy {

// How long a wait may take: a duration from now, or an instant of the loop's clock; by default for
// ever. With zero, or an instant that has passed, what is not there at once is not waited for.
class Until {
 public:
  Until() = default;
  Until(TimePoint deadline) : deadline_(deadline) {}
  template <class Rep, class Period>
  Until(std::chrono::duration<Rep, Period> timeout)
      : deadline_(after(IOLoop::current().time(), to_duration(timeout))) {}

  bool for_ever() const { return deadline_ == TimePoint::max(); }
  bool passed() const { return !for_ever() && deadline_ <= IOLoop::current().time(); }
  TimePoint deadline() const { return deadline_; }

 private:
  TimePoint deadline_ = TimePoint::max();
};

// Owned by its timer, if it has one, so that it ends with the loop; else by itself.
class Waiter : public ListNode, public Pooled, private Producer {
 public:
  virtual ~Waiter() = default;
  static void begin(std::unique_ptr<Waiter> waiter, Until until);
  void leave();  // deletes this; a promise that is still in it breaks

 protected:
  void watch(FutureState& state) { state.set_producer(this); }
  virtual void time_is_up() = 0;  // deletes nothing: the timer does

 private:
  void abandoned(FutureState&) override { leave(); }

  IOLoop* loop_ = nullptr;  // none: no deadline
  IOLoop::Timeout timer_;
};

TimeoutError timed_out(const char* what);

template <class T>
Future<T> fail_as_timed_out(const char* what, Location where) {
  return make_failed_future<T>(std::make_exception_ptr(timed_out(what)), what, where);
}

// Throws std::invalid_argument for a number that was negative before it became this one.
void check_not_negative(std::size_t number, const char* name);

template <class T>
class WaiterFor : public Waiter {
 public:
  explicit WaiterFor(Promise<T> promise) : promise_(std::move(promise)) {
    watch(*promise_.state());
  }

  const Promise<T>& promise() const { return promise_; }

  template <class... Result>
  void serve(Result&&... result) {  // deletes this
    Promise<T> promise = std::move(promise_);
    leave();
    promise.set_result(std::forward<Result>(result)...);
  }

 protected:
  void time_is_up() override {
    this->unlink();
    promise_.set_exception(timed_out(promise_.state()->what()));
  }

  Promise<T> promise_;
};

// First come, first served. Whoever stands in it when it is destroyed gets a BrokenPromiseError.
template <class OneWaiter>
class WaitLine {
 public:
  WaitLine() = default;
  WaitLine(const WaitLine&) = delete;
  WaitLine& operator=(const WaitLine&) = delete;
  ~WaitLine() {
    while (!empty()) front().leave();
  }

  bool empty() const { return line_.empty(); }
  OneWaiter& front() { return line_.front(); }
  auto wait(std::unique_ptr<OneWaiter> waiter, Until until) {
    auto future = waiter->promise().future();
    line_.push_back(*waiter);
    Waiter::begin(std::move(waiter), until);
    return future;
  }

  void take_all(WaitLine& other) { line_.take_all(other.line_); }

 private:
  List<OneWaiter> line_;
};

}  // namespace eddy
