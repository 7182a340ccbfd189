// Waker: an eventfd that ends the loop's sleep.
//
// Mirrors tornado.platform.posix.Waker. Ringing is safe on any thread and in a signal handler;
// ringing too often is harmless.
#pragma once

#include "poller.h"
#include "unique_fd.h"

namespace eddy {

class Waker : public EventHandler {
 public:
  explicit Waker(Platform& platform);

  int fd() const { return fd_.get(); }
  void ring() noexcept;
  void handle_events(std::uint32_t events) override;  // hears the ringing

 private:
  Platform& platform_;
  UniqueFd fd_;
};

}  // namespace eddy
