#include "without_sigpipe.h"

#include <cerrno>
#include <ctime>

namespace eddy {
namespace {

const sigset_t& only_sigpipe() {
  static const sigset_t set = [] {
    sigset_t made;
    sigemptyset(&made);
    sigaddset(&made, SIGPIPE);
    return made;
  }();
  return set;
}

}  // namespace

WithoutSigpipe::WithoutSigpipe() {
  ::pthread_sigmask(SIG_BLOCK, &only_sigpipe(), &before_);
  if (sigismember(&before_, SIGPIPE) != 1) return;  // so none can have been waiting
  sigset_t waiting;
  ::sigpending(&waiting);
  was_waiting_ = sigismember(&waiting, SIGPIPE) == 1;
}

WithoutSigpipe::~WithoutSigpipe() {
  const int error_number = errno;
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  errno = error_number;
}

void WithoutSigpipe::take_away() const {
  const int error_number = errno;
  const timespec at_once{};
  if (!was_waiting_) ::sigtimedwait(&only_sigpipe(), nullptr, &at_once);
  errno = error_number;
}

}  // namespace eddy
