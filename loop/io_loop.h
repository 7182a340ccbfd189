// IOLoop: events become turns.
//
// Mirrors tornado.ioloop.PollIOLoop. One turn, in order: the callbacks queued so far, the timers
// that are due, what the streams wrote meanwhile, then the wait, then the handlers of the ready
// descriptors. What any of them queues runs in the next turn, and so nothing starves.
//
// A loop belongs to the thread that made it, one to a thread. Of its calls only add_callback,
// add_callback_from_signal and stop may come from elsewhere; any other throws WrongThreadError.
#pragma once

#include <signal.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>

#include "callback.h"
#include "callback_queue.h"
#include "clock.h"
#include "errors.h"
#include "future.h"
#include "platform.h"
#include "poller.h"
#include "timer_queue.h"

namespace eddy {

class CoroutineSet;
class Executor;
class SignalCallbacks;
class Signals;

// Is told when the callbacks and timers of a turn have run, once for each call of at_turn_end.
class TurnEnd : public ListNode {
 public:
  virtual void turn_ended() = 0;

 protected:
  ~TurnEnd() = default;
};

// A loop's door for other threads, which outlives it: a copy may be kept anywhere.
class LoopDoor {
 public:
  // False: the loop is closed, the callback was not taken and is destroyed. A taken one runs, in
  // the order of this thread's calls, unless the loop closes first; close() logs how many it drops.
  bool add_callback(Callback callback) const;
  bool is_of_this_thread() const;  // and its loop has not gone

 private:
  friend class IOLoop;
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

class IOLoop {
 public:
  static constexpr std::size_t kBytesPerTurn = 256 << 10;  // read before callbacks have their turn
  using HandlerFunction = std::function<void(int fd, std::uint32_t events)>;
  using Timeout = TimerQueue::Id;  // a value; safe to keep and to remove after it ran

  IOLoop();  // becomes the thread's current loop; throws InvalidStateError if there is one
  ~IOLoop();
  IOLoop(const IOLoop&) = delete;
  IOLoop& operator=(const IOLoop&) = delete;

  static IOLoop& current();  // the thread's; throws InvalidStateError when it has none
  static IOLoop* current_or_null() { return current_; }
  // In a forked child: its thread has no loop any more, and may make one. The parent's, and what
  // belongs to it, is left alone: it is not destroyed either, so such a child ends by _exit.
  static void forget_after_fork();

  // Running. start() goes on until stop(); stop() before start() cancels that start.
  void start();
  void stop();                                     // any thread
  void turn(Duration longest = Duration::zero());  // one turn, waiting at most so long
  int fd() const { return poller_.fd(); }  // for a host's own loop: readable when turn() has work,
  Duration
  time_to_sleep();  // which is also due after this time (max(): never); ask before each wait
  void close();  // drops what waits and ends the coroutines; not while it runs; twice is harmless
  template <class F>
  auto run_sync(F function, Duration timeout = Duration::max());  // in run_sync.h

  TimePoint time() {  // the loop's clock, now; never runs backward
    check_thread("IOLoop::time");
    return read_clock();
  }
  TimePoint turn_time() const { return now_; }  // when this turn began

  // Callbacks and timers. What returns a Future is watched: its failure is logged, and the function
  // lives until it is done, so that a coroutine may be a lambda with captures.
  template <class F>
  bool add_callback(F&& callback);  // any thread; false: the loop is closed
  template <class F>
  void spawn(F&& coroutine_or_function);  // runs on, owned by the loop; a failure is logged
  template <class F>
  Timeout call_at(TimePoint when, F&& callback);
  template <class Rep, class Period, class F>
  Timeout call_later(std::chrono::duration<Rep, Period> delay, F&& callback) {
    return call_at(after(time(), to_duration(delay)), std::forward<F>(callback));
  }
  bool remove_timeout(Timeout timeout);  // false, and harmless, when it ran or was removed
  LoopDoor door() const { return door_; }

  // Keeps the Future's operation going and runs callback(future), or callback(), from the queue
  // when it is done. The second does not see a failure: it is logged.
  template <class T, class F>
  void add_future(Future<T> future, F callback);

  // Descriptors: level-triggered; the handler gets kRead, kWrite, kError, or-ed.
  void add_handler(int fd, std::uint32_t events, HandlerFunction handler);
  void add_handler(int fd, std::uint32_t events, EventHandler& handler);  // not owned
  void update_handler(int fd, std::uint32_t events);
  bool remove_handler(int fd);  // before the descriptor is closed

  // Signals, by signalfd and only when asked for: blocks the signal in this thread.
  void add_signal_handler(int signal, std::function<void()> handler);
  bool remove_signal_handler(int signal);  // restores the thread's mask
  sigset_t signal_mask_for_exec() const;   // as it was: to be set between fork and exec
  // The callback is registered beforehand; the call itself is async-signal-safe. Calls that come
  // close together run it once.
  std::size_t register_signal_callback(std::function<void()> callback);
  void add_callback_from_signal(std::size_t registered) noexcept;

  // Blocking work on threads of its own, made at the first use. In executor.h.
  template <class F>
  auto run_in_executor(F function, Location where = Location::current());
  void set_default_executor(std::unique_ptr<Executor> executor);  // waits for the old one's jobs

  // A line for each coroutine: where it waits, for what, since when. Those that wait for the same
  // at the same place share one.
  std::string dump_tasks() const;

  // Logs a warning for each turn whose work between two waits takes longer; zero: never.
  void set_blocking_log_threshold(Duration threshold) { blocking_threshold_ = threshold; }

  std::size_t clock_steps_back() const { return clock_steps_back_; }  // how often it was clamped

  // For the library's own rooms.
  Platform& platform() const { return platform_; }
  CallbackQueue& queue() { return callbacks_; }
  void count_read(std::size_t bytes) { read_in_turn_ += bytes; }
  void at_turn_end(TurnEnd& one) { turn_ends_.push_back(one); }
  void check_thread(const char* call) const {
    if (current_ != this) refuse_thread(call);
  }
  long thread() const { return thread_; }

 private:
  friend class LoopDoor;
  void run_ready();  // callbacks, timers, ends of turn
  void wait_and_dispatch(Duration longest);
  void dispatch();
  void wait(Duration longest);
  void begin_running(const char* call);
  void end_running();
  TimePoint read_clock();
  void begin_work();
  void report_blocking();
  void drop_everything();
  [[noreturn]] void refuse_thread(const char* call) const;
  Executor& default_executor();
  CoroutineSet& spawned();

  static thread_local constinit IOLoop* current_;

  Platform& platform_;
  const long thread_;
  TimePoint last_time_{};
  TimePoint now_;
  TimePoint work_began_{};
  Poller poller_;
  TimerQueue timers_;
  CallbackQueue callbacks_;
  ForeignBatch foreign_;  // stands in it
  std::size_t read_in_turn_ = 0;
  List<TurnEnd> turn_ends_;
  LoopDoor door_;
  std::unique_ptr<Signals> signals_;
  std::unique_ptr<SignalCallbacks> signal_callbacks_;
  std::unique_ptr<CoroutineSet> spawned_;
  std::unique_ptr<Executor> executor_;
  std::atomic<bool> stopped_{false};
  bool running_ = false;
  bool closed_ = false;
  Duration blocking_threshold_{};
  std::size_t clock_steps_back_ = 0;
};

}  // namespace eddy

#include "io_loop_inline.h"  // the templates above
