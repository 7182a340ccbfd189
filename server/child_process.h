// ChildProcess: a process that we have forked, and may wait for and signal without a mistake.
//
// Stands where tornado.process keeps a bare pid. It is held by a pidfd: no SIGCHLD is needed, and
// nobody else's children are touched.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "../loop/unique_fd.h"

namespace eddy {

class ChildProcess {
 public:
  ChildProcess() = default;  // none
  // Takes charge of a child. Throws std::system_error when no descriptor is left: it is then
  // killed.
  explicit ChildProcess(pid_t pid);

  explicit operator bool() const { return pid_ > 0; }
  pid_t pid() const { return pid_; }
  int fd() const { return pidfd_.get(); }  // readable once it has ended
  void send_signal(int signal) const;      // harmless when it has ended
  // Once it has ended: its exit code, or minus the signal that ended it; nothing when somebody else
  // has asked the kernel first, which tells only once.
  std::optional<int> reap();

 private:
  pid_t pid_ = 0;
  UniqueFd pidfd_;
};

std::string describe_signal(int signal);  // `signal 9 (Killed)`

}  // namespace eddy
