// FutureState: what a Future and its Promise share.
//
// Mirrors the inside of tornado.concurrent.Future. A state belongs to the thread that made it and
// is counted without locks there. A handle that is dropped on another thread sends its share home
// instead, to be dropped by the owner; once the owner's thread has ended, by whoever comes first.
// None of that asks for memory, since it happens in destructors.
//
//   pending --set_result--> result
//          \--set_exception, cancel, the promise breaks--> failed
//
// A failure that nobody looked at is logged in the end, unless it is a cancellation.
//
// When the last Future is dropped while the state is pending, whoever would have set it is told:
// nobody waits any more, so a read gives its bytes back and a coroutine ends.
#pragma once

#include <cstdint>
#include <exception>

#include "callback.h"
#include "callback_queue.h"
#include "location.h"
#include "pool.h"

namespace eddy {

class FutureState;
class Task;

// Who will set a Future, if it wishes to know what becomes of it.
class Producer {
 public:
  virtual void abandoned(FutureState&) {}  // nobody holds the Future any more, or it was cancelled
  virtual void awaited(FutureState&) {}    // somebody begins to wait: may set it at once
  // True: the producer sees to the rest. False: the Future fails at once, and is then abandoned.
  virtual bool cancelled(FutureState&) { return false; }
  virtual Task* as_task() { return nullptr; }  // the coroutine that it is, if it is one

 protected:
  ~Producer() = default;
};

// Stands in line at one Future at a time; destroyed, it leaves the line. Once the Future is done
// it is told within the setter's call, so it must not throw nor run code of the user's: a
// coroutine, for one, moves on into the loop's queue, by the same links.
class FutureWaiter : public Runnable {
 public:
  virtual void future_done() = 0;
  void run() override {}

 protected:
  ~FutureWaiter() = default;
};

// Where the shares that other threads drop come home to; one for each thread that made Futures.
struct FutureHome {
  std::size_t states = 0;  // the thread's own to count, and after its end the one's who drops
};
extern thread_local constinit FutureHome* this_thread_home;
FutureHome& make_future_home();  // this thread's first Future

class FutureState : public Pooled {
 public:
  enum class Status : std::uint8_t { pending, result, failed };

  FutureState(const char* what, Location where, Status status = Status::pending)
      : home_(this_thread_home ? *this_thread_home : make_future_home()),
        what_(what),
        where_(where),
        status_(status),
        promised_(status == Status::pending) {
    ++home_.states;
  }
  FutureState(const FutureState&) = delete;
  FutureState& operator=(const FutureState&) = delete;

  bool done() const { return status_ != Status::pending; }
  bool failed() const { return status_ == Status::failed; }
  bool shared() const { return futures_ > 1; }
  bool has_waiters() const { return !waiters_.empty(); }
  const char* what() const { return what_; }    // what the wait is for: "read_until", "sleep"
  Location where() const { return where_; }     // who made the Future
  const std::exception_ptr& exception() const;  // none: it is not a failure; counts as a look
  void rethrow_if_failed() const {
    if (failed()) std::rethrow_exception(exception());
  }

  void add_waiter(FutureWaiter& waiter) {  // which will look at what comes
    looked_at_ = true;
    waiters_.push_back(waiter);
  }
  void add_onlooker(FutureWaiter& waiter) { waiters_.push_back(waiter); }  // which will not
  void begin_wait() {
    if (producer_) producer_->awaited(*this);
  }
  bool cancel();
  void forgive() { looked_at_ = true; }  // nobody has to look at this one's failure

  void set_producer(Producer* producer) { producer_ = producer; }
  Producer* producer() const { return producer_; }   // none once it is done
  void set_exception(std::exception_ptr exception);  // on the owner's thread, once
  bool abandoned() const { return futures_ == 0; }
  bool failed_by_cancel() const { return cancelled_; }

  void retain_future() { ++futures_; }
  void release_future() { at_home() ? drop_future() : send_home(Share::future); }
  void release_promise() { at_home() ? drop_promise() : send_home(Share::promise); }
  void check_thread(const char* call) const {
    if (!at_home()) refuse_thread(call);
  }
  void check_pending(const char* call) const {
    if (done()) refuse_second(call);
  }

 protected:
  ~FutureState() {
    if (!waiters_.empty()) drop_waiters();
    --home_.states;
    if (failed() && !looked_at_) log_if_nobody_looked();
  }
  virtual void dispose() = 0;  // nobody holds it any more
  bool at_home() const { return &home_ == this_thread_home; }
  void begin_again(const char* what, Location where) {  // one that was kept for another result
    what_ = what;
    where_ = where;
    looked_at_ = false;
    taken_ = false;
    promised_ = false;
  }
  void mark_taken() { taken_ = true; }
  bool taken() const { return taken_; }  // somebody has had the result
  void finish(Status status) {
    status_ = status;
    producer_ = nullptr;
    if (!waiters_.empty()) tell_waiters();
  }

 private:
  friend class FutureMail;
  enum class Share : std::uint32_t { promise = 1, future = 2 };  // as mailed_ counts them

  void drop_future() {
    if (--futures_ == 0) last_future_dropped();
  }
  void last_future_dropped();
  void tell_waiters();
  void drop_waiters();
  void drop_promise();
  void drop_mailed(std::uint32_t shares);
  void fail(std::exception_ptr exception);
  void log_if_nobody_looked() const noexcept;
  void send_home(Share share);
  [[noreturn]] void refuse_thread(const char* call) const;
  [[noreturn]] void refuse_second(const char* call) const;

  FutureHome& home_;
  Producer* producer_ = nullptr;
  List<FutureWaiter> waiters_;
  std::exception_ptr exception_;
  FutureState* next_mailed_ = nullptr;  // it and mailed_ are guarded by the home's lock
  const char* what_;
  Location where_;
  std::uint32_t mailed_ = 0;  // dropped elsewhere: twice the Futures, and one for the Promise
  std::uint32_t futures_ = 0;
  Status status_;
  bool promised_;
  mutable bool looked_at_ = false;
  bool cancelled_ = false;
  bool taken_ = false;
};

// Drops what other threads sent home; the loop does so in each turn. `ring` is called on those
// threads when something came, so that the loop wakes up for it; an empty one ends that.
void receive_dropped_futures();
void ring_for_dropped_futures(Callback ring);

}  // namespace eddy
