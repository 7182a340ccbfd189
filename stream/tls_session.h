// TLSSession: the TLS of one connection, over a socket that does not wait.
//
// Mirrors Python's ssl.SSLSocket. It calls OpenSSL, whose answers it turns into five words, and
// knows neither loop nor stream: see tls_io_stream for these.
#pragma once

#include <cstddef>
#include <exception>
#include <memory>
#include <string>

#include "../loop/platform.h"
#include "tls_context.h"

struct ssl_st;  // OpenSSL's, which only sources know
struct bio_st;

namespace eddy {

class TLSSession {
 public:
  static constexpr std::size_t kMostAtOnce = 256 << 10;  // taken from the socket in one step

  enum class Status {
    done,
    wants_read,   // of the socket, before it can go on
    wants_write,  // likewise
    ended,        // the peer has said that it will send no more
    failed        // see error() and error_number()
  };
  struct Moved {
    std::size_t bytes;
    Status status;  // why it was no more
  };

  // A client asks for the server's name, and lets its certificate count for no other one, if the
  // context verifies; a numeric address will do. The socket stays the caller's. Throws TLSError.
  TLSSession(const TLSContext& context, const std::string& server_hostname, Platform& platform,
             int fd);
  ~TLSSession();
  TLSSession(const TLSSession&) = delete;
  TLSSession& operator=(const TLSSession&) = delete;

  Status handshake();
  Moved read(char* data, std::size_t size);  // until `size` is reached or nothing more is there
  Moved write(const char* data, std::size_t size);  // repeat the same bytes, or more, after a want
  Status say_goodbye();                             // nothing will follow

  bool established() const { return established_; }  // the handshake is done
  // read() has left something that no event will tell of: bytes, the peer's end, a failure.
  bool holds_unread() const { return holds_unread_; }

  std::exception_ptr error() const { return error_; }  // a TLSError; none: see the errno
  int error_number() const { return error_number_; }   // of the socket
  bool truncated() const { return truncated_; }        // the peer went without a goodbye

  std::string alpn_protocol() const;  // all empty where there is none
  std::string version() const;        // "TLSv1.3"
  std::string cipher() const;
  std::string peer_subject() const;  // "CN=example.org", escaped as in RFC 2253

  static std::string why();  // the first of OpenSSL's pending complaints, which are then forgotten

 private:
  class Transport;  // OpenSSL's door to the socket
  friend class Transport;
  struct Free {
    void operator()(ssl_st* ssl) const;
  };

  void expect_server(const std::string& hostname);
  void begin_step();
  template <class Step>
  Moved move(std::size_t size, Step step);
  void took(std::size_t bytes);
  Status status_of(int answer);
  Status fail(int kind);
  std::string verdict() const;

  Platform& platform_;
  const int fd_;
  std::unique_ptr<ssl_st, Free> ssl_;
  std::exception_ptr error_;
  int error_number_ = 0;
  std::size_t received_ = 0;  // in this step
  bool drained_ = false;      // the socket has no more, or is not to be asked in this step
  bool saw_end_ = false;      // of the socket
  bool established_ = false;
  bool said_goodbye_ = false;
  bool failed_ = false;
  bool truncated_ = false;
  bool holds_unread_ = false;
};

}  // namespace eddy
