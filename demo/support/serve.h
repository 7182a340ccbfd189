// serve: what every server demo does around its server.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include <eddy/server/tcp_server.h>

#include "flags.h"

namespace demo {

// Runs what a program does, and gives its exit code; what it throws is one line on stderr, and 1.
int run(const std::string& program, const std::function<int()>& body);

// Listens, says so on stdout, runs until SIGTERM or SIGINT, drains, and gives the exit code.
// SIGUSR1 writes the dump of pending work to stderr. A second SIGTERM or SIGINT ends at once.
// `requests` tells how many are under way. Throws when it can't listen.
int serve(const ServerFlags& flags, eddy::TCPServer& server, std::function<std::size_t()> requests);

}  // namespace demo
