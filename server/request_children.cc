#include "request_children.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <thread>
#include <utility>

#include "../loop/log.h"
#include "../loop/run_sync.h"
#include "../loop/signal_mask.h"
#include "forked_child.h"
#include "request_runner.h"

namespace eddy {
namespace {

enum ExitCode { kServed = 0, kFailed = 1 };

// A thread that has ended, and was joined even, is counted until the kernel has put it away.
int other_threads_that_stay() {
  constexpr int kLooks = 500;  // at 1 ms
  int others = other_threads();
  for (int looks = 1; others > 0 && looks < kLooks; ++looks) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    others = other_threads();
  }
  return others;
}

void check_single_threaded(int others) {
  if (others > 0)
    throw InvalidStateError("InChildren: cannot fork a process with other threads, which has " +
                            std::to_string(others) + ": a child would not have them");
}

}  // namespace

RequestChildren::RequestChildren(RequestServer& server, RequestBells& bells,
                                 TCPServerOptions options, const InChildren& policy,
                                 std::function<void()> on_room)
    : server_(server),
      bells_(bells),
      options_(std::move(options)),
      policy_(policy),
      on_room_(std::move(on_room)),
      loop_(IOLoop::current()) {
  check_single_threaded(other_threads_that_stay());
}

RequestChildren::~RequestChildren() { close(); }

// Beyond the limit only what a draining server takes in, for it may not leave it unaccepted.
void RequestChildren::process(AcceptedRequest request) {
  const bool first = waiting_.empty();  // or it stands behind those who wait
  waiting_.push_back({std::move(request)});
  if (first) serve_waiting();
}

void RequestChildren::serve_waiting() try {
  loop_.remove_timeout(retry_);
  while (!waiting_.empty() && !no_room()) {
    fork_for(waiting_.begin());
    children_.splice(children_.end(), waiting_, waiting_.begin());
    patience_ = kFirstPause;
  }
  if (waiting_.empty()) told_ = false;
  if (!full()) on_room_();
} catch (const std::exception& shortage) {
  wait_out(shortage);
}

void RequestChildren::wait_out(const std::exception& shortage) {
  if (!std::exchange(told_, true))
    log::warning("cannot fork for a client: ", std::string_view(shortage.what()),
                 "; trying again from time to time");
  retry_ = loop_.call_later(patience_, [this] { serve_waiting(); });
  patience_ = std::min(2 * patience_, kLongestPause);
}

// A child begins once it is looked after: one that is killed before has taken nothing from its
// client, which another one may serve.
void RequestChildren::fork_for(Children::iterator child) {
  check_single_threaded(other_threads());
  const AllSignalsBlocked for_the_child;  // whose own ways they wait for, not our handlers
  Bell may_begin;
  const pid_t parent = ::getpid();
  const pid_t pid = loop_.platform().fork();
  if (pid < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (pid == 0) be_child(parent, may_begin, std::move(child->request));
  child->process = ChildProcess(pid);
  try {
    loop_.add_handler(child->process.fd(), kRead,
                      [this, child](int, std::uint32_t) { ended(child); });
  } catch (...) {
    child->process.send_signal(SIGKILL);
    child->process.reap();
    throw;
  }
  may_begin.ring();
  child->request.socket.reset();
}

// On the stack of the parent's loop, which is never gone back to.
void RequestChildren::be_child(pid_t parent, const Bell& may_begin, AcceptedRequest request) const {
  try {
    become_child_of(parent, {request.socket.get()});
    may_begin.wait();
    bells_.signals = drain_signals();
    IOLoop::forget_after_fork();
    IOLoop& loop = *new IOLoop;  // never destroyed: that would end the parent's coroutines, too
    RequestRunner runner(server_, bells_, options_, true);
    loop.run_sync([&] { return runner.run(std::move(request)); });
    ::_exit(kServed);
  } catch (...) {
    log::error("Exception in a child process: ", std::current_exception());
    ::_exit(kFailed);
  }
}

void RequestChildren::ended(Children::iterator child) {
  loop_.remove_handler(child->process.fd());
  const std::optional<int> status = child->process.reap();
  if (status && *status < 0)
    log::error("the child of ", child->request.client_name, " was ended by ",
               describe_signal(-*status));
  children_.erase(child);
  serve_waiting();
}

void RequestChildren::close() {
  const bool has_loop = IOLoop::current_or_null() != nullptr;
  if (has_loop) loop_.remove_timeout(retry_);
  waiting_.clear();
  for (Child& child : children_) {
    if (has_loop) loop_.remove_handler(child.process.fd());
    child.process.send_signal(SIGKILL);
    child.process.reap();
  }
  children_.clear();
}

std::vector<std::string> RequestChildren::workers() const {
  std::vector<std::string> all;
  for (const Child& child : children_)
    all.push_back("child " + std::to_string(child.process.pid()) + ": " +
                  child.request.client_name);
  return all;
}

}  // namespace eddy
