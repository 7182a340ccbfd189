// HTTPServer: a TCPServer whose conversations are requests and answers.
//
// HTTP/1.1 and 1.0: RFC 9110 and 9112. Mirrors tornado.httpserver.HTTPServer. A connection's
// requests are taken up one at a time (http_connection.h). One whose handler has not answered yet
// is parked: it costs memory but no turn of the loop, and is forgotten when its client leaves.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>

#include "../loop/list.h"
#include "../server/tcp_server.h"
#include "http_access.h"
#include "http_limits.h"
#include "http_response.h"
#include "http_routes.h"

namespace eddy {

struct HTTPOptions {
  HTTPLimits limits{};
  Duration header_timeout = std::chrono::seconds(10);  // of a head that has begun; 408
  Duration body_timeout = std::chrono::seconds(30);    // of a body, while we wait for it; 408
  Duration idle_timeout = std::chrono::seconds(75);    // between requests; closes
  Duration write_timeout = std::chrono::seconds(60);   // of a client that does not read; closes
  Duration answer_timeout = Duration::max();           // of a handler that does not read; 503
  std::size_t max_parked = 10'000;                     // requests; one more: 503
  std::size_t max_read_ahead = 64 << 10;               // bytes, of what is behind a parked request
  std::size_t max_connections = 0;                     // 0: no limit
  std::shared_ptr<const TLSContext> tls = nullptr;     // as in TCPServerOptions, these two
  Duration handshake_timeout = kHandshakeTimeout;
  std::function<void(const HTTPAccess&)> access_log{};  // told of each that was answered
};

class HTTPConnection;

class HTTPServer : public TCPServer {
 public:
  // The routes must stay as long as the server. A handler may stop it, and close its connections,
  // after which what it was given must not be used; dropping the server is for others.
  explicit HTTPServer(const HTTPRoutes& routes, const HTTPOptions& options = HTTPOptions());
  ~HTTPServer() override;

  std::size_t parked() const { return parked_; }
  std::size_t in_flight() const { return in_flight_; }  // requests that wait for their answer

 protected:
  Future<> handle_stream(std::unique_ptr<IOStream> stream, SocketAddress address) override;
  void draining() override;

 private:
  friend class HTTPConnection;

  const HTTPRoutes& routes_;
  const HTTPOptions options_;
  HTTPDate date_;
  List<HTTPConnection> open_;
  std::size_t parked_ = 0;
  std::size_t in_flight_ = 0;
};

}  // namespace eddy
