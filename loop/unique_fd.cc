#include "unique_fd.h"

#include <fcntl.h>

#include "platform.h"

namespace eddy {

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
  if (this == &other) return *this;
  reset();
  fd_ = other.release();
  return *this;
}

void UniqueFd::reset() {
  if (fd_ >= 0) Platform::current().close(release());
}

UniqueFd above_standard_streams(UniqueFd fd) {
  if (fd.get() < 0 || fd.get() > 2) return fd;
  return UniqueFd(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 3));
}

}  // namespace eddy
