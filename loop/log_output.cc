#include "log_output.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <string>

#include "unique_fd.h"
#include "without_sigpipe.h"

namespace eddy {
namespace {

// A description of our own, since O_NONBLOCK on the one that we share would be everybody's.
UniqueFd reopen(int fd) {
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  return UniqueFd(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
}

bool is_writable(int fd) {
  pollfd one{fd, POLLOUT, 0};
  return ::poll(&one, 1, 0) == 1 && one.revents == POLLOUT;
}

ssize_t write_quietly(int fd, std::string_view bytes) {
  const WithoutSigpipe held_back;
  const ssize_t count = ::write(fd, bytes.data(), bytes.size());
  if (count < static_cast<ssize_t>(bytes.size())) held_back.take_away();
  return count;
}

// Where it cannot be reopened (no descriptor is left, it belongs to another user, there is no
// /proc), it is asked first: a pipe that is writable has room for PIPE_BUF bytes.
ssize_t write_to_pipe_or_terminal(int fd, std::string_view bytes) {
  const UniqueFd ours = reopen(fd);
  if (ours) return write_quietly(ours.get(), bytes);
  return is_writable(fd) ? write_quietly(fd, bytes) : -1;
}

ssize_t write_some(int fd, std::string_view bytes) {
  struct stat what;
  if (::fstat(fd, &what) < 0) return -1;
  if (S_ISSOCK(what.st_mode))
    return ::send(fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (S_ISREG(what.st_mode)) return write_quietly(fd, bytes);
  return write_to_pipe_or_terminal(fd, bytes);
}

}  // namespace

bool LogOutput::write(std::string_view line) {
  return torn_ ? write_all("... cut\n" + std::string(line)) : write_all(line);
}

bool LogOutput::write_all(std::string_view line) {
  while (!line.empty()) {
    const ssize_t count = write_some(fd_, line.substr(0, PIPE_BUF));
    if (count <= 0) return false;
    line.remove_prefix(static_cast<std::size_t>(count));
    torn_ = !line.empty();
  }
  return true;
}

}  // namespace eddy
