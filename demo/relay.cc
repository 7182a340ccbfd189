// relay: devices stream numbers to it, and any number of viewers receive them.

#include <eddy/loop/io_loop.h>
#include <eddy/proto/relay_server.h>

#include "support/client_name.h"
#include "support/flags.h"
#include "support/serve.h"

namespace {

constexpr const char* kProgram = "relay";

class RelayServer : public eddy::RelayServer {
 public:
  using eddy::RelayServer::RelayServer;

 private:
  std::string name_of(const eddy::SocketAddress& client) override {
    return demo::client_name(client);
  }
};

void serve(demo::Worker& worker, eddy::RelayOptions options) {
  options.tls = worker.tls();
  eddy::IOLoop loop;
  RelayServer server(options);
  worker.serve(server, [&] { return server.viewers_behind(); });
}

}  // namespace

int main(int count, char** arguments) {
  demo::ServerFlags flags;
  flags.port = 1234;
  flags.bind = eddy::RelayServer::bind_options();
  eddy::RelayOptions options;
  demo::Flags line(kProgram, "Passes the numbers that devices stream on to their viewers.");
  line.add(flags);
  line.add_number("--max-write-buffer", options.hub.max_write_buffer, 1,
                  "bytes that a viewer may be behind");
  line.add_seconds("--device-ttl", options.hub.device_ttl, "that viewers wait for a device");
  if (const auto exit_code = line.parse(count, arguments)) return *exit_code;
  if (flags.processes != 1)
    return demo::usage_error(kProgram, "--processes: one process holds all devices");
  options.handshake_timeout = flags.handshake_timeout;
  return demo::run(kProgram, flags, [&](demo::Worker& worker) { serve(worker, options); });
}
