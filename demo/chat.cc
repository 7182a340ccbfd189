// chat: what one client says goes to all of them.

#include <algorithm>

#include <eddy/loop/await.h>
#include <eddy/loop/log.h>
#include <eddy/server/tcp_server.h>

#include "support/client_name.h"
#include "support/console.h"
#include "support/flags.h"
#include "support/message_reader.h"
#include "support/serve.h"

namespace {

using eddy::Future;

constexpr const char* kProgram = "chat";

struct Limits {
  std::size_t max_line = 65536;            // bytes, without the line end
  std::size_t max_write_buffer = 1 << 20;  // unsent bytes; a client with more is dropped
};

bool is_quit(std::string_view line) {
  constexpr std::string_view kQuit = "quit";
  return line.starts_with(kQuit) && line.find_first_not_of(" \t\r", kQuit.size()) == line.npos;
}

class Client : public eddy::ListNode {
 public:
  Client(std::unique_ptr<eddy::IOStream> stream, std::string name, const Limits& limits)
      : stream_(std::move(stream)),
        name_(std::move(name)),
        limits_(limits),
        lines_(*stream_, "\n", limits.max_line + 2) {}

  const std::string& name() const { return name_; }

  // As MessageReader::next, without the line end.
  Future<std::string> next_line() {
    std::string line = co_await lines_.next();
    line.pop_back();
    if (line.ends_with('\r')) line.pop_back();
    if (line.size() > limits_.max_line) throw eddy::UnsatisfiableReadError("line too long");
    co_return line;
  }

  // Whether it can be told is its own affair: whoever speaks never waits for it.
  void tell(std::string_view text) {
    static_cast<void>(stream_->write(text));
    if (stream_->drain().done()) return;
    eddy::log::info("dropped, more than --max-write-buffer = ", limits_.max_write_buffer,
                    " bytes unsent: ", name_);
    stream_->close();
  }

  bool ended_unfinished() const { return lines_.ended_unfinished(); }
  void drain() { lines_.drain(); }
  Future<> end() { return lines_.end(); }

 private:
  const std::unique_ptr<eddy::IOStream> stream_;
  const std::string name_;
  const Limits& limits_;
  demo::MessageReader lines_;
};

eddy::TCPServerOptions server_options(const Limits& limits) {
  eddy::TCPServerOptions options;
  // Above it, drain() has to wait, and that is how Client::tell knows.
  options.stream.high_water_mark = std::max(limits.max_write_buffer, limits.max_write_buffer + 1);
  options.stream.max_write_buffer_size = SIZE_MAX;
  return options;
}

class ChatServer : public eddy::TCPServer {
 public:
  ChatServer(const demo::Worker& worker, const Limits& limits)
      : TCPServer(worker.with_tls(server_options(limits))), limits_(limits) {}
  ~ChatServer() override { close_all_connections(); }  // they know us

  std::vector<std::string> names() {
    std::vector<std::string> all;
    clients_.for_each([&](const Client& client) { all.push_back(client.name()); });
    return all;
  }

 private:
  Future<> handle_stream(std::unique_ptr<eddy::IOStream> stream,
                         eddy::SocketAddress address) override {
    stream->set_nodelay(true);
    Client client(std::move(stream), demo::client_name(address), limits_);
    eddy::log::info("joined: ", client.name());
    clients_.push_back(client);
    ++talking_;
    co_await hear(client);
    --talking_;
    if (draining_) co_await everybody_is_heard();
    client.unlink();
    eddy::log::info("left: ", client.name());
    co_await client.end();
  }

  Future<> hear(Client& client) {
    try {
      for (;;) {
        const std::string line = co_await client.next_line();
        if (is_quit(line)) break;
        if (!line.empty()) tell_all(client.name() + ' ' + line + '\n');
      }
    } catch (const eddy::UnsatisfiableReadError&) {
      eddy::log::info("line longer than --max-line = ", limits_.max_line, " from ", client.name());
    } catch (const eddy::StreamClosedError&) {  // the client's end, or ours
      if (client.ended_unfinished())
        eddy::log::info("dropped an unfinished line of ", client.name());
      co_return;
    }
    client.unlink();  // it has left, and hears no more
  }

  // Nobody joins or leaves meanwhile: also whoever is dropped leaves from the loop's queue.
  void tell_all(std::string_view text) {
    clients_.for_each([&](Client& client) { client.tell(text); });
  }

  // What has arrived from one client when the server is asked to stop still goes to all.
  Future<> everybody_is_heard() {
    if (talking_ == 0) all_heard_.set_result();
    return all_heard_.future();
  }
  void draining() override {
    draining_ = true;
    clients_.for_each([](Client& client) { client.drain(); });
  }

  const Limits limits_;
  eddy::List<Client> clients_;
  std::size_t talking_ = 0;
  bool draining_ = false;
  eddy::Promise<> all_heard_{"everybody to be heard"};
};

}  // namespace

int main(int count, char** arguments) {
  demo::ServerFlags flags;
  flags.port = 9999;
  Limits limits;
  demo::Flags line(kProgram, "What one client says goes to all of them.");
  line.add(flags);
  line.add_number("--max-line", limits.max_line, 1, "bytes of a line");
  line.add_number("--max-write-buffer", limits.max_write_buffer, 1, "bytes unsent to a client");
  if (const auto exit_code = line.parse(count, arguments)) return *exit_code;
  if (flags.processes != 1)
    return demo::usage_error(kProgram,
                             "--processes: one process holds all clients, so only 1 will do");
  return demo::run(kProgram, flags, [&](demo::Worker& worker) {
    eddy::IOLoop loop;
    ChatServer server(worker, limits);
    const demo::Console console({.clients = [&] { return server.names(); }});
    worker.serve(server, [] { return 0; });
  });
}
