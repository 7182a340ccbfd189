#include "pipe_io_stream.h"

#include <fcntl.h>

#include <cerrno>
#include <system_error>

#include "../loop/without_sigpipe.h"

namespace eddy {
namespace {

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
