#include "pipe_io_stream.h"

#include <fcntl.h>
#include <signal.h>

#include <cerrno>
#include <ctime>
#include <system_error>

namespace eddy {
namespace {

// A pipe knows no MSG_NOSIGNAL: the SIGPIPE of a write is held back and taken away again, and the
// host's own disposition, and a SIGPIPE of its own that waits already, stay as they are.
class WithoutSigpipe {
 public:
  WithoutSigpipe() {
    ::pthread_sigmask(SIG_BLOCK, &only(), &before_);
    if (sigismember(&before_, SIGPIPE) != 1) return;  // so none can have been waiting
    sigset_t waiting;
    ::sigpending(&waiting);
    was_waiting_ = sigismember(&waiting, SIGPIPE) == 1;
  }
  ~WithoutSigpipe() {
    const int error_number = errno;
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    errno = error_number;
  }
  WithoutSigpipe(const WithoutSigpipe&) = delete;
  WithoutSigpipe& operator=(const WithoutSigpipe&) = delete;

  void take_away() const {
    const int error_number = errno;
    const timespec at_once{};
    if (!was_waiting_) ::sigtimedwait(&only(), nullptr, &at_once);
    errno = error_number;
  }

 private:
  static const sigset_t& only() {
    static const sigset_t set = [] {
      sigset_t made;
      sigemptyset(&made);
      sigaddset(&made, SIGPIPE);
      return made;
    }();
    return set;
  }

  sigset_t before_;
  bool was_waiting_ = false;
};

bool writes_only(int fd) { return (::fcntl(fd, F_GETFL) & O_ACCMODE) == O_WRONLY; }

}  // namespace

PipeIOStream::PipeIOStream(UniqueFd end, SharedLimits limits)
    : BaseIOStream(std::move(limits)), end_(std::move(end)) {
  const int flags = ::fcntl(end_.get(), F_GETFL);
  if (flags < 0 || ::fcntl(end_.get(), F_SETFL, flags | O_NONBLOCK) < 0)
    throw std::system_error(errno, std::generic_category(), "PipeIOStream");
}

ssize_t PipeIOStream::read_from_fd(char* data, std::size_t size) {
  return loop().platform().read(fileno(), data, size);
}

ssize_t PipeIOStream::write_to_fd(const char* data, std::size_t size) {
  const WithoutSigpipe held_back;
  const ssize_t count = loop().platform().write(fileno(), data, size);
  if (count < static_cast<ssize_t>(size)) held_back.take_away();  // also after a part was taken
  return count;
}

// The kernel keeps no error for a pipe: a writer whose reader is gone is told only that it is over.
int PipeIOStream::fd_error() { return writes_only(fileno()) ? EPIPE : 0; }

}  // namespace eddy
