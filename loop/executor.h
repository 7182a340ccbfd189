// Executor: a few threads for work that blocks.
//
// Mirrors concurrent.futures.ThreadPoolExecutor as tornado.ioloop.IOLoop.run_in_executor uses it,
// but bounded: what waits for a thread has a limit, beyond which a job fails at once. The threads
// start with the first job, with every signal blocked, and are joined at the end, when the jobs
// that run have finished and those that wait are dropped.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "io_loop.h"

namespace eddy {

class Executor {
 public:
  static constexpr std::size_t kThreads = 4;
  static constexpr std::size_t kMostWaiting = 1024;

  explicit Executor(std::size_t threads = kThreads, std::size_t most_waiting = kMostWaiting);
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  // Any thread. Throws LimitError, which names the limit, or std::system_error when not even one
  // thread can be had.
  void submit(Callback job);

 private:
  void work();
  void start_thread();

  const std::size_t most_threads_;
  const std::size_t most_waiting_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  std::deque<Callback> jobs_;
  std::vector<std::thread> threads_;
  std::size_t idle_ = 0;
  bool ending_ = false;
};

// Runs `function` on a thread of the executor; its result, or what it throws, comes back in a
// Future of this loop. A full executor fails the Future with LimitError.
template <class F>
auto run_in_executor(IOLoop& loop, Executor& executor, F function,
                     Location where = Location::current()) {
  using Result = std::invoke_result_t<F&>;
  Promise<Result> promise("run_in_executor", where);
  Future<Result> future = promise.future();
  auto job = [door = loop.door(), function = std::move(function),
              promise = std::move(promise)]() mutable {
    std::exception_ptr failure;
    std::optional<typename FutureStateOf<Result>::Value> result;
    try {
      if constexpr (std::is_void_v<Result>)
        function(), result.emplace();
      else
        result.emplace(function());
    } catch (...) {
      failure = std::current_exception();
    }
    door.add_callback([promise = std::move(promise), result = std::move(result),
                       failure = std::move(failure)]() mutable {
      if (failure)
        promise.set_exception(std::move(failure));
      else
        promise.set_result(std::move(*result));
    });
  };
  try {
    executor.submit(std::move(job));
  } catch (...) {
    return make_failed_future<Result>(std::current_exception(), "run_in_executor", where);
  }
  return future;
}

template <class F>
auto IOLoop::run_in_executor(F function, Location where) {
  check_thread("IOLoop::run_in_executor");
  return eddy::run_in_executor(*this, default_executor(), std::move(function), where);
}

}  // namespace eddy
