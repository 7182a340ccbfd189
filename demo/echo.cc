// echo: the article's server of requests, over each transport, on the loop, on threads or in
// children.

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <new>
#include <string_view>
#include <system_error>

#include <eddy/loop/await.h>
#include <eddy/loop/log.h>
#include <eddy/server/request_server.h>

#include "support/client_name.h"
#include "support/console.h"
#include "support/flags.h"
#include "support/serve.h"

namespace {

using eddy::Future;

constexpr const char* kProgram = "echo";
constexpr std::size_t kMostThreads = 1024;

struct Settings {
  bool lines = false;
  std::size_t max_line = 65536;  // bytes of a message, without its line end
  std::string transport;         // none: tcp, or unix with --unix
  std::size_t threads = 0;
  bool fork = false;
  std::size_t max_children = eddy::InChildren().max_children;

  bool datagrams() const { return transport == "udp" || transport == "unix-dgram"; }
};

// How many messages are answered now: in this process, on its threads, and in its children, who
// share the page.
class UnderWay {
 public:
  using Count = std::atomic<std::size_t>;
  static_assert(Count::is_always_lock_free);

  UnderWay() : page_(::mmap(nullptr, sizeof(Count), kAccess, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {
    if (page_ == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
    count_ = new (page_) Count(0);
  }
  ~UnderWay() { ::munmap(page_, sizeof(Count)); }
  UnderWay(const UnderWay&) = delete;
  UnderWay& operator=(const UnderWay&) = delete;

  Count& count() const { return *count_; }

 private:
  static constexpr int kAccess = PROT_READ | PROT_WRITE;

  void* const page_;
  Count* count_ = nullptr;
};

class Counted {
 public:
  explicit Counted(const UnderWay& under_way) : count_(under_way.count()) { ++count_; }
  ~Counted() { --count_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  UnderWay::Count& count_;
};

bool is_quit(std::string_view message) {
  constexpr std::string_view kQuit = "quit";
  return message.starts_with(kQuit) &&
         message.find_first_not_of(" \t\v\f\r\n", kQuit.size()) == message.npos;
}

std::string_view without_line_end(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

class EchoHandler : public eddy::RequestHandler {
 public:
  EchoHandler(const Settings* settings, const UnderWay* under_way)
      : settings_(*settings), under_way_(*under_way) {}

 private:
  Future<> handle() override {
    if (request().is_datagram()) return answer_datagram();
    return settings_.lines ? answer_lines() : answer_reads();
  }

  Future<> answer_reads() {
    for (;;) {
      const std::string message = co_await request().read(settings_.max_line);
      if (message.empty() || is_quit(message)) co_return;
      co_await answer(message);
    }
  }

  Future<> answer_lines() {
    try {
      for (;;) {
        const std::optional<std::string> line = co_await request().read_line(settings_.max_line);
        if (!line || is_quit(*line)) co_return;
        co_await answer(*line + '\n');
      }
    } catch (const eddy::UnsatisfiableReadError&) {
      log_too_long();
    }
  }

  Future<> answer_datagram() {
    const std::string datagram = co_await request().read();
    const std::string_view message = settings_.lines ? without_line_end(datagram) : datagram;
    if (message.size() > settings_.max_line) co_return log_too_long();
    try {
      co_await answer(std::string(message) + (settings_.lines ? "\n" : ""));
    } catch (const std::system_error& error) {  // too long for a datagram, or nobody to send it to
      eddy::log::info("dropped an answer: ", std::string_view(error.what()));
    }
  }

  Future<> answer(std::string message) {
    const Counted counted(under_way_);
    eddy::log::info("message of ", client_name(), ": ", message);
    co_await request().write(client_name() + ' ' + message);
  }

  void log_too_long() const {
    eddy::log::info("message longer than --max-line = ", settings_.max_line, " from ",
                    client_name());
  }

  const Settings& settings_;
  const UnderWay& under_way_;
};

class EchoServer : public eddy::RequestServer {
 public:
  using RequestServer::RequestServer;
  ~EchoServer() override { server_close(); }

 private:
  std::string client_name(const eddy::SocketAddress& client) override {
    return demo::client_name(client);
  }
};

// Why these can't be together; nothing when they can.
std::string problem_of(const demo::ServerFlags& flags, const Settings& settings) {
  const std::string& transport = settings.transport;
  const bool over_unix = transport.starts_with("unix");
  if (over_unix && flags.unix_path.empty()) return "--transport " + transport + " needs --unix";
  if (!transport.empty() && !over_unix && !flags.unix_path.empty())
    return "--transport " + transport + " excludes --unix";
  if (settings.threads > 0 && settings.fork) return "--threads excludes --fork";
  if (settings.datagrams() && settings.threads > 0) return "--threads excludes datagrams";
  if (settings.datagrams() && !flags.tls_certificate.empty()) return "TLS excludes datagrams";
  if (settings.datagrams() && settings.fork) return "--fork excludes datagrams";
  return "";
}

eddy::RequestPolicy policy_of(const Settings& settings) {
  if (settings.threads > 0) return eddy::OnThreads{.threads = settings.threads};
  if (settings.fork) return eddy::InChildren{.max_children = settings.max_children};
  return eddy::OnLoop();
}

void serve(demo::Worker& worker, const Settings& settings) {
  const UnderWay under_way;
  eddy::IOLoop loop;
  EchoServer server(eddy::handled_by<EchoHandler>(&settings, &under_way), policy_of(settings),
                    worker.with_tls({}));
  const demo::Console console(
      {.clients = [&] { return server.clients(); }, .threads = [&] { return server.workers(); }});
  worker.serve(server, [&] { return under_way.count().load(); });
}

}  // namespace

int main(int count, char** arguments) {
  demo::ServerFlags flags;
  flags.port = 9999;
  Settings settings;
  demo::Flags line(kProgram, "Sends each message back, behind its client's address.");
  line.add(flags);
  line.add_switch("--lines", settings.lines, "a message is a line, not what one read returns");
  line.add_number("--max-line", settings.max_line, 1, "bytes of a message");
  line.add_choice("--transport", settings.transport, {"tcp", "udp", "unix", "unix-dgram"},
                  "by default tcp, or unix with --unix");
  line.add_number("--threads", settings.threads, 1, "serve on so many threads", kMostThreads);
  line.add_switch("--fork", settings.fork, "serve each connection in a child process");
  line.add_number("--max-children", settings.max_children, 1, "of --fork at once; the next waits");
  if (const auto exit_code = line.parse(count, arguments)) return *exit_code;
  if (const std::string problem = problem_of(flags, settings); !problem.empty())
    return demo::usage_error(kProgram, problem);
  flags.datagrams = settings.datagrams();
  return demo::run(kProgram, flags, [&](demo::Worker& worker) { serve(worker, settings); });
}
