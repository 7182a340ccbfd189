// An echo server of lines, as a C++20 coroutine.

#include <eddy/loop/await.h>
#include <eddy/server/tcp_server.h>

using namespace eddy;

class EchoServer : public TCPServer {
  Future<> handle_stream(std::unique_ptr<IOStream> stream, SocketAddress) override {
    for (;;) {
      const std::string line = co_await stream->read_until("\n", 65536);
      co_await stream->write(line);  // a closed stream throws, and the conversation ends
    }
  }
};

int main() {
  IOLoop loop;
  EchoServer server;
  server.listen(7000, "127.0.0.1");
  loop.start();
}
