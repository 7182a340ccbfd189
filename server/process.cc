#include "process.h"

#include <sched.h>

#include <cstdlib>
#include <random>

#include "../loop/errors.h"
#include "../loop/io_loop.h"
#include "supervisor.h"

namespace eddy {
namespace {

std::optional<int> own_task_id;

void check_may_fork() {
  if (own_task_id)
    throw InvalidStateError("fork_processes: this process is a child of fork_processes already");
  if (IOLoop::current_or_null())
    throw InvalidStateError(
        "fork_processes: this thread has an IOLoop, which cannot be shared: "
        "let each child make its own, after fork_processes");
}

// Or each child would draw the same numbers as its siblings.
void seed_random_numbers() {
  std::random_device random;
  std::srand(random());
  ::srand48(static_cast<long>(random()));
}

}  // namespace

Forked fork_processes(int processes, const ForkOptions& options) {
  check_may_fork();
  const Forked forked = Supervisor(processes > 0 ? processes : cpu_count(), options).run();
  if (!forked.task_id) return forked;
  own_task_id = forked.task_id;
  seed_random_numbers();
  return forked;
}

std::optional<int> task_id() { return own_task_id; }

int cpu_count() {
  cpu_set_t cores;
  return ::sched_getaffinity(0, sizeof cores, &cores) == 0 ? CPU_COUNT(&cores) : 1;
}

}  // namespace eddy
