// HTTPServerTest: a server with a few routes, and raw clients, all on one simulated loop.
#pragma once

#include <gtest/gtest.h>

#include <list>
#include <memory>
#include <string>
#include <string_view>

#include <eddy/loop/await.h>
#include <eddy/proto/http_server.h>

#include "../support/raw_client.h"
#include "../support/simulated_loop.h"

namespace eddy {

using namespace std::chrono_literals;  // of all its tests

class HTTPServerTest : public SimulatedLoop {
 public:
  HTTPServerTest() {
    routes.get("/index/", [](const HTTPRequest&) { return HTTPResponse("OK"); });
    routes.post("/echo", [](const HTTPRequest& request) { return HTTPResponse(request.body); });
    routes.get("/req/",
               [&](const HTTPRequest&) { return parked.emplace_back("a release").future(); });
  }
  void serve(const HTTPOptions& options = {}) {
    server = std::make_unique<HTTPServer>(routes, options);
    server->listen(0, "127.0.0.1");
    address = server->addresses().front();
  }
  RawClient& connect() { return clients.emplace_back(address); }
  RawClient& say(const std::string& bytes) {
    RawClient& client = connect();
    client.send(bytes);
    return client;
  }
  // The answers, without what is the same in all of them.
  bool hears(RawClient& client, const std::string& expected) {
    const bool heard = run_until([&] { return told_by(client) == expected; });
    EXPECT_EQ(told_by(client), expected);
    return heard;
  }
  static std::string told_by(RawClient& client) {
    std::string all = client.received();
    for (const std::string_view name : {"Date: ", "Content-Length: ", "Content-Type: "})
      for (std::size_t at = all.find(name); at != all.npos; at = all.find(name))
        all.erase(at, all.find("\r\n", at) + 2 - at);
    return all;
  }
  bool ends(RawClient& client) {
    return run_until([&] { return client.over(); });
  }
  bool run_until_parked(std::size_t number) {
    return run_until([&] { return server->parked() == number; });
  }

  HTTPRoutes routes;
  std::list<Promise<HTTPResponse>> parked;
  std::unique_ptr<HTTPServer> server;
  SocketAddress address;
  std::list<RawClient> clients;
};

inline const std::string kIndex = "GET /index/ HTTP/1.1\r\nHost: a\r\n\r\n";
inline const std::string kReq = "GET /req/ HTTP/1.1\r\nHost: a\r\n\r\n";
inline const std::string kOK = "HTTP/1.1 200 OK\r\n\r\nOK";
inline const std::string kClosing = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
inline const std::string kBad =
    "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n400 Bad Request";

}  // namespace eddy
