// snow: the article's web framework, with answers that wait.

#include <eddy/loop/await.h>
#include <eddy/loop/gen.h>
#include <eddy/loop/io_loop.h>
#include <eddy/loop/list.h>
#include <eddy/proto/http_server.h>

#include "support/flags.h"
#include "support/serve.h"

namespace {

using eddy::Future;
using eddy::HTTPRequest;
using eddy::HTTPResponse;

constexpr const char* kProgram = "snow";

struct Settings {
  eddy::HTTPOptions http;
  eddy::Duration async = std::chrono::seconds(5);
};

// Requests that are answered when another one asks for it, the oldest first. One whose client
// leaves ends where it waits, and takes its place away.
class Waiting {
 public:
  Future<HTTPResponse> park() {
    Place place;
    parked_.push_back(place);
    co_return co_await place.answer.future();
  }
  bool release() {  // false: nobody waits
    if (parked_.empty()) return false;
    parked_.pop_front().answer.set_result("done");
    return true;
  }

 private:
  struct Place : eddy::ListNode {
    eddy::Promise<HTTPResponse> answer{"another's /stop/"};
  };
  eddy::List<Place> parked_;
};

Future<HTTPResponse> time_out(eddy::Duration delay) {
  co_await eddy::sleep(delay);
  co_return HTTPResponse(504, "timeout");
}

void declare_routes(eddy::HTTPRoutes& routes, Waiting& waiting, const Settings& settings) {
  routes.get("/index/", [](const HTTPRequest&) { return HTTPResponse("OK"); });
  routes.get("/home/", [](const HTTPRequest&) { return HTTPResponse("home"); });
  routes.get("/async/", [&](const HTTPRequest&) { return time_out(settings.async); });
  routes.get("/req/", [&](const HTTPRequest&) { return waiting.park(); });
  routes.get("/stop/", [&](const HTTPRequest&) {
    return waiting.release() ? HTTPResponse("stop") : HTTPResponse(409, "nothing is waiting");
  });
}

void serve(demo::Worker& worker, Settings settings) {
  settings.http.tls = worker.tls();
  eddy::IOLoop loop;
  Waiting waiting;
  eddy::HTTPRoutes routes;
  declare_routes(routes, waiting, settings);
  eddy::HTTPServer server(routes, settings.http);
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
