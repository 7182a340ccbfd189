#include "serve.h"

#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <exception>

#include <eddy/loop/await.h>
#include <eddy/loop/log.h>

namespace demo {
namespace {

using eddy::Future;
using eddy::IOLoop;

std::string counted(std::size_t number, const std::string& what) {
  return std::to_string(number) + ' ' + what + (number == 1 ? "" : "s");
}

class Service {
 public:
  Service(const ServerFlags& flags, eddy::TCPServer& server, std::function<std::size_t()> requests)
      : flags_(flags), server_(server), requests_(std::move(requests)) {}

  void run() {
    ::signal(SIGPIPE, SIG_IGN);  // our own stdout and stderr may be pipes whose reader is gone
    for (const int signal : {SIGTERM, SIGINT})
      loop_.add_signal_handler(signal, [this, signal] { asked_to_stop(signal); });
    loop_.add_signal_handler(SIGUSR1, [this] { eddy::log::always(dump()); });
    server_.listen(flags_.port, flags_.address);
    for (const eddy::SocketAddress& address : server_.addresses())
      std::printf("listening on %s\n", address.to_string().c_str());
    std::fflush(stdout);
    loop_.start();
  }

 private:
  void asked_to_stop(int signal) {
    if (stopping_) ::_exit(128 + signal);
    stopping_ = true;
    loop_.spawn(drain());
  }

  Future<> drain() {
    const std::string before = open_work();
    eddy::log::info("draining ", before);
    const std::size_t left = co_await server_.drain(flags_.drain_timeout);
    if (left > 0)
      eddy::log::always("drain timeout: cut " + open_work());
    else
      eddy::log::info("drained ", before);
    server_.close_all_connections();
    loop_.stop();
  }

  std::string open_work() const {
    return counted(server_.connections(), "connection") + " and " + counted(requests_(), "request");
  }

  std::string dump() const {
    const std::string tasks = loop_.dump_tasks();
    return "pending work: " + (tasks.empty() ? "none" : "\n" + tasks);
  }

  const ServerFlags& flags_;
  eddy::TCPServer& server_;
  const std::function<std::size_t()> requests_;
  IOLoop& loop_ = IOLoop::current();
  bool stopping_ = false;
};

}  // namespace

int run(const std::string& program, const std::function<int()>& body) {
  try {
    return body();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", program.c_str(), error.what());
    return 1;
  }
}

int serve(const ServerFlags& flags, eddy::TCPServer& server,
          std::function<std::size_t()> requests) {
  Service(flags, server, std::move(requests)).run();
  return 0;
}

}  // namespace demo
