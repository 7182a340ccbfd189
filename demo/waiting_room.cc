// A web application: a request waits until another one brings its answer.

#include <eddy/proto/http_server.h>

using namespace eddy;

int main(int count, char** arguments) {
  IOLoop loop;
  HTTPRoutes routes;
  std::vector<Promise<HTTPResponse>> waiting;
  routes.get("/req/", [&](const HTTPRequest&) { return waiting.emplace_back().future(); });
  routes.get("/stop/(.*)", [&](const HTTPRequest&, const std::string& word) {
    for (auto& answer : std::exchange(waiting, {})) answer.set_result(word);
    return HTTPResponse("stop");
  });
  HTTPServer server(routes);
  server.listen(static_cast<std::uint16_t>(count > 1 ? std::stoul(arguments[1]) : 8012));
  loop.start();
}
