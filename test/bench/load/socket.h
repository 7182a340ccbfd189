// Sockets of the load: to 127.0.0.1, and nowhere else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace load {

[[noreturn]] void fail(const char* what);

// A descriptor that closes itself.
class Socket {
 public:
  Socket() = default;
  explicit Socket(int fd) : fd_(fd) {}
  Socket(Socket&& other) noexcept;
  Socket& operator=(Socket&& other) noexcept;
  ~Socket();
  int fd() const { return fd_; }

 private:
  int fd_ = -1;
};

// Thousands of connections come and go: those that `reset` when closed leave nothing behind, and
// the others come from many addresses, or the ports would wait out TIME_WAIT.
enum class OnClose { reset, wait };
Socket connect_to(std::uint16_t port, OnClose on_close);

void set_patience(const Socket& socket, double seconds);  // of a send or recv that blocks

// These block. The kernel's refusal throws, and so does patience that ends (TooSlow).
void send_all(const Socket& socket, std::string_view bytes);
std::string receive_line(const Socket& socket);  // what comes first; the peer says a line at a time
void expect_line(const Socket& socket, std::string_view line);

}  // namespace load
