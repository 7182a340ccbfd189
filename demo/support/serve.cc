#include "serve.h"

#include <signal.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <exception>
#include <utility>

#include <eddy/loop/await.h>
#include <eddy/loop/io_loop.h>
#include <eddy/loop/log.h>
#include <eddy/server/process.h>

namespace demo {
namespace {

using eddy::Future;
using eddy::IOLoop;

constexpr std::array kHandled = {SIGTERM, SIGINT, SIGUSR1};

std::string counted(std::size_t number, const std::string& what) {
  return std::to_string(number) + ' ' + what + (number == 1 ? "" : "s");
}

class Service {
 public:
  Service(const ServerFlags& flags, Listeners& listeners, Served& server,
          std::function<std::size_t()> requests)
      : flags_(flags), listeners_(listeners), server_(server), requests_(std::move(requests)) {}

  void run() {
    for (const int signal : {SIGTERM, SIGINT})
      loop_.add_signal_handler(signal, [this, signal] { asked_to_stop(signal); });
    loop_.add_signal_handler(SIGUSR1, [this] { eddy::log::always(dump()); });
    if (!supervised_) listeners_.announce();
    server_.add_sockets(listeners_.take());
    loop_.start();
  }

 private:
  void asked_to_stop(int signal) {
    if (!std::exchange(stopping_, true)) return loop_.spawn(drain());
    if (supervised_) return;  // it is the supervisor's to count
    listeners_.remove_file();
    ::_exit(128 + signal);
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
    std::string tasks = loop_.dump_tasks();
    if (tasks.empty()) return "pending work: none";
    tasks.pop_back();  // the last line's end
    return "pending work:\n" + tasks;
  }

  const ServerFlags& flags_;
  Listeners& listeners_;
  Served& server_;
  const std::function<std::size_t()> requests_;
  IOLoop& loop_ = IOLoop::current();
  const bool supervised_ = eddy::task_id().has_value();
  bool stopping_ = false;
};

// Until there is a loop that hears of them, signals wait: who can connect can also send one.
void hold_back_signals() {
  sigset_t held;
  sigemptyset(&held);
  for (const int signal : kHandled) sigaddset(&held, signal);
  ::pthread_sigmask(SIG_BLOCK, &held, nullptr);
}

std::shared_ptr<const eddy::TLSContext> read_certificate(const ServerFlags& flags) {
  if (flags.tls_certificate.empty()) return nullptr;
  eddy::TLSServerOptions options;
  options.certificate_chain_file = flags.tls_certificate;
  options.private_key_file = flags.tls_key;
  return eddy::TLSContext::for_server(options);
}

int serve(const ServerFlags& flags, const std::function<void(Worker&)>& body) {
  const auto tls = read_certificate(flags);  // from a FIFO, perhaps: it may take its time
  hold_back_signals();
  Listeners listeners(flags);
  if (flags.processes != 1) {
    eddy::ForkOptions options;
    options.handled_signals = {kHandled.begin(), kHandled.end()};
    options.on_started = [&] { listeners.announce(); };
    options.on_stopping = [&] { listeners.close(); };
    const eddy::Forked forked = eddy::fork_processes(static_cast<int>(flags.processes), options);
    if (!forked.task_id) return forked.exit_code;
  }
  Worker worker(flags, tls, listeners);
  body(worker);
  return 0;
}

}  // namespace

eddy::TCPServerOptions Worker::with_tls(eddy::TCPServerOptions options) const {
  options.tls = tls_;
  options.handshake_timeout = flags_.handshake_timeout;
  return options;
}

void Worker::run(Served& server, const std::function<std::size_t()>& requests) {
  Service(flags_, listeners_, server, requests).run();
}

int run(const std::string& program, const ServerFlags& flags,
        const std::function<void(Worker&)>& body) try {
  eddy::log::set_level(flags.log_level);
  ::signal(SIGPIPE, SIG_IGN);  // our own stdout and stderr may be pipes whose reader is gone
  return serve(flags, body);
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s: %s\n", program.c_str(), error.what());
  return 1;
}

}  // namespace demo
