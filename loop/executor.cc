#include "executor.h"

#include <algorithm>
#include <string>

#include "run_logged.h"
#include "signal_mask.h"

namespace eddy {

Executor::Executor(std::size_t threads, std::size_t most_waiting)
    : most_threads_(std::max<std::size_t>(threads, 1)), most_waiting_(most_waiting) {}

Executor::~Executor() {
  std::deque<Callback> dropped;
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    dropped.swap(jobs_);
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Executor::submit(Callback job) {
  const std::lock_guard lock(mutex_);
  if (jobs_.size() >= most_waiting_)
    throw LimitError("Executor: " + std::to_string(most_waiting_) +
                     " jobs wait for a thread already (most_waiting)");
  if (idle_ <= jobs_.size() && threads_.size() < most_threads_) start_thread();
  jobs_.push_back(std::move(job));
  wake_.notify_one();
}

// Fewer threads than wished for are better than none.
void Executor::start_thread() {
  const AllSignalsBlocked inherited;
  try {
    threads_.emplace_back([this] { work(); });
  } catch (...) {
    if (threads_.empty()) throw;
  }
}

void Executor::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    wake_.wait(lock, [this] { return ending_ || !jobs_.empty(); });
    --idle_;
    if (jobs_.empty()) return;
    Callback job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    run_logged("Exception in executor: ", job);
    job = Callback();  // its captures die here, on the thread that ran it
    lock.lock();
  }
}

}  // namespace eddy
