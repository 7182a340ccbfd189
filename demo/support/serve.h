// serve: what every server demo does around its server.
//
// Listens, says so on stdout, runs until SIGTERM or SIGINT, drains, and ends. SIGUSR1 writes the
// dump of pending work to stderr. A second SIGTERM or SIGINT ends at once.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include <eddy/server/tcp_server.h>

#include "flags.h"

namespace demo {

// Gives the exit code: 0, or 1 with one line on stderr when it can't listen. `requests` tells how
// many are under way.
int serve(const std::string& program, const ServerFlags& flags, eddy::TCPServer& server,
          std::function<std::size_t()> requests);

}  // namespace demo
