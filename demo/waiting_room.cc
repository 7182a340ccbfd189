// A web application: a request waits until another one brings its answer.

#include <eddy/proto/http_pending.h>
#include <eddy/proto/http_server.h>

using namespace eddy;

int main(int count, char** arguments) {
  IOLoop loop;
  HTTPRoutes routes;
  HTTPPending<std::string> waiting;
  routes.get("/req/", [&](const HTTPRequest& request) { return waiting.park(request); });
  routes.get("/stop/(.*)", [&](const HTTPRequest&, const std::string& word) {
    return waiting.release(word) ? HTTPResponse("stop") : HTTPResponse(409, "nobody waits");
  });
  HTTPServer server(routes);
  server.listen(static_cast<std::uint16_t>(count > 1 ? std::stoul(arguments[1]) : 8012));
  loop.start();
}
