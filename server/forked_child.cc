#include "forked_child.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <iterator>
#include <string>
#include <system_error>
#include <vector>

namespace eddy {
namespace {

using Entries = std::filesystem::directory_iterator;

sigset_t set_of_drain_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : kDrainSignals) sigaddset(&set, signal);
  return set;
}

// Handlers are the parent's code; what it ignores stays ignored, as after an exec. Those that the
// child is to see wait for it.
void reset_signals() {
  for (int signal = 1; signal < NSIG; ++signal) {
    struct sigaction action {};
    if (::sigaction(signal, nullptr, &action) < 0 || action.sa_handler == SIG_IGN) continue;
    ::signal(signal, SIG_DFL);
  }
  const sigset_t blocked = set_of_drain_signals();
  ::pthread_sigmask(SIG_SETMASK, &blocked, nullptr);
}

std::vector<int> open_descriptors() {
  std::vector<int> all;
  for (const auto& entry : Entries("/proc/self/fd"))
    all.push_back(std::stoi(entry.path().filename()));
  return all;
}

bool is_socket(int fd) {
  struct stat what {};
  return ::fstat(fd, &what) == 0 && S_ISSOCK(what.st_mode);
}

// A client whose socket lives on here would wait for its end in vain. The standard streams may be
// sockets as well, a log's.
void close_sockets_but(std::initializer_list<int> kept) {
  for (const int fd : open_descriptors())
    if (fd > STDERR_FILENO && is_socket(fd) &&
        std::find(kept.begin(), kept.end(), fd) == kept.end())
      ::close(fd);
}

}  // namespace

void end_with(pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::kill(::getpid(), SIGKILL);  // it went before we asked
}

void become_child_of(pid_t parent, std::initializer_list<int> sockets_to_keep) {
  end_with(parent);
  reset_signals();
  close_sockets_but(sockets_to_keep);
}

UniqueFd drain_signals() {
  const sigset_t set = set_of_drain_signals();
  UniqueFd fd = above_standard_streams(UniqueFd(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC)));
  if (!fd) throw std::system_error(errno, std::generic_category(), "signalfd");
  return fd;
}

int other_threads() {
#ifdef __SANITIZE_THREAD__
  constexpr int kOwn = 2;  // one is the sanitizer's
#else
  constexpr int kOwn = 1;
#endif
  return static_cast<int>(std::distance(Entries("/proc/self/task"), Entries())) - kOwn;
}

}  // namespace eddy
