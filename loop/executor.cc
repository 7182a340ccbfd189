#include "executor.h"

#include <signal.h>

#include <string>

#include "run_logged.h"

namespace eddy {

Executor::Executor(std::size_t threads, std::size_t most_waiting)
    : most_threads_(threads), most_waiting_(most_waiting) {}

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
  jobs_.push_back(std::move(job));
  if (idle_ < jobs_.size() && threads_.size() < most_threads_) start_thread();
  wake_.notify_one();
}

void Executor::start_thread() {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);  // a host's signals belong to the host's threads
  threads_.emplace_back([this] { work(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
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
