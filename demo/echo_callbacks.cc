// An echo server of lines, by callbacks.

#include <eddy/server/tcp_server.h>

using namespace eddy;

class EchoConnection : public std::enable_shared_from_this<EchoConnection> {
 public:
  explicit EchoConnection(std::unique_ptr<IOStream> stream) : stream_(std::move(stream)) {}

  Future<> run() {
    read();
    return over_.future();
  }

 private:
  void read() {  // what is hung on a Future runs from the loop, and may hold us
    stream_->loop().add_future(
        stream_->read_until("\n", 65536),
        [self = shared_from_this()](Future<std::string>& line) { self->got(line); });
  }
  void got(Future<std::string>& line) {
    if (line.exception()) return (void)over_.set_result();  // the peer has closed
    stream_->loop().add_future(stream_->write(line.result()),
                               [self = shared_from_this()](Future<>& written) {
                                 if (written.exception()) return (void)self->over_.set_result();
                                 self->read();
                               });
  }

  std::unique_ptr<IOStream> stream_;
  Promise<> over_;
};

class EchoServer : public TCPServer {
  Future<> handle_stream(std::unique_ptr<IOStream> stream, SocketAddress) override {
    return std::make_shared<EchoConnection>(std::move(stream))->run();
  }
};

int main() {
  IOLoop loop;
  EchoServer server;
  server.listen(7000, "127.0.0.1");
  loop.start();
}
