// raw_server: the benchmark's lines, echo and sink by hand.
#include "raw_serve.h"

namespace {

class Lines : public bench::RawServer {
 public:
  using RawServer::RawServer;

 private:
  bool receive(Connection& connection, std::string_view bytes) override {
    return split(connection, bytes,
                 [&](std::string_view lines) { return send(connection, lines); });
  }
};

class Echo : public bench::RawServer {
 public:
  using RawServer::RawServer;

 private:
  bool receive(Connection& connection, std::string_view bytes) override {
    return send(connection, bytes);
  }
};

class Sink : public bench::RawServer {
 public:
  using RawServer::RawServer;

 private:
  bool receive(Connection& connection, std::string_view bytes) override {
    connection.count += bytes.size();
    return true;
  }
  void end(Connection& connection) override {
    send(connection, std::to_string(connection.count) + "\n");
  }
};

}  // namespace

int main(int argc, char** argv) {
  using bench::Serve;
  const auto options = bench::parse_options(argc, argv, {Serve::lines, Serve::echo, Serve::sink});
  if (options.serve == Serve::echo) Echo(options.port).run();
  if (options.serve == Serve::sink) Sink(options.port).run();
  Lines(options.port).run();
}
