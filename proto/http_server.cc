#include "http_server.h"

#include "http_connection.h"

namespace eddy {
namespace {

TCPServerOptions server_options(const HTTPOptions& options) {
  TCPServerOptions made;
  made.max_connections = options.max_connections;
  made.tls = options.tls;
  made.handshake_timeout = options.handshake_timeout;
  made.stream.write_stall_timeout = options.write_timeout;
  return made;
}

}  // namespace

HTTPServer::HTTPServer(const HTTPRoutes& routes, const HTTPOptions& options)
    : TCPServer(server_options(options)), routes_(routes), options_(options) {}

HTTPServer::~HTTPServer() { close_all_connections(); }  // they know us

Future<> HTTPServer::handle_stream(std::unique_ptr<IOStream> stream, SocketAddress address) {
  stream->set_nodelay(true);
  return std::make_shared<HTTPConnection>(*this, std::move(stream), address)->run();
}

void HTTPServer::draining() {
  open_.for_each([](HTTPConnection& connection) { connection.drain(); });
}

}  // namespace eddy
