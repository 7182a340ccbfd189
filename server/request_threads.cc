#include "request_threads.h"

#include <algorithm>
#include <future>
#include <stdexcept>
#include <thread>
#include <utility>

#include "../loop/signal_mask.h"
#include "request_runner.h"

namespace eddy {

// Made and destroyed on the server's thread, once the bell for closing has rung.
class RequestThreads::Worker {
 public:
  Worker(RequestServer& server, const RequestBells& bells, const TCPServerOptions& options,
         std::size_t shares) {
    const AllSignalsBlocked inherited;
    std::promise<void> ready;
    std::future<void> started = ready.get_future();
    thread_ = std::thread([&, options, shares, ready = std::move(ready)]() mutable {
      run(server, bells, options, shares, std::move(ready));
    });
    try {
      started.get();
    } catch (...) {
      thread_.join();
      throw;
    }
  }
  ~Worker() { thread_.join(); }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void process(AcceptedRequest request) const {
    door_.add_callback([runner = runner_, request = std::move(request)]() mutable {
      runner->start(std::move(request));
    });
  }
  long id() const { return id_; }

 private:
  void run(RequestServer& server, const RequestBells& bells, const TCPServerOptions& options,
           std::size_t shares, std::promise<void> ready) {
    std::unique_ptr<IOLoop> loop;
    std::unique_ptr<RequestRunner> runner;
    try {
      loop = std::make_unique<IOLoop>();
      runner = std::make_unique<RequestRunner>(server, bells, options, true, shares);
      loop->add_handler(bells.closing.fd(), kRead, [&](int, std::uint32_t) { loop->stop(); });
      door_ = loop->door();
      runner_ = runner.get();
      id_ = loop->thread();
      ready.set_value();
    } catch (...) {
      return ready.set_exception(std::current_exception());
    }
    loop->start();
  }

  std::thread thread_;
  LoopDoor door_;  // these three are the thread's own until it is ready
  RequestRunner* runner_ = nullptr;
  long id_ = 0;
};

RequestThreads::RequestThreads(RequestServer& server, const OpenRequests& open, RequestBells& bells,
                               const TCPServerOptions& options, const OnThreads& policy)
    : open_(open), policy_(policy), bells_(bells) {
  if (options.stream.budget)
    throw std::invalid_argument(
        "TCPServerOptions.stream.budget: belongs to one thread; OnThreads, set "
        "max_total_buffer_size instead");
  const std::size_t count = std::max<std::size_t>(policy.threads, 1);
  try {
    for (std::size_t at = 0; at < count; ++at)
      workers_.push_back(std::make_unique<Worker>(server, bells, options, count));
  } catch (...) {
    close();
    throw;
  }
}

RequestThreads::~RequestThreads() { close(); }

void RequestThreads::close() {
  bells_.closing.ring();
  workers_.clear();
}

void RequestThreads::process(AcceptedRequest request) {
  std::size_t idlest = 0;
  for (std::size_t at = 1; at < workers_.size(); ++at)
    if (open_.at_worker(at) < open_.at_worker(idlest)) idlest = at;
  if (open_.at_worker(idlest) >= policy_.max_per_thread)
    throw LimitError("max_per_thread = " + std::to_string(policy_.max_per_thread));
  request.ticket.assign(idlest);
  workers_.at(idlest)->process(std::move(request));
}

std::vector<std::string> RequestThreads::workers() const {
  std::vector<std::string> all;
  for (std::size_t at = 0; at < workers_.size(); ++at)
    all.push_back("thread " + std::to_string(workers_[at]->id()) + ": " +
                  std::to_string(open_.at_worker(at)) + " connections");
  return all;
}

}  // namespace eddy
