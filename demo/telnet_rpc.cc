// telnet_rpc: a server whose methods people call with telnet.

#include <eddy/loop/io_loop.h>
#include <eddy/proto/rpc_server.h>

#include "support/client_name.h"
#include "support/flags.h"
#include "support/rpc_handlers.h"
#include "support/serve.h"

namespace {

constexpr const char* kProgram = "telnet_rpc";

class Application : public eddy::RpcApplication {
  std::string name_of(const eddy::SocketAddress& client) override {
    return demo::client_name(client);
  }
};

void serve(demo::Worker& worker, eddy::RpcOptions options) {
  options.tls = worker.tls();
  eddy::IOLoop loop;
  Application application;
  eddy::RPCServer server(application, options);
  demo::declare_rpc_handlers(application.registry(), [&, started = loop.time()] {
    return demo::RpcStatistics{.connections = server.connections(),
                               .calls_served = server.calls_served(),
                               .in_flight = server.in_flight(),
                               .uptime = loop.time() - started,
                               .resident_bytes = demo::resident_bytes()};
  });
  worker.serve(server, [&] { return server.in_flight(); });
}

}  // namespace

int main(int count, char** arguments) {
  demo::ServerFlags flags;
  flags.port = 8888;
  flags.bind = eddy::RPCServer::bind_options();
  eddy::RpcOptions options;
  demo::Flags line(kProgram, "A server of lines: call its methods with telnet.");
  line.add(flags);
  line.add_number("--max-line", options.max_line, 1, "bytes of a line");
  line.add_number("--max-in-flight", options.max_in_flight, 1, "calls at once on a connection");
  line.add_number("--max-write-buffer", options.max_write_buffer, 1, "bytes of unsent answers");
  line.add_number("--max-connections", options.max_connections, 0, "at once; 0: no limit");
  line.add_seconds("--idle-timeout", options.idle_timeout, "of a silent client; 0: never");
  if (const auto exit_code = line.parse(count, arguments)) return *exit_code;
  options.handshake_timeout = flags.handshake_timeout;
  return demo::run(kProgram, flags, [&](demo::Worker& worker) { serve(worker, options); });
}
