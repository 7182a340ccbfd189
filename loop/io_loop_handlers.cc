// What the loop is asked to watch and to keep: descriptors, signals, an executor.

#include "executor.h"
#include "io_loop.h"
#include "signals.h"
#include "task.h"

namespace eddy {
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

bool IOLoop::remove_timeout(Timeout timeout) {
  check_thread("IOLoop::remove_timeout");
  return timers_.remove(timeout);
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

sigset_t IOLoop::signal_mask_for_exec() const {
  check_thread("IOLoop::signal_mask_for_exec");
  return signals_ ? signals_->outer_mask() : Signals::host_mask();
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
  check_thread("IOLoop::set_default_executor");
  executor_ = std::move(executor);
}

std::string IOLoop::dump_tasks() const {
  check_thread("IOLoop::dump_tasks");
  return Task::dump(now_);
}

}  // namespace eddy
