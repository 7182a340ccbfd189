// serve: what every server demo does around its server.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <eddy/loop/clock.h>
#include <eddy/loop/future.h>
#include <eddy/loop/unique_fd.h>
#include <eddy/server/tcp_server.h>
#include <eddy/stream/tls_context.h>

#include "flags.h"
#include "listeners.h"

namespace demo {

// What is served: a TCPServer, a RequestServer, or another of their kind.
class Served {
 public:
  virtual ~Served() = default;
  virtual void add_sockets(std::vector<eddy::UniqueFd> sockets) = 0;
  virtual eddy::Future<std::size_t> drain(eddy::Duration patience) = 0;
  virtual void close_all_connections() = 0;
  virtual std::size_t connections() const = 0;
};

template <class Server>
class ServedBy final : public Served {
 public:
  explicit ServedBy(Server& server) : server_(server) {}
  void add_sockets(std::vector<eddy::UniqueFd> sockets) override {
    server_.add_sockets(std::move(sockets));
  }
  eddy::Future<std::size_t> drain(eddy::Duration patience) override {
    return server_.drain(patience);
  }
  void close_all_connections() override { server_.close_all_connections(); }
  std::size_t connections() const override { return server_.connections(); }

 private:
  Server& server_;
};

// One process that serves, on sockets that listen already.
class Worker {
 public:
  Worker(const ServerFlags& flags, std::shared_ptr<const eddy::TLSContext> tls,
         Listeners& listeners)
      : flags_(flags), tls_(std::move(tls)), listeners_(listeners) {}

  const std::shared_ptr<const eddy::TLSContext>& tls() const { return tls_; }  // none: plain text
  eddy::TCPServerOptions with_tls(eddy::TCPServerOptions options) const;       // as the flags say

  // Gives the server its sockets, runs the current loop until SIGTERM or SIGINT, and drains. Where
  // there is no supervisor, it says on stdout where it listens, and a second SIGTERM or SIGINT ends
  // it at once. SIGUSR1 writes the dump of pending work to stderr. `requests` tells how many are
  // under way.
  template <class Server>
  void serve(Server& server, const std::function<std::size_t()>& requests) {
    ServedBy<Server> served(server);
    run(served, requests);
  }

 private:
  void run(Served& server, const std::function<std::size_t()>& requests);

  const ServerFlags& flags_;
  const std::shared_ptr<const eddy::TLSContext> tls_;
  Listeners& listeners_;
};

// Opens the sockets that the flags ask for, forks as many workers as they say, and in each of them
// runs `body`, which makes an IOLoop and a server and calls serve(). Gives the program's exit code;
// what is thrown is one line on stderr, and 1.
int run(const std::string& program, const ServerFlags& flags,
        const std::function<void(Worker&)>& body);

}  // namespace demo
