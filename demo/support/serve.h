// serve: what every server demo does around its server.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include <eddy/loop/unique_fd.h>
#include <eddy/server/tcp_server.h>

#include "flags.h"

namespace demo {

// One process that serves, on sockets that listen already.
class Worker {
 public:
  Worker(const ServerFlags& flags, std::vector<eddy::UniqueFd> listeners, bool announces)
      : flags_(flags), listeners_(std::move(listeners)), announces_(announces) {}

  // Gives the server its sockets, says so on stdout, runs the current loop until SIGTERM or SIGINT,
  // and drains. SIGUSR1 writes the dump of pending work to stderr. A second SIGTERM or SIGINT ends
  // at once. `requests` tells how many are under way.
  void serve(eddy::TCPServer& server, std::function<std::size_t()> requests);

 private:
  const ServerFlags& flags_;
  std::vector<eddy::UniqueFd> listeners_;
  const bool announces_;
};

// Opens the sockets that the flags ask for and runs `body`, which makes an IOLoop and a server and
// calls serve(). Gives the program's exit code; what is thrown is one line on stderr, and 1.
int run(const std::string& program, const ServerFlags& flags,
        const std::function<void(Worker&)>& body);

}  // namespace demo
