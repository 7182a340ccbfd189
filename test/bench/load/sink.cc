// Sink: chunks as fast as the server takes them; at the end it has to have counted every byte.
#include <sys/socket.h>

#include <string>

#include "load.h"
#include "socket.h"

namespace load {
namespace {

// Lines of 64 bytes, for servers that read by lines.
std::string make_chunk(std::size_t size) {
  std::string chunk(size, '-');
  for (std::size_t at = 63; at < size; at += 64) chunk[at] = '\n';
  chunk.back() = '\n';
  return chunk;
}

class Sink : public Load {
 public:
  explicit Sink(const Options& options)
      : options_(options),
        chunk_(make_chunk(options.size)),
        socket_(connect_to(options.port, OnClose::reset)) {
    set_patience(socket_, options.patience);
    send_all(socket_, chunk_);  // the server has us, and its buffers are there
  }

  std::size_t run() override {
    const Deadline deadline(options_.seconds, options_.patience);
    std::size_t chunks = 0;
    for (; chunks < options_.units && Clock::now() < deadline.until; ++chunks)
      send_all(socket_, chunk_);
    if (::shutdown(socket_.fd(), SHUT_WR) != 0) fail("shutdown");
    expect_line(socket_, std::to_string((chunks + 1) * chunk_.size()) + "\n");
    return chunks;
  }

 private:
  const Options options_;
  const std::string chunk_;
  const Socket socket_;
};

}  // namespace

std::unique_ptr<Load> make_sink(const Options& options) { return std::make_unique<Sink>(options); }

}  // namespace load
