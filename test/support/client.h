// Client: what a person with a socket does, in the plainest way, and never for ever.
//
// Blocking, with a deadline on everything; one that passes throws, and fails the test.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <eddy/loop/unique_fd.h>
#include <eddy/stream/socket_address.h>

namespace eddy {

class Client {
 public:
  struct Options {
    int receive_buffer = 0;  // bytes; 0: the system's choice
    std::string address = "127.0.0.1";
    std::string unix_path = {};  // a Unix socket instead; `@name` for an abstract one
    std::string unix_name = {};  // its own address then, instead of none
  };
  explicit Client(std::uint16_t port) : Client(port, Options()) {}
  Client(std::uint16_t port, const Options& options);

  int fd() const { return socket_.get(); }
  std::string name() const;          // as the server sees it: 127.0.0.1:40312
  unsigned retransmissions() const;  // packets that our kernel had to send again, SYNs among them

  void send(std::string_view bytes);                                         // all of them
  std::size_t send_until_blocked(std::string_view bytes, std::size_t most);  // over and over
  void send_urgent(char byte);
  void half_close();
  void reset();  // as if the machine had lost its mind: RST instead of FIN
  void close() { socket_.reset(); }

  std::string read_some();  // empty at the end; "RST" in its stead throws
  std::string read_line();  // without its `\r\n`; throws at the end
  std::string read_until(std::string_view delimiter);  // with it
  std::string read_to_end();                           // throws on a reset
  std::string ask(std::string_view line) {             // one line for one line
    send(std::string(line) + "\r\n");
    return read_line();
  }

 private:
  void bind(const SocketAddress& address) const;

  UniqueFd socket_;
  std::string buffered_;
};

}  // namespace eddy
