// IOStream: a stream over a socket.
//
// Mirrors tornado.iostream.IOStream. Owns the socket.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "../loop/unique_fd.h"
#include "base_io_stream.h"
#include "socket_address.h"

namespace eddy {

class TLSContext;
class TLSIOStream;
struct HandshakeOptions;
inline constexpr Duration kHandshakeTimeout = std::chrono::seconds(10);

class IOStream : public BaseIOStream {
 public:
  // The socket must be non-blocking, as accept() of Platform and open_socket() make it.
  explicit IOStream(UniqueFd socket, SharedLimits limits = default_limits());
  IOStream(UniqueFd socket, const StreamLimits& limits)
      : IOStream(std::move(socket), share(limits)) {}
  ~IOStream() override { close(); }

  // Done when connected. Fails with StreamClosedError, the reason behind it (ECONNREFUSED, say),
  // and TimeoutError behind it once `deadline` has passed. What is written meanwhile is sent then,
  // and a read begins then.
  Future<> connect(const SocketAddress& address, TimePoint deadline = TimePoint::max(),
                   Location where = Location::current());

  // TLS from here on, in a new stream that takes over the socket, the limits and the close
  // callback; this one is closed. A client says by which name the server must be certified. Fails,
  // and leaves the stream as it is, with InvalidStateError unless the stream is idle and nothing is
  // buffered: what came in plain text must not pass for protected. Else as
  // TLSIOStream::wait_for_handshake().
  Future<std::unique_ptr<IOStream>> start_tls(std::shared_ptr<const TLSContext> context,
                                              std::string server_hostname = {},
                                              Duration handshake_timeout = kHandshakeTimeout,
                                              Location where = Location::current());

  // Sends a part of a regular file, as if it were written, but without taking it into memory where
  // the kernel can do that (without TLS). Done when the kernel has taken it all; until then nothing
  // else may be written. Fails as write() does, and with a std::system_error when the file can't be
  // read or, as ENODATA, ends before; what was sent is sent. The file's own offset stays. Let go of
  // the Future before the stream goes.
  Future<> send_file(int file, std::uint64_t offset, std::uint64_t count);

  // TCP only, and harmless on anything else: a small write leaves at once, or waits for company.
  void set_nodelay(bool on);

  int fileno() const override { return socket_.get(); }  // -1 once closed

 protected:
  ssize_t read_from_fd(char* data, std::size_t size) override;
  ssize_t write_to_fd(const char* data, std::size_t size) override;
  void shutdown_fd() override;
  void close_fd() override { socket_.reset(); }
  int fd_error() override;
  void handle_connect() override;
  void fail_connect(const std::exception_ptr& error) override;
  virtual bool is_plain() const { return true; }  // the kernel sends what we would
  // What start_tls() gives, so that who keeps account of this stream keeps it of that one, too.
  virtual std::unique_ptr<TLSIOStream> make_successor(UniqueFd socket,
                                                      std::shared_ptr<const TLSContext> context,
                                                      HandshakeOptions options);
  bool is_connected() const;
  bool was_refused();  // what connect() asked for; closes if so
  void finish_connect();

 private:
  struct Connecting {
    Promise<> promise;
    IOLoop::Timeout deadline;
  };

  Future<std::uint64_t> send_in_kernel(int file, std::uint64_t offset, std::uint64_t end);
  Future<> send_by_copying(int file, std::uint64_t offset, std::uint64_t end);
  bool start_connecting(const SocketAddress& address);  // false: errno
  const char* reason_against_tls() const;               // none: it may be started

  UniqueFd socket_;
  std::unique_ptr<Connecting> connecting_;
};

// A non-blocking socket of the family: AF_INET, AF_INET6 or AF_UNIX. Throws std::system_error.
UniqueFd open_socket(int family, int type = SOCK_STREAM);

}  // namespace eddy
