// eddy_serve: an eddy server of the benchmark around its conversations, which differ in style only.
//
// Each conversation reads, writes back, and awaits what --await says: drain(), as a server does
// whose peers pipeline, or the write itself.
#pragma once

#include <memory>
#include <utility>

#include <eddy/server/tcp_server.h>

#include "serve.h"

namespace bench {

using Converse = eddy::Future<> (*)(std::unique_ptr<eddy::IOStream> stream, Await await);

class Server : public eddy::TCPServer {
 public:
  Server(const Options& options, Converse conversation)
      : TCPServer(server_options()), options_(options), conversation_(conversation) {
    listen(options.port, "127.0.0.1");
    announce(addresses().front().port());
  }

 private:
  eddy::Future<> handle_stream(std::unique_ptr<eddy::IOStream> stream,
                               eddy::SocketAddress) override {
    stream->set_nodelay(true);
    return conversation_(std::move(stream), options_.await);
  }

  static eddy::TCPServerOptions server_options() {
    eddy::TCPServerOptions options;
    options.bind.backlog = kBacklog;
    return options;
  }

  const Options options_;
  const Converse conversation_;
};

// What an eddy conversation waits for after it wrote.
inline eddy::Future<> write_back(eddy::IOStream& stream, std::string_view bytes, Await await) {
  if (await == Await::write) return stream.write(bytes);
  static_cast<void>(stream.write(bytes));
  return stream.drain();
}

inline std::string count_line(std::size_t count) { return std::to_string(count) + "\n"; }

inline int serve(const Options& options, Converse conversation) {
  eddy::IOLoop loop;
  const Server server(options, conversation);
  loop.start();
  return 0;
}

}  // namespace bench
