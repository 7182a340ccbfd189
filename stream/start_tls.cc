// IOStream::start_tls: from plain text to TLS, over the same socket.

#include <stdexcept>
#include <utility>

#include "../loop/await.h"
#include "io_stream.h"
#include "tls_io_stream.h"

namespace eddy {
namespace {

Future<std::unique_ptr<IOStream>> once_established(std::unique_ptr<TLSIOStream> stream) {
  co_await stream->wait_for_handshake();
  co_return std::move(stream);
}

}  // namespace

const char* IOStream::reason_against_tls() const {
  if (closed()) return "closed";
  if (at_eof()) return "the peer has ended";
  if (connecting()) return "connecting";
  if (reading()) return "a read is pending";
  if (writing()) return "writes are pending";
  if (read_buffer_size() > 0) return "there are unread bytes in the buffer";
  if (dynamic_cast<const TLSIOStream*>(this)) return "it speaks TLS already";
  return nullptr;
}

Future<std::unique_ptr<IOStream>> IOStream::start_tls(std::shared_ptr<const TLSContext> context,
                                                      std::string server_hostname,
                                                      Duration handshake_timeout, Location where) {
  check_thread("IOStream::start_tls");
  const char* reason = reason_against_tls();
  if (context->verifies_server() && server_hostname.empty())
    reason = "a client that verifies needs the server_hostname";
  if (reason)
    return make_failed_future<std::unique_ptr<IOStream>>(
        std::make_exception_ptr(InvalidStateError(std::string("start_tls: ") + reason)),
        "start_tls", where);
  step_out();
  std::unique_ptr<TLSIOStream> successor =
      make_successor(std::move(socket_), std::move(context),
                     HandshakeOptions{std::move(server_hostname), handshake_timeout});
  hand_close_callback_to(*successor);
  close(std::make_exception_ptr(InvalidStateError("start_tls: the socket has gone to TLS")));
  return once_established(std::move(successor));
}

std::unique_ptr<TLSIOStream> IOStream::make_successor(UniqueFd socket,
                                                      std::shared_ptr<const TLSContext> context,
                                                      HandshakeOptions options) {
  return std::make_unique<TLSIOStream>(std::move(socket), std::move(context), options,
                                       shared_limits());
}

}  // namespace eddy
