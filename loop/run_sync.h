// run_sync: a whole program in one call: starts the loop, runs one coroutine, stops.
//
// Mirrors tornado.ioloop.IOLoop.run_sync.
#pragma once

#include "io_loop.h"

namespace eddy {

// `function` returns a Future. Gives its result or throws its failure; TimeoutError when `timeout`
// passed first (the coroutine is cancelled, and waited for); InvalidStateError when somebody else
// stopped the loop.
template <class F>
auto IOLoop::run_sync(F function, Duration timeout) {
  using Result = std::invoke_result_t<F&>;
  static_assert(detail::is_future<Result>, "run_sync wants a function that returns a Future");
  std::optional<Result> future;
  std::exception_ptr failure;
  bool timed_out = false;
  add_callback([&] {
    try {
      future = function();
      add_future(*future, [this] { stop(); });
    } catch (...) {
      failure = std::current_exception();
      stop();
    }
  });
  Timeout timer;
  if (timeout != Duration::max())
    timer = call_later(timeout, [&] {
      timed_out = true;
      if (future) future->cancel();
    });
  start();
  remove_timeout(timer);
  if (failure) std::rethrow_exception(failure);
  if (timed_out) throw TimeoutError("run_sync: the operation timed out");
  if (!future || !future->done())
    throw InvalidStateError("run_sync: the event loop stopped before the Future completed");
  if constexpr (std::is_void_v<decltype(future->result())>)
    future->result();
  else
    return std::move(future->result());
}

}  // namespace eddy
