#include "signals.h"

#include <sys/signalfd.h>

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

}  // namespace

Signals::~Signals() {
  while (!handlers_.empty()) remove(handlers_.begin()->first);
}

void Signals::add(int signal, std::function<void()> handler) {
  if (const auto known = handlers_.find(signal); known != handlers_.end()) {
    known->second.function = std::move(handler);
    return;
  }
  const sigset_t set = only(signal);
  sigset_t before;
  if (::pthread_sigmask(SIG_BLOCK, &set, &before) != 0)
    throw std::system_error(EINVAL, std::generic_category(),
                            "add_signal_handler(" + std::to_string(signal) + ")");
  handlers_[signal] = {std::move(handler), sigismember(&before, signal) == 1};
  watch();
}

bool Signals::remove(int signal) {
  const auto known = handlers_.find(signal);
  if (known == handlers_.end()) return false;
  const bool was_blocked = known->second.was_blocked;
  handlers_.erase(known);
  watch();
  const sigset_t set = only(signal);
  if (!was_blocked) ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  return true;
}

void Signals::watch() {
  if (handlers_.empty()) {
    poller_.remove(fd_.get());
    fd_.reset();
    return;
  }
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
