// RequestBells: how a RequestServer tells those who run its requests that the end comes.
//
// They may be threads and children, and may be blocked: an eventfd is heard through all that.
#pragma once

#include <poll.h>

#include "../loop/waker.h"

namespace eddy {

// Rung once; from then on its descriptor is readable, for every thread and child that looks.
class Bell {
 public:
  int fd() const { return waker_.fd(); }
  void ring() { waker_.ring(); }
  // Asks the kernel: what a parent remembers after the fork, its child would not know.
  bool rung() const { return rings_within(0); }
  void wait() const {
    while (!rings_within(-1)) {
    }
  }

 private:
  bool rings_within(int milliseconds) const {
    pollfd bell{fd(), POLLIN, 0};
    return Platform::current().poll(&bell, 1, milliseconds) == 1;
  }

  Waker waker_{Platform::current()};
};

struct RequestBells {
  Bell draining;       // what has arrived is still served
  Bell closing;        // nothing is
  UniqueFd signals{};  // a child's own: readable once one asks it to drain; nobody reads it
};

}  // namespace eddy
