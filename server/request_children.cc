#include "request_children.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "../loop/log.h"
#include "../loop/run_sync.h"
#include "forked_child.h"
#include "request_runner.h"

namespace eddy {
namespace {

enum ExitCode { kServed = 0, kFailed = 1 };

void check_single_threaded() {
  if (const int others = other_threads(); others > 0)
    throw InvalidStateError("InChildren: cannot fork a process with other threads, which has " +
                            std::to_string(others) + ": a child would not have them");
}

}  // namespace

RequestChildren::RequestChildren(RequestServer& server, const RequestBells& bells,
                                 TCPServerOptions options, const InChildren& policy,
                                 std::function<void()> on_room)
    : server_(server),
      bells_(bells),
      options_(std::move(options)),
      policy_(policy),
      on_room_(std::move(on_room)),
      loop_(IOLoop::current()) {
  check_single_threaded();
}

RequestChildren::~RequestChildren() { close(); }

// Beyond the limit only what a draining server takes in, for it may not leave it unaccepted.
void RequestChildren::process(AcceptedRequest request) {
  if (full())
    waiting_.push_back(std::move(request));
  else
    fork_for(std::move(request));
}

void RequestChildren::fork_for(AcceptedRequest request) {
  check_single_threaded();
  const pid_t parent = ::getpid();
  const pid_t pid = loop_.platform().fork();
  if (pid < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (pid == 0) be_child(parent, std::move(request));
  Child child{ChildProcess(pid), std::move(request.ticket), std::move(request.client_name)};
  if (child.process.fd() < 0) return;  // it has ended, and nobody waits for it
  loop_.add_handler(child.process.fd(), kRead, [this, pid](int, std::uint32_t) { ended(pid); });
  children_.emplace(pid, std::move(child));
}

// On the stack of the parent's loop, which is never gone back to.
void RequestChildren::be_child(pid_t parent, AcceptedRequest request) const {
  try {
    become_child_of(parent, {request.socket.get()});
    IOLoop::forget_after_fork();
    IOLoop& loop = *new IOLoop;  // never destroyed: that would end the parent's coroutines, too
    RequestRunner runner(server_, bells_, options_, true);
    for (const int signal : kDrainSignals)
      loop.add_signal_handler(signal, [&runner] { runner.drain(); });
    loop.run_sync([&] { return runner.run(std::move(request)); });
    ::_exit(kServed);
  } catch (...) {
    log::error("Exception in a child process: ", std::current_exception());
    ::_exit(kFailed);
  }
}

void RequestChildren::ended(pid_t pid) {
  const auto found = children_.find(pid);
  loop_.remove_handler(found->second.process.fd());
  Child child = std::move(found->second);
  children_.erase(found);
  const std::optional<int> status = child.process.reap();
  if (status && *status < 0)
    log::error("the child of ", child.client, " was ended by ", describe_signal(-*status));
  if (waiting_.empty()) return on_room_();
  AcceptedRequest next = std::move(waiting_.front());
  waiting_.pop_front();
  fork_for(std::move(next));
}

void RequestChildren::close() {
  waiting_.clear();
  for (auto& [pid, child] : children_) {
    if (IOLoop::current_or_null()) loop_.remove_handler(child.process.fd());
    child.process.send_signal(SIGKILL);
    child.process.reap();
  }
  children_.clear();
}

std::vector<std::string> RequestChildren::workers() const {
  std::vector<std::string> all;
  for (const auto& [pid, child] : children_)
    all.push_back("child " + std::to_string(pid) + ": " + child.client);
  return all;
}

}  // namespace eddy
