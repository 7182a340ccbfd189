#include "signals.h"

#include <sys/signalfd.h>

#include <bitset>
#include <cerrno>
#include <system_error>

#include "errors.h"
#include "run_logged.h"

namespace eddy {
namespace {

sigset_t only(int signal) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  return set;
}

thread_local std::bitset<NSIG> kept;  // blocked, for a handler to come

// Whether it was open before. Throws for one that cannot be blocked, such as SIGKILL.
bool block(int signal) {
  const sigset_t set = only(signal);
  sigset_t before;
  sigset_t now;
  ::pthread_sigmask(SIG_BLOCK, &set, &before);
  ::pthread_sigmask(SIG_BLOCK, nullptr, &now);
  if (sigismember(&now, signal) != 1)
    throw std::system_error(EINVAL, std::generic_category(),
                            "add_signal_handler(" + std::to_string(signal) + ")");
  const auto number = static_cast<std::size_t>(signal);
  const bool was_kept = kept.test(number);
  kept.reset(number);
  return was_kept || sigismember(&before, signal) == 0;
}

}  // namespace

void keep_for_handler(int signal) {
  static_cast<void>(block(signal));
  kept.set(static_cast<std::size_t>(signal));
}

Signals::~Signals() {  // without a call of signalfd(), which would change a parent's after a fork
  poller_.remove(fd_.get());
  for (const auto& [signal, handler] : handlers_)
    if (!handler.was_blocked) unblock(signal);
}

void Signals::add(int signal, std::function<void()> handler) {
  if (const auto known = handlers_.find(signal); known != handlers_.end()) {
    known->second.function = std::move(handler);
    return;
  }
  poller_.check_not_forked();
  Handler& added = handlers_[signal];
  try {
    added = {std::move(handler), !block(signal)};
    watch();
  } catch (...) {
    remove(signal);
    throw;
  }
}

bool Signals::remove(int signal) {
  const auto known = handlers_.find(signal);
  if (known == handlers_.end()) return false;
  const Handler removed = std::move(known->second);
  handlers_.erase(known);
  watch();
  if (!removed.was_blocked) unblock(signal);
  return true;
}

sigset_t Signals::host_mask() {
  sigset_t mask;
  ::pthread_sigmask(SIG_BLOCK, nullptr, &mask);
  for (int signal = 1; signal < NSIG; ++signal)
    if (kept.test(static_cast<std::size_t>(signal))) sigdelset(&mask, signal);
  return mask;
}

sigset_t Signals::outer_mask() const {
  sigset_t mask = host_mask();
  for (const auto& [signal, handler] : handlers_)
    if (!handler.was_blocked) sigdelset(&mask, signal);
  return mask;
}

// What came while the handler was there is the handler's: it must not end the process now.
void Signals::unblock(int signal) {
  const sigset_t set = only(signal);
  const timespec at_once{};
  while (::sigtimedwait(&set, nullptr, &at_once) == signal) {
  }
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

void Signals::watch() {
  if (handlers_.empty()) {
    poller_.remove(fd_.get());
    fd_.reset();
    return;
  }
  poller_.check_not_forked();
  sigset_t set;
  sigemptyset(&set);
  for (const auto& [signal, handler] : handlers_) sigaddset(&set, signal);
  const int fd = ::signalfd(fd_.get(), &set, SFD_NONBLOCK | SFD_CLOEXEC);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), "signalfd");
  if (fd_) return;
  fd_ = above_standard_streams(UniqueFd(fd));
  poller_.add(fd_.get(), kRead, *this);
}

void Signals::handle_events(std::uint32_t) {
  signalfd_siginfo arrived;
  while (fd_ && platform_.read(fd_.get(), &arrived, sizeof arrived) == sizeof arrived) {
    const auto known = handlers_.find(static_cast<int>(arrived.ssi_signo));
    if (known == handlers_.end()) continue;
    const std::function<void()> handler = known->second.function;  // it may remove itself
    run_logged("Exception in signal handler: ", handler);
  }
}

SignalCallbacks::SignalCallbacks(Poller& poller, Platform& platform)
    : poller_(poller), waker_(platform) {
  poller_.add(waker_.fd(), kRead, *this);
}

std::size_t SignalCallbacks::add(std::function<void()> callback) {
  if (callbacks_.size() == kMost)
    throw LimitError("register_signal_callback: at most 64 can be registered");
  callbacks_.push_back(std::move(callback));
  return callbacks_.size() - 1;
}

void SignalCallbacks::request(std::size_t which) noexcept {
  const int saved = errno;
  if (which < kMost) requested_[which].store(true, std::memory_order_release);
  waker_.ring();
  errno = saved;
}

void SignalCallbacks::handle_events(std::uint32_t events) {
  waker_.handle_events(events);
  for (std::size_t which = 0; which < callbacks_.size(); ++which) {
    if (requested_[which].exchange(false, std::memory_order_acquire))
      run_logged("Exception in signal callback: ", callbacks_[which]);
  }
}

}  // namespace eddy
