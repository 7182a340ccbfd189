// run_logged: the edge of the loop, which no exception crosses.
//
// Mirrors tornado.ioloop.IOLoop._run_callback: a failing callback is logged and the loop goes on.
#pragma once

#include <exception>

#include "log.h"

namespace eddy {

template <class F>
void run_logged(const char* what, F&& function) noexcept {
  try {
    function();
  } catch (...) {
    log::error(what, std::current_exception());
  }
}

}  // namespace eddy
