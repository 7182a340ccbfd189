// What a child process that serves must undo of its parent, first of all.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <initializer_list>

#include "../loop/unique_fd.h"

namespace eddy {

// A terminal and a service manager send them to all processes: a child is to serve what has arrived
// and end.
inline constexpr int kDrainSignals[] = {SIGTERM, SIGINT};

// The kernel ends this process with its parent: a worker is of no use to a service that is gone,
// and may wait for a client for ever.
void end_with(pid_t parent);

// Ends with the parent; has the signals' usual actions, and only kDrainSignals blocked; and of its
// parent's sockets keeps only these. Throws std::filesystem::filesystem_error.
void become_child_of(pid_t parent, std::initializer_list<int> sockets_to_keep);

UniqueFd drain_signals();  // readable once one of them waits. Throws std::system_error

int other_threads();  // of this process, that run now

}  // namespace eddy
