// Messages: one connection, one message after the other, of a size whose cost should grow as it.
//
// Who dribbles sends a byte when the server has read the one before: each is an event of its own,
// and a server that is slow cannot hide it by reading many together.
#include <string>
#include <string_view>

#include "load.h"
#include "server_queue.h"
#include "socket.h"

namespace load {
namespace {

struct Message {
  std::string bytes;
  std::string answer;
};

Message make_message(const Options& options) {
  const std::string size = std::to_string(options.size) + "\n";
  if (options.mode == "message") return {size + std::string(options.size, '-'), size};
  std::string bytes(options.size, '-');
  if (options.mode == "header") {
    for (std::size_t at = 62; at + 4 < bytes.size(); at += 64) bytes.replace(at, 2, "\r\n");
    return {bytes.replace(bytes.size() - 4, 4, "\r\n\r\n"), size};
  }
  bytes.back() = '\n';
  return {bytes, bytes};
}

class Messages : public Load {
 public:
  explicit Messages(const Options& options)
      : options_(options),
        message_(make_message(options)),
        socket_(connect_to(options.port, OnClose::reset)) {
    set_patience(socket_, options.patience);
    send_all(socket_, message_.bytes);  // buffers are there
    expect_line(socket_, message_.answer);
  }

  std::size_t run() override {
    const Deadline deadline(options_.seconds, options_.patience);
    std::size_t bytes = 0;
    do {
      if (options_.mode == "message")
        send_all(socket_, message_.bytes);
      else
        dribble(deadline);
      expect_line(socket_, message_.answer);
      bytes += options_.size;
    } while (bytes < options_.units && Clock::now() < deadline.until);
    return bytes;
  }

 private:
  void dribble(const Deadline& deadline) {
    for (std::size_t at = 0; at < message_.bytes.size(); ++at) {
      send_all(socket_, std::string_view(message_.bytes).substr(at, 1));
      while (queue_.unread_bytes() > 0)
        if (Clock::now() > deadline.give_up) throw TooSlow();
    }
  }

  const Options options_;
  const Message message_;
  const Socket socket_;
  const ServerQueue queue_{socket_};
};

}  // namespace

std::unique_ptr<Load> make_messages(const Options& options) {
  return std::make_unique<Messages>(options);
}

}  // namespace load
