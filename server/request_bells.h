// RequestBells: how a RequestServer tells those who run its requests that the end comes.
//
// They may be threads and children, and may be blocked: an eventfd is heard through all that.
#pragma once

#include <atomic>

#include "../loop/waker.h"

namespace eddy {

// Rung once; from then on its descriptor is readable, for every thread and child that looks.
class Bell {
 public:
  int fd() const { return waker_.fd(); }
  bool rung() const { return rung_; }
  void ring() {
    rung_ = true;
    waker_.ring();
  }

 private:
  Waker waker_{Platform::current()};
  std::atomic<bool> rung_{false};
};

struct RequestBells {
  Bell draining;  // what has arrived is still served
  Bell closing;   // nothing is
};

}  // namespace eddy
