#include "io_loop.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "executor.h"
#include "log.h"
#include "signals.h"
#include "task.h"
#include "waker.h"

namespace eddy {

struct LoopDoor::Shared {  // the waker lives here, since the last to ring may come after the loop
  explicit Shared(Platform& platform) : waker(platform) {}
  ForeignQueue queue;
  Waker waker;
};

bool LoopDoor::add_callback(Callback callback) const {
  bool ring = false;
  const bool taken = shared_->queue.add(std::move(callback), ring);
  if (ring) shared_->waker.ring();
  return taken;
}

bool LoopDoor::is_of_this_thread() const {
  const IOLoop* const loop = IOLoop::current_or_null();
  return loop && loop->door_.shared_ == shared_;
}

namespace {

template <class F>
struct Finally {
  F function;
  ~Finally() { function(); }
};
template <class F>
Finally<F> finally(F function) {
  return {std::move(function)};
}

}  // namespace

thread_local constinit IOLoop* IOLoop::current_ = nullptr;

IOLoop::IOLoop()
    : platform_(Platform::current()),
      thread_(::syscall(SYS_gettid)),
      now_(platform_.now()),
      poller_(platform_) {
  if (current_) throw InvalidStateError("IOLoop: this thread has a loop already");
  door_.shared_ = std::make_shared<LoopDoor::Shared>(platform_);
  poller_.add(door_.shared_->waker.fd(), kRead, door_.shared_->waker);
  door_.shared_->queue.may_sleep(true);
  ring_for_dropped_futures([shared = door_.shared_] { shared->waker.ring(); });
  current_ = this;
}

IOLoop::~IOLoop() {
  running_ = false;
  close();  // again, if it was closed: something may have come since
  if (current_ == this) current_ = nullptr;
}

IOLoop& IOLoop::current() {
  if (!current_) throw InvalidStateError("IOLoop::current: this thread has no loop");
  return *current_;
}

void IOLoop::forget_after_fork() {
  if (current_ && !current_->poller_.forked())
    throw InvalidStateError("IOLoop::forget_after_fork: this process has made its loop itself");
  current_ = nullptr;
}

void IOLoop::start() {
  begin_running("IOLoop::start");
  const auto end = finally([this] {
    stopped_ = false;
    end_running();
  });
  if (stopped_) return;
  for (;;) {
    run_ready();
    if (stopped_ && poller_.all_told()) return;
    wait_and_dispatch(Duration::max());
  }
}

void IOLoop::stop() {
  const LoopDoor door = door_;  // another thread's loop may go as soon as it is told
  stopped_ = true;
  if (current_ != this) door.shared_->waker.ring();
}

void IOLoop::turn(Duration longest) {
  begin_running("IOLoop::turn");
  const auto end = finally([this] { end_running(); });
  run_ready();
  wait_and_dispatch(longest);
  report_blocking();
}

void IOLoop::begin_running(const char* call) {
  check_thread(call);
  if (running_) throw InvalidStateError(std::string(call) + ": the loop runs already");
  if (closed_) throw InvalidStateError(std::string(call) + ": the loop is closed");
  running_ = true;
  begin_work();
}

// From here on a host may sleep: what other threads bring makes fd() readable.
void IOLoop::end_running() {
  running_ = false;
  if (!door_.shared_->queue.may_sleep(true)) door_.shared_->waker.ring();
}

void IOLoop::run_ready() {
  now_ = read_clock();  // one instant for the whole turn, so that a turn can be replayed
  timers_.choose_due(now_);
  callbacks_.run_batch();
  timers_.run_due();
  while (!turn_ends_.empty()) turn_ends_.pop_front().turn_ended();
}

void IOLoop::wait_and_dispatch(Duration longest) {
  poller_.check_not_forked();
  report_blocking();
  if (poller_.all_told()) wait(std::min(longest, time_to_sleep()));
  begin_work();
  if (door_.shared_->queue.take_all(foreign_)) callbacks_.add(foreign_);
  receive_dropped_futures();
  dispatch();
}

// Until enough is read: who works on it runs while it is still in the processor's cache. Who stops
// the loop stops it after all that the last wait found.
void IOLoop::dispatch() {
  read_in_turn_ = 0;
  while ((read_in_turn_ < kBytesPerTurn || stopped_) && poller_.dispatch_next()) {
  }
}

void IOLoop::wait(Duration limit) {
  ForeignQueue& foreign = door_.shared_->queue;
  if (limit > Duration::zero() && !foreign.may_sleep(true)) limit = Duration::zero();
  poller_.wait(limit);  // Trail 1: epoll reports that a descriptor is ready
  foreign.may_sleep(false);
}

Duration IOLoop::time_to_sleep() {
  poller_.tell_changes();
  if (!callbacks_.empty() || !turn_ends_.empty() || !poller_.all_told()) return Duration::zero();
  const std::optional<TimePoint> next = timers_.next();
  if (!next) return Duration::max();
  const TimePoint now = read_clock();
  return *next > now ? *next - now : Duration::zero();
}

TimePoint IOLoop::read_clock() {
  const TimePoint now = platform_.now();
  if (now >= last_time_) return last_time_ = now;
  ++clock_steps_back_;
  return last_time_;
}

void IOLoop::close() {
  check_thread("IOLoop::close");
  if (running_) throw InvalidStateError("IOLoop::close: stop() it first");
  closed_ = true;
  drop_everything();
}

// All that may hold what is the user's, whose destructors may come back to us.
void IOLoop::drop_everything() {
  Task::end_all();
  spawned_.reset();
  executor_.reset();
  timers_.clear();
  const std::size_t taken = foreign_.size();  // and not run
  callbacks_.clear();
  const std::size_t foreign = taken + door_.shared_->queue.close();
  if (foreign > 0) log::warning("IOLoop closed: dropped callbacks of other threads: ", foreign);
  ring_for_dropped_futures({});
  receive_dropped_futures();
  signals_.reset();
  signal_callbacks_.reset();
  poller_.drop_owned();
  poller_.remove(door_.shared_->waker.fd());
}

void IOLoop::begin_work() {
  if (blocking_threshold_ > Duration::zero()) work_began_ = read_clock();
}

void IOLoop::report_blocking() {
  if (blocking_threshold_ <= Duration::zero()) return;
  const auto took = std::chrono::floor<std::chrono::milliseconds>(read_clock() - work_began_);
  if (took > blocking_threshold_)
    log::warning("a turn of the IOLoop took ", took.count(), " ms without a wait");
}

void IOLoop::refuse_thread(const char* call) const {
  throw WrongThreadError(call, thread_, ::syscall(SYS_gettid));
}

}  // namespace eddy
