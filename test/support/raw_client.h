// RawClient: a peer on the same thread as the loop that serves it.
//
// It never waits, but for the kernel to connect it, which needs no loop: ask again after a turn.
#pragma once

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>

#include <eddy/loop/unique_fd.h>
#include <eddy/stream/socket_address.h>

namespace eddy {

class RawClient {
 public:
  explicit RawClient(const SocketAddress& server)
      : socket_(::socket(server.family(), SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (::connect(socket_.get(), server.get(), server.size()) < 0)
      throw std::system_error(errno, std::generic_category(), "connect");
    ::fcntl(socket_.get(), F_SETFL, O_NONBLOCK);
    const int on = 1;  // what is sent in pieces leaves in pieces
    ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }

  void send(std::string_view text) const {
    const ssize_t sent = ::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) error_ = errno;
  }
  std::size_t send_some(std::string_view text) const {  // how many bytes the kernel took
    const ssize_t count = ::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL);
    return count < 0 ? 0 : static_cast<std::size_t>(count);
  }
  void end() const { ::shutdown(socket_.get(), SHUT_WR); }
  void close() { socket_.reset(); }
  void reset() {  // RST instead of FIN
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
  }

  const std::string& received() {  // so far
    char bytes[4096];
    ssize_t count = 0;
    while (!over_ && (count = ::recv(socket_.get(), bytes, sizeof bytes, 0)) > 0)
      received_.append(bytes, static_cast<std::size_t>(count));
    if (count < 0 && errno != EAGAIN && errno != EINTR) error_ = errno;
    over_ = over_ || count == 0 || error_ != 0;
    return received_;
  }
  bool over() {  // the server has ended it, by FIN or RST
    received();
    return over_;
  }
  bool was_reset() {
    received();
    socklen_t size = sizeof error_;
    if (error_ == 0) ::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error_, &size);
    return error_ == ECONNRESET || error_ == EPIPE;
  }
  SocketAddress address() const { return SocketAddress::local_of(socket_.get()); }

 private:
  UniqueFd socket_;
  std::string received_;
  bool over_ = false;
  mutable int error_ = 0;  // a send may be the first to hear of it
};

}  // namespace eddy
