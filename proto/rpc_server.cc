#include "rpc_server.h"

#include "../loop/await.h"
#include "../loop/log.h"
#include "../stream/close_gracefully.h"
#include "rpc_connection.h"

namespace eddy {
namespace {

TCPServerOptions server_options(const RpcOptions& options) {
  TCPServerOptions made;
  made.max_connections = options.max_connections;
  made.tls = options.tls;
  made.handshake_timeout = options.handshake_timeout;
  made.bind = RPCServer::bind_options();
  made.stream.high_water_mark = options.max_write_buffer;
  made.stream.max_write_buffer_size = SIZE_MAX;  // no answer is dropped for its size
  return made;
}

}  // namespace

RPCServer::RPCServer(RpcApplication& application, const RpcOptions& options)
    : TCPServer(server_options(options)), application_(application), options_(options) {}

// Telnet's Ctrl-C marks its place by urgent data: it must stay where it stands in the stream, also
// when it arrives before the connection is accepted.
BindOptions RPCServer::bind_options() {
  BindOptions options;
  options.urgent_inline = true;
  return options;
}

RPCServer::~RPCServer() { close_all_connections(); }  // they know us

Future<> RPCServer::handle_stream(std::unique_ptr<IOStream> stream, SocketAddress address) {
  stream->set_nodelay(true);
  const auto connection = std::make_shared<RpcServerConnection>(*this, std::move(stream),
                                                                application_.name_of(address));
  co_await connection->run();
}

Future<> RPCServer::refuse_stream(std::unique_ptr<IOStream> stream, SocketAddress address) {
  log::info("refused, max_connections = ", options_.max_connections, ": ",
            application_.name_of(address));
  static_cast<void>(stream->write("error too many connections\r\n"));
  co_await close_gracefully(*stream);
}

void RPCServer::draining() {
  open_.for_each([](RpcServerConnection& connection) { connection.drain(); });
}

}  // namespace eddy
