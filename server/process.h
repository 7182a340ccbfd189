// fork_processes: one process for each core, and a parent that looks after them.
//
// Mirrors tornado.process. The parent's call returns too, once all children have ended, for this
// library never exits: what it gives is for main to return.
//
//   std::vector<UniqueFd> sockets = bind_sockets(8000);
//   const Forked forked = fork_processes(0);
//   if (!forked.task_id) return forked.exit_code;  // the parent, after the last child
//   IOLoop loop;                                   // each child's own
//
// A child that a signal or a code other than 0 ends is logged, and another one takes its place and
// its task id: at once, then after longer and longer pauses while it does not live for long. One
// that ends with 0 has done its work. SIGTERM, SIGINT, SIGHUP, SIGUSR1 and SIGUSR2 are passed on to
// all children; after one of the first two no child is started any more, and a second one of these
// kills them all, with 128 more than its number as the exit code. Another one that ends a
// child, because it is not handled, ends them all with such a code, as it would end one process.
// Without the parent, even when it was killed, the children end at once.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "../loop/clock.h"

namespace eddy {

struct ForkOptions {
  // So many crashes within this time: the others are ended and the exit code is 1.
  int max_crashes = 10;
  Duration crash_window = std::chrono::seconds(10);
  Duration grace = std::chrono::seconds(5);  // between SIGTERM and SIGKILL, when it gives up
  // A child will handle these with IOLoop::add_signal_handler: until then they wait, so that none
  // ends a child that has only begun.
  std::vector<int> handled_signals{};
  std::function<void()> on_started{};   // in the parent, once all children have been forked
  std::function<void()> on_stopping{};  // in the parent, once none is started any more: it closes
                                        // its listeners, lest the kernel queue clients for nobody
};

struct Forked {
  std::optional<int> task_id;  // in a child: 0 to n - 1
  int exit_code = 0;  // in the parent: the highest of its children's after SIGTERM or SIGINT, where
                      // a signal counts 128 more than its number; 128 more than a signal that was
                      // not handled; 1 after too many crashes; or 0
};

// n <= 0: one for each core. To be called on the main thread before it has an IOLoop, and before
// other threads start, which a child would not have: a signal that one of them does not block is
// not passed on. Throws InvalidStateError where there is a loop, or in a child of an earlier call;
// std::system_error when the kernel gives no process, and then none is left.
[[nodiscard]] Forked fork_processes(int processes, const ForkOptions& options = {});

std::optional<int> task_id();  // of this process; nothing in the parent, and where nobody forked
int cpu_count();               // the cores that this process may run on

}  // namespace eddy
