// WithoutSigpipe: a write to a pipe whose reader is gone is an EPIPE, and no more than that.
//
// What the interpreter does for Tornado by ignoring SIGPIPE. A pipe knows no MSG_NOSIGNAL: while
// one of these lives, the signal of a write is held back, and then taken away again. The host's own
// disposition, and a SIGPIPE of its own that waits already, stay as they are.
#pragma once

#include <signal.h>

namespace eddy {

class WithoutSigpipe {
 public:
  WithoutSigpipe();
  ~WithoutSigpipe();
  WithoutSigpipe(const WithoutSigpipe&) = delete;
  WithoutSigpipe& operator=(const WithoutSigpipe&) = delete;

  void take_away() const;  // after a write that failed or took only a part; errno stays

 private:
  sigset_t before_;
  bool was_waiting_ = false;
};

}  // namespace eddy
