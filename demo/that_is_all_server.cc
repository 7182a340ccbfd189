// that_is_all_server: messages come back as they are; each ends in `that is all!`.

#include <algorithm>

#include <eddy/loop/await.h>
#include <eddy/loop/log.h>
#include <eddy/server/tcp_server.h>

#include "support/client_name.h"
#include "support/flags.h"
#include "support/message_reader.h"
#include "support/serve.h"

namespace {

using eddy::Future;

constexpr const char* kProgram = "that_is_all_server";
constexpr std::string_view kDelimiter = "that is all!";

// Nothing but the delimiter: the client has no more messages. A person at telnet cannot help
// sending a line end before it.
bool is_goodbye(std::string_view message) {
  return message.find_first_not_of(" \t\r\n") == message.size() - kDelimiter.size();
}

eddy::TCPServerOptions server_options(std::size_t max_message) {
  eddy::TCPServerOptions options;
  options.stream.max_buffer_size = std::max(options.stream.max_buffer_size, max_message);
  options.stream.max_write_buffer_size =
      SIZE_MAX;  // one message at a time: --max-message is enough
  return options;
}

class ThatIsAllServer : public eddy::TCPServer {
 public:
  ThatIsAllServer(const demo::Worker& worker, std::size_t max_message)
      : TCPServer(worker.with_tls(server_options(max_message))), max_message_(max_message) {}
  ~ThatIsAllServer() override { close_all_connections(); }  // they know us

  std::size_t unanswered() {
    std::size_t count = 0;
    open_.for_each([&](demo::MessageReader& one) {
      if (one.stream().writing()) ++count;
    });
    return count;
  }

 private:
  Future<> handle_stream(std::unique_ptr<eddy::IOStream> stream,
                         eddy::SocketAddress address) override {
    const std::string client = demo::client_name(address);
    demo::MessageReader messages(*stream, kDelimiter, max_message_);
    open_.push_back(messages);
    stream->set_nodelay(true);
    try {
      for (;;) {
        const std::string message = co_await messages.next();
        if (is_goodbye(message)) break;
        co_await stream->write(message);  // who does not read is not read either
      }
      eddy::log::info("no more messages from ", client);
    } catch (const eddy::UnsatisfiableReadError&) {
      eddy::log::info("message longer than --max-message = ", max_message_, " from ", client);
    } catch (const eddy::StreamClosedError&) {  // the client's end, or ours
      if (messages.ended_unfinished()) eddy::log::info("dropped an unfinished message of ", client);
    }
    co_await messages.end();
  }

  void draining() override {
    open_.for_each([](demo::MessageReader& messages) { messages.drain(); });
  }

  const std::size_t max_message_;
  eddy::List<demo::MessageReader> open_;
};

}  // namespace

int main(int count, char** arguments) {
  demo::ServerFlags flags;
  flags.port = 8000;
  std::size_t max_message = 1 << 20;
  demo::Flags line(kProgram, "Sends messages back; each ends in `that is all!`.");
  line.add(flags);
  line.add_number("--max-message", max_message, 1, "bytes of a message, with its end");
  if (const auto exit_code = line.parse(count, arguments)) return *exit_code;
  return demo::run(kProgram, flags, [&](demo::Worker& worker) {
    eddy::IOLoop loop;
    ThatIsAllServer server(worker, max_message);
    worker.serve(server, [&] { return server.unanswered(); });
  });
}
