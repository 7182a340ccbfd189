// TLSIOStream: a stream over a socket, and TLS between the two.
//
// Mirrors tornado.iostream.SSLIOStream. Everything of IOStream's goes for it too, with these words
// about the two ends: the peer's close_notify is its end, and the end of the connection without one
// is no end but a failure ("truncated"), for anybody can forge it. Our shutdown_write() sends one;
// close() tries to, unless something unsent is dropped.
//
//   connecting --the socket is--> handshaking --done--> open, as BaseIOStream draws it
//                                        \--TLSError, TimeoutError--> closed
//
// Reads and writes that are asked for meanwhile begin when the handshake is done.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "../loop/callback_queue.h"
#include "handshake_queue.h"
#include "io_stream.h"
#include "tls_context.h"

namespace eddy {

class TLSSession;

struct HandshakeOptions {
  std::string server_hostname = {};      // a client's: for SNI, and whom the certificate must name
  Duration timeout = kHandshakeTimeout;  // from the connection to the end of the handshake
  HandshakeQueue* queue = nullptr;       // where it takes turns with others; outlives it
};

class TLSIOStream : public IOStream, private Runnable {
 public:
  // As IOStream's socket. If it is connected, the handshake begins in the next turn, else within
  // connect(), which is done when both are. Throws std::invalid_argument for a client that verifies
  // and does not say whom.
  TLSIOStream(UniqueFd socket, std::shared_ptr<const TLSContext> context,
              const HandshakeOptions& options = HandshakeOptions(),
              SharedLimits limits = default_limits());
  ~TLSIOStream() override;

  // Done when the handshake is. Fails as everything does that a stream's close ends (in Tornado
  // with the reason itself): with StreamClosedError, and the reason behind it: a TLSError, a
  // TimeoutError that names handshake_timeout, a LimitError that names max_handshakes, a system
  // error. One at a time.
  Future<> wait_for_handshake(Location where = Location::current());

  // Empty until the handshake is done, and once the stream is closed.
  std::string alpn_protocol() const;             // what both have agreed on
  std::string tls_version() const;               // "TLSv1.3"
  std::string cipher() const;                    // "TLS_AES_256_GCM_SHA384"
  std::string peer_certificate_subject() const;  // "CN=example.org", escaped; verified if asked for

 protected:
  ssize_t read_from_fd(char* data, std::size_t size) override;
  ssize_t write_to_fd(const char* data, std::size_t size) override;
  bool say_goodbye() override;
  void close_fd() override;
  std::size_t arrived() override;
  void read_waits() override;
  void handle_connect() override;
  void fail_connect(const std::exception_ptr& error) override;
  bool is_plain() const override { return false; }
  void connection_failed(int error_number, const char* what) override;

 private:
  class Handshake;

  // TLS holds what no event tells of. While a message of the handshake's is incomplete, the events
  // are its own, and it goes on by itself.
  void run() override {
    if (!connecting()) read_on();
  }
  void begin_handshake();
  void take_step();
  void let_handshake_go_on(std::uint32_t events);
  void handshake_done();
  void time_is_up(const char* limit, Duration patience);
  std::string peer() const;
  const TLSSession* established() const;

  const std::shared_ptr<const TLSContext> context_;
  std::unique_ptr<Handshake> handshake_;  // until it is done
  std::unique_ptr<TLSSession> session_;   // from its first step on
};

}  // namespace eddy
