// RPCServer: a server of lines that people call with telnet.
//
// The article's server: mirrors tornado.httpserver.HTTPServer and its delegates. Roles: the
// application owns the handlers and lives as long as the process; each client has one server
// connection (rpc_connection.h), which reads, runs calls and writes; and the connection's request
// (rpc_request.h) says what each line means.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../loop/list.h"
#include "../server/tcp_server.h"
#include "rpc_registry.h"

namespace eddy {

struct RpcOptions {
  std::size_t max_line = 65536;            // bytes, without line end and telnet commands
  std::size_t max_in_flight = 128;         // calls of one connection; at it, reading stops
  std::size_t max_write_buffer = 1 << 20;  // unsent answers; above it, reading and rows stop
  std::size_t max_connections = 0;         // 0: no limit
  std::shared_ptr<const TLSContext> tls = nullptr;  // as in TCPServerOptions, these two
  Duration handshake_timeout = kHandshakeTimeout;
  Duration idle_timeout{};  // since the last byte or the last call's end; 0: never
};

// What user code makes: the handlers, and what to do when clients come and go.
class RpcServerConnection;
class RpcApplication {
 public:
  virtual ~RpcApplication() = default;
  RpcRegistry& registry() { return registry_; }
  // What the client is called from then on: RpcCall::peer(), and in the log.
  virtual std::string name_of(const SocketAddress& client) { return client.to_string(); }
  virtual void on_request(RpcServerConnection&) {}  // a client has come; once for each
  virtual void on_close(RpcServerConnection&) {}    // it has gone, and its last call has finished

 private:
  RpcRegistry registry_;
};

// A method may close its connections, and stop it; dropping it is for others.
class RPCServer : public TCPServer {
 public:
  RPCServer(RpcApplication& application, const RpcOptions& options);
  ~RPCServer() override;

  // How its sockets should be bound, when they are made elsewhere.
  static BindOptions bind_options();

  std::uint64_t calls_served() const { return calls_served_; }
  std::size_t in_flight() const { return in_flight_; }

 protected:
  Future<> handle_stream(std::unique_ptr<IOStream> stream, SocketAddress address) override;
  Future<> refuse_stream(std::unique_ptr<IOStream> stream, SocketAddress address) override;
  void draining() override;

 private:
  friend class RpcServerConnection;

  RpcApplication& application_;
  const RpcOptions options_;
  List<RpcServerConnection> open_;
  std::uint64_t calls_served_ = 0;
  std::size_t in_flight_ = 0;
};

}  // namespace eddy
