#include "waker.h"

#include <sys/eventfd.h>

#include <cerrno>
#include <system_error>

namespace eddy {

Waker::Waker(Platform& platform)
    : platform_(platform),
      fd_(above_standard_streams(UniqueFd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)))) {
  if (!fd_) throw std::system_error(errno, std::generic_category(), "eventfd");
}

void Waker::ring() noexcept {
  const std::uint64_t one = 1;
  while (platform_.write(fd_.get(), &one, sizeof one) < 0 && errno == EINTR) {
  }
}

void Waker::handle_events(std::uint32_t) {
  std::uint64_t rings = 0;
  while (platform_.read(fd_.get(), &rings, sizeof rings) < 0 && errno == EINTR) {
  }
}

}  // namespace eddy
