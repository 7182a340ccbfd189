// snow: the article's web framework, with answers that wait.

#include <eddy/loop/await.h>
#include <eddy/loop/io_loop.h>
#include <eddy/proto/http_pending.h>
#include <eddy/proto/http_server.h>

#include "support/client_name.h"
#include "support/event_streams.h"
#include "support/flags.h"
#include "support/serve.h"
#include "support/snow_page.h"

namespace {

using demo::EventStreams;
using eddy::Future;
using eddy::HTTPRequest;
using eddy::HTTPResponse;
using eddy::IOLoop;

constexpr const char* kProgram = "snow";

struct Settings {
  eddy::HTTPOptions http;
  eddy::Duration async = std::chrono::seconds(5);
};

// Requests that are answered when another one asks for it, the oldest first, and the pages that
// show them. One whose client leaves ends where it waits, and takes its place away.
class Waiting {
 public:
  Future<HTTPResponse> park(const HTTPRequest& request) {
    const Place place{*this, ++last_number_};
    auto& [client, since, answer] = parked_[place.number];
    client = demo::client_name(request.client);
    since = IOLoop::current().time();
    pages_.changed();
    co_return co_await answer.future();
  }
  bool release() {  // false: nobody waits
    if (parked_.empty()) return false;
    auto answer = std::move(parked_.begin()->second.answer);
    forget(parked_.begin()->first);
    answer.set_result("done");
    return true;
  }
  HTTPResponse show(const HTTPRequest& request) {
    return EventStreams::asked_for(request) ? pages_.open(request) : demo::snow_page();
  }
  void end_pages() { pages_.end(); }

 private:
  struct Place {
    ~Place() { waiting.forget(number); }
    Waiting& waiting;
    const std::uint64_t number;
  };

  void forget(std::uint64_t number) {
    if (parked_.erase(number) > 0) pages_.changed();
  }

  demo::ParkedRequests parked_;
  std::uint64_t last_number_ = 0;
  EventStreams pages_{[this] { return demo::snow_news(parked_, IOLoop::current().time()); }};
};

// A page that is open asks for nothing more: it does not hold up the end.
class Server : public eddy::HTTPServer {
 public:
  Server(const eddy::HTTPRoutes& routes, const eddy::HTTPOptions& options, Waiting& waiting)
      : HTTPServer(routes, options), waiting_(waiting) {}

 private:
  void draining() override {
    HTTPServer::draining();
    waiting_.end_pages();
  }

  Waiting& waiting_;
};

void declare_routes(eddy::HTTPRoutes& routes, Waiting& waiting, const Settings& settings) {
  routes.get("/", [&](const HTTPRequest& request) { return waiting.show(request); });
  routes.get("/index/", [](const HTTPRequest&) { return HTTPResponse("OK"); });
  routes.get("/home/", [](const HTTPRequest&) { return HTTPResponse("home"); });
  routes.get("/async/", [&](const HTTPRequest&) {
    return eddy::answer_after(settings.async, {504, "timeout"});
  });
  routes.get("/req/", [&](const HTTPRequest& request) { return waiting.park(request); });
  routes.get("/stop/", [&](const HTTPRequest&) {
    return waiting.release() ? HTTPResponse("stop") : HTTPResponse(409, "nothing is waiting");
  });
}

void serve(demo::Worker& worker, Settings settings) {
  settings.http.tls = worker.tls();
  IOLoop loop;
  Waiting waiting;
  eddy::HTTPRoutes routes;
  declare_routes(routes, waiting, settings);
  Server server(routes, settings.http, waiting);
  worker.serve(server, [&] { return server.in_flight(); });
}

}  // namespace

int main(int count, char** arguments) {
  demo::ServerFlags flags;
  flags.port = 8012;
  Settings settings;
  eddy::HTTPOptions& http = settings.http;
  demo::Flags line(kProgram, "A small web server, some of whose answers wait.");
  line.add(flags);
  line.add_seconds("--async-seconds", settings.async, "until /async/ is answered");
  line.add_number("--max-parked", http.max_parked, 1, "requests that wait; one more: 503");
  line.add_number("--max-request-line", http.limits.max_request_line, 1, "bytes; more: 414");
  line.add_number("--max-header", http.limits.max_header, 1, "bytes of all headers; more: 431");
  line.add_number("--max-headers", http.limits.max_headers, 1, "headers; more: 431");
  line.add_number("--max-body", http.limits.max_body, 0, "bytes of a body; more: 413");
  line.add_seconds("--header-timeout", http.header_timeout, "of a request's head");
  line.add_seconds("--body-timeout", http.body_timeout, "of a request's body");
  line.add_seconds("--idle-timeout", http.idle_timeout, "between two requests");
  if (const auto exit_code = line.parse(count, arguments)) return *exit_code;
  http.handshake_timeout = flags.handshake_timeout;
  return demo::run(kProgram, flags, [&](demo::Worker& worker) { serve(worker, settings); });
}
