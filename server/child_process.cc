#include "child_process.h"

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <system_error>

namespace eddy {
namespace {

// The C library's own functions cannot be linked from C++ before glibc 2.37.
int pidfd_open(pid_t pid) { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)); }

// A host's signal handler may interrupt it, and the kernel tells only once.
int wait_for(int pidfd, siginfo_t& ended) {
  int answer = 0;
  do answer = ::waitid(P_PIDFD, static_cast<id_t>(pidfd), &ended, WEXITED);
  while (answer < 0 && errno == EINTR);
  return answer;
}

}  // namespace

ChildProcess::ChildProcess(pid_t pid)
    : pid_(pid), pidfd_(above_standard_streams(UniqueFd(pidfd_open(pid)))) {
  if (pidfd_ || errno == ESRCH) return;  // gone already where SIGCHLD is ignored
  const int error_number = errno;
  ::kill(pid, SIGKILL);
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  throw std::system_error(error_number, std::generic_category(), "pidfd_open");
}

void ChildProcess::send_signal(int signal) const {
  if (pidfd_) ::syscall(SYS_pidfd_send_signal, pidfd_.get(), signal, nullptr, 0);
}

std::optional<int> ChildProcess::reap() {
  siginfo_t ended{};
  const int answer = pidfd_ ? wait_for(pidfd_.get(), ended) : -1;
  pidfd_.reset();
  pid_ = 0;
  if (answer < 0) return std::nullopt;
  return ended.si_code == CLD_EXITED ? ended.si_status : -ended.si_status;
}

std::string describe_signal(int signal) {
  const char* description = ::sigdescr_np(signal);
  return "signal " + std::to_string(signal) +
         (description ? " (" + std::string(description) + ')' : "");
}

}  // namespace eddy
