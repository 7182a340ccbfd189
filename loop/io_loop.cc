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

namespace {

class FunctionHandler final : public EventHandler {
 public:
  FunctionHandler(int fd, IOLoop::HandlerFunction function)
      : fd_(fd), function_(std::move(function)) {}
  void handle_events(std::uint32_t events) override { function_(fd_, events); }

 private:
  int fd_;
  IOLoop::HandlerFunction function_;
};

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
  current_ = this;
}

IOLoop::~IOLoop() {
  running_ = false;
  close();
  if (current_ == this) current_ = nullptr;
}

IOLoop& IOLoop::current() {
  if (!current_) throw InvalidStateError("IOLoop::current: this thread has no loop");
  return *current_;
}

void IOLoop::start() {
  check_thread("IOLoop::start");
  if (running_) throw InvalidStateError("IOLoop::start: it runs already");
  if (closed_) throw InvalidStateError("IOLoop::start: it is closed");
  struct Running {
    explicit Running(IOLoop& loop) : loop_(loop) { loop_.running_ = true; }
    ~Running() {
      loop_.running_ = false;
      loop_.stopped_ = false;
    }
    IOLoop& loop_;
  } running(*this);
  if (stopped_) return;
  for (;;) {
    run_ready();
    if (stopped_) return;
    wait_and_dispatch(Duration::max());
  }
}

void IOLoop::stop() {
  stopped_ = true;
  if (current_ != this) door_.shared_->waker.ring();
}

void IOLoop::turn(Duration longest) {
  check_thread("IOLoop::turn");
  if (running_) throw InvalidStateError("IOLoop::turn: called within a turn");
  running_ = true;
  run_ready();
  wait_and_dispatch(longest);
  running_ = false;
}

void IOLoop::run_ready() {
  now_ = time();  // one instant for the whole turn, so that a turn can be replayed
  callbacks_.run_batch();
  timers_.run_due(now_);
  while (!turn_ends_.empty()) turn_ends_.pop_front().turn_ended();
}

void IOLoop::wait_and_dispatch(Duration longest) {
  if (poller_.forked())
    throw InvalidStateError("this IOLoop was made before a fork: make the child's own after it");
  if (blocking_threshold_ > Duration::zero()) report_blocking(now_);
  Duration limit = std::min(longest, time_to_sleep());
  ForeignQueue& foreign = door_.shared_->queue;
  if (limit > Duration::zero() && !foreign.may_sleep(true)) limit = Duration::zero();
  poller_.wait(limit);  // Trail 1: epoll reports that a descriptor is ready
  foreign.may_sleep(false);
  if (blocking_threshold_ > Duration::zero()) now_ = time();
  foreign.take_all(callbacks_);
  receive_dropped_futures();
  poller_.dispatch();
}

Duration IOLoop::time_to_sleep() {
  if (!callbacks_.empty() || !turn_ends_.empty()) return Duration::zero();
  const std::optional<TimePoint> next = timers_.next();
  if (!next) return Duration::max();
  return std::max(*next - time(), Duration::zero());
}

TimePoint IOLoop::time() {
  const TimePoint now = platform_.now();
  if (now >= last_time_) return last_time_ = now;
  ++clock_steps_back_;
  return last_time_;
}

void IOLoop::close() {
  check_thread("IOLoop::close");
  if (running_) throw InvalidStateError("IOLoop::close: stop() it first");
  if (closed_) return;
  closed_ = true;
  Task::end_all();
  spawned_.reset();
  executor_.reset();
  timers_.clear();
  callbacks_.clear();
  if (const std::size_t dropped = door_.shared_->queue.close(); dropped > 0)
    log::warning("IOLoop closed: dropped callbacks of other threads: ", dropped);
  receive_dropped_futures();
  signals_.reset();
  signal_callbacks_.reset();
  poller_.remove(door_.shared_->waker.fd());
}

IOLoop::Timeout IOLoop::add_timer(TimePoint when, Callback callback) {
  check_thread("IOLoop::call_at");
  return timers_.add(when, std::move(callback));
}

bool IOLoop::remove_timeout(Timeout timeout) {
  check_thread("IOLoop::remove_timeout");
  return timers_.remove(timeout);
}

bool IOLoop::add_from_here_or_elsewhere(Callback callback) {
  if (current_ != this) return door_.add_callback(std::move(callback));
  if (closed_) return false;
  callbacks_.add(std::move(callback));
  return true;
}

void IOLoop::add_handler(int fd, std::uint32_t events, HandlerFunction handler) {
  check_thread("IOLoop::add_handler");
  poller_.add_owned(fd, events, std::make_unique<FunctionHandler>(fd, std::move(handler)));
}

void IOLoop::add_handler(int fd, std::uint32_t events, EventHandler& handler) {
  check_thread("IOLoop::add_handler");
  poller_.add(fd, events, handler);
}

void IOLoop::update_handler(int fd, std::uint32_t events) {
  check_thread("IOLoop::update_handler");
  poller_.update(fd, events);
}

bool IOLoop::remove_handler(int fd) {
  check_thread("IOLoop::remove_handler");
  return poller_.remove(fd);
}

void IOLoop::add_signal_handler(int signal, std::function<void()> handler) {
  check_thread("IOLoop::add_signal_handler");
  if (!signals_) signals_ = std::make_unique<Signals>(poller_, platform_);
  signals_->add(signal, std::move(handler));
}

bool IOLoop::remove_signal_handler(int signal) {
  check_thread("IOLoop::remove_signal_handler");
  return signals_ && signals_->remove(signal);
}

std::size_t IOLoop::register_signal_callback(std::function<void()> callback) {
  check_thread("IOLoop::register_signal_callback");
  if (!signal_callbacks_) signal_callbacks_ = std::make_unique<SignalCallbacks>(poller_, platform_);
  return signal_callbacks_->add(std::move(callback));
}

void IOLoop::add_callback_from_signal(std::size_t registered) noexcept {
  if (signal_callbacks_) signal_callbacks_->request(registered);
}

CoroutineSet& IOLoop::spawned() {
  if (!spawned_) spawned_ = std::make_unique<CoroutineSet>();
  return *spawned_;
}

Executor& IOLoop::default_executor() {
  if (!executor_) executor_ = std::make_unique<Executor>();
  return *executor_;
}

void IOLoop::set_default_executor(std::unique_ptr<Executor> executor) {
  executor_ = std::move(executor);
}

std::string IOLoop::dump_tasks() const {
  check_thread("IOLoop::dump_tasks");
  return Task::dump(now_);
}

void IOLoop::report_blocking(TimePoint began) {
  const auto took = std::chrono::floor<std::chrono::milliseconds>(time() - began);
  if (took > blocking_threshold_)
    log::warning("a turn of the IOLoop took ", took.count(), " ms without a wait");
}

void IOLoop::refuse_thread(const char* call) const {
  throw WrongThreadError(call, thread_, ::syscall(SYS_gettid));
}

}  // namespace eddy
