// An echo server of lines, as a stackless coroutine.

#include <eddy/loop/coroutine.h>
#include <eddy/server/tcp_server.h>

#include <eddy/loop/yield.h>

using namespace eddy;

class EchoSession : public Coroutine<> {
 public:
  explicit EchoSession(std::unique_ptr<IOStream> stream) : stream_(std::move(stream)) {}

 private:
  void body() override {
    CO_BEGIN;
    for (;;) {
      CO_AWAIT(line_ = stream_->read_until("\n", 65536));  // a closed stream ends the session
      CO_AWAIT(stream_->write(line_.result()));
    }
    CO_END;
  }

  std::unique_ptr<IOStream> stream_;
  Future<std::string> line_;  // a member: locals do not outlive a CO_AWAIT
};

class EchoServer : public TCPServer {
  Future<> handle_stream(std::unique_ptr<IOStream> stream, SocketAddress) override {
    return start_coroutine<EchoSession>(std::move(stream));
  }
};

int main() {
  IOLoop loop;
  EchoServer server;
  server.listen(7000, "127.0.0.1");
  loop.start();
}
