// AllSignalsBlocked: while it lives, the calling thread takes no signal.
//
// A thread inherits the mask of the one that starts it: what eddy starts takes none of a host's
// signals, for these belong to the host's threads.
#pragma once

#include <signal.h>

namespace eddy {

class AllSignalsBlocked {
 public:
  AllSignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~AllSignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  AllSignalsBlocked(const AllSignalsBlocked&) = delete;
  AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

}  // namespace eddy
