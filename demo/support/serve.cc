#include "serve.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <exception>

#include <eddy/loop/await.h>
#include <eddy/loop/log.h>

namespace demo {
namespace {

using eddy::Future;
using eddy::IOLoop;
using eddy::UniqueFd;

std::string counted(std::size_t number, const std::string& what) {
  return std::to_string(number) + ' ' + what + (number == 1 ? "" : "s");
}

// The file of a Unix socket is removed at the end, if it is still ours.
class SocketFile {
 public:
  explicit SocketFile(std::string path) : path_(std::move(path)) {
    if (in_filesystem() && ::lstat(path_.c_str(), &made_) < 0) path_.clear();
  }
  ~SocketFile() {
    struct stat now {};
    if (in_filesystem() && ::lstat(path_.c_str(), &now) == 0 && now.st_ino == made_.st_ino &&
        now.st_dev == made_.st_dev)
      ::unlink(path_.c_str());
  }
  SocketFile(const SocketFile&) = delete;
  SocketFile& operator=(const SocketFile&) = delete;

 private:
  bool in_filesystem() const { return !path_.empty() && path_.front() != '@'; }

  std::string path_;
  struct stat made_ {};
};

class Service {
 public:
  Service(const ServerFlags& flags, eddy::TCPServer& server, std::function<std::size_t()> requests)
      : flags_(flags), server_(server), requests_(std::move(requests)) {}

  void run(std::vector<UniqueFd> listeners, bool announces) {
    ::signal(SIGPIPE, SIG_IGN);  // our own stdout and stderr may be pipes whose reader is gone
    for (const int signal : {SIGTERM, SIGINT})
      loop_.add_signal_handler(signal, [this, signal] { asked_to_stop(signal); });
    loop_.add_signal_handler(SIGUSR1, [this] { eddy::log::always(dump()); });
    server_.add_sockets(std::move(listeners));
    if (announces) announce();
    loop_.start();
  }

 private:
  void announce() const {
    for (const eddy::SocketAddress& address : server_.addresses())
      std::printf("listening on %s\n", address.to_string().c_str());
    std::fflush(stdout);
  }

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

// Until there is a loop that hears of them, signals wait: who can connect can also send one.
void hold_back_signals() {
  sigset_t held;
  sigemptyset(&held);
  for (const int signal : {SIGTERM, SIGINT, SIGUSR1}) sigaddset(&held, signal);
  ::pthread_sigmask(SIG_BLOCK, &held, nullptr);
}

std::vector<UniqueFd> listen(const ServerFlags& flags) {
  if (flags.unix_path.empty()) return eddy::bind_sockets(flags.port, flags.address, flags.bind);
  std::vector<UniqueFd> one;
  one.push_back(eddy::bind_unix_socket(flags.unix_path, flags.unix_mode));
  return one;
}

}  // namespace

void Worker::serve(eddy::TCPServer& server, std::function<std::size_t()> requests) {
  Service(flags_, server, std::move(requests)).run(std::move(listeners_), announces_);
}

int run(const std::string& program, const ServerFlags& flags,
        const std::function<void(Worker&)>& body) {
  eddy::log::set_level(flags.log_level);
  try {
    hold_back_signals();
    std::vector<UniqueFd> listeners = listen(flags);
    const SocketFile file(flags.unix_path);
    Worker worker(flags, std::move(listeners), true);
    body(worker);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", program.c_str(), error.what());
    return 1;
  }
}

}  // namespace demo
