#include "tls_session.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cerrno>
#include <cstring>

#include "../loop/text.h"
#include "socket_address.h"

namespace eddy {
namespace {

std::string in_words(unsigned long error) {
  if (ERR_SYSTEM_ERROR(error)) return std::strerror(ERR_GET_REASON(error));
  const char* const reason = ERR_reason_error_string(error);
  return reason ? reason : "reason " + std::to_string(ERR_GET_REASON(error));
}

// Without its zone, which is of this machine alone.
bool expect_address(SSL* ssl, const std::string& address) {
  const std::string ip = address.substr(0, address.find('%'));
  return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), ip.c_str()) == 1;
}

// OpenSSL would read a name up to a NUL, and take a leading dot for whoever is below it.
bool expect_name(SSL* ssl, const std::string& hostname) {
  if (hostname.starts_with('.') || hostname.find('\0') != std::string::npos) return false;
  const std::string name = hostname.substr(0, hostname.size() - hostname.ends_with('.'));
  SSL_set_hostflags(ssl,
                    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  return SSL_set_tlsext_host_name(ssl, name.c_str()) == 1 && SSL_set1_host(ssl, name.c_str()) == 1;
}

}  // namespace

// OpenSSL's own would raise SIGPIPE, and knows nothing of the Platform.
class TLSSession::Transport {
 public:
  static BIO* open(TLSSession& session) {
    BIO* bio = BIO_new(method());
    if (!bio) throw TLSError("no TLS transport: " + why());
    BIO_set_data(bio, &session);
    BIO_set_init(bio, 1);
    return bio;
  }

 private:
  static const BIO_METHOD* method() {
    static const BIO_METHOD* const made = [] {
      BIO_METHOD* fresh = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "eddy");
      BIO_meth_set_read(fresh, receive);
      BIO_meth_set_write(fresh, send);
      BIO_meth_set_ctrl(fresh, control);
      return fresh;
    }();
    return made;
  }

  // A short answer means that there is no more: it spares the call that would say so.
  static int receive(BIO* bio, char* data, int size) {
    TLSSession& session = *static_cast<TLSSession*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    if (session.drained_) {
      BIO_set_retry_read(bio);
      return -1;
    }
    const auto room = static_cast<std::size_t>(size);
    const ssize_t count = retrying([&] { return session.platform_.recv(session.fd_, data, room); });
    session.drained_ = count < size;
    if (count > 0) session.took(static_cast<std::size_t>(count));
    if (count == 0) session.saw_end_ = true;
    if (count < 0) refused(session, bio, BIO_FLAGS_READ);
    return static_cast<int>(count);
  }
  static int send(BIO* bio, const char* data, int size) {
    TLSSession& session = *static_cast<TLSSession*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    const auto bytes = static_cast<std::size_t>(size);
    const ssize_t count =
        retrying([&] { return session.platform_.send(session.fd_, data, bytes); });
    if (count < 0) refused(session, bio, BIO_FLAGS_WRITE);
    return static_cast<int>(count);
  }
  static void refused(TLSSession& session, BIO* bio, int direction) {
    if (errno == EAGAIN || errno == EWOULDBLOCK)
      BIO_set_flags(bio, direction | BIO_FLAGS_SHOULD_RETRY);
    else
      session.error_number_ = errno;
  }
  static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  template <class F>
  static ssize_t retrying(F call) {
    ssize_t answer = 0;
    do {
      answer = call();
    } while (answer < 0 && errno == EINTR);
    return answer;
  }
};

void TLSSession::Free::operator()(ssl_st* ssl) const { SSL_free(ssl); }

TLSSession::TLSSession(const TLSContext& context, const std::string& server_hostname,
                       Platform& platform, int fd)
    : platform_(platform), fd_(fd), ssl_(SSL_new(context.native_.get())) {
  if (!ssl_) throw TLSError("no TLS session: " + why());
  BIO* const transport = Transport::open(*this);
  SSL_set_bio(ssl_.get(), transport, transport);  // which is its from now on
  if (context.is_server()) {
    SSL_set_accept_state(ssl_.get());
  } else {
    SSL_set_connect_state(ssl_.get());
    if (!server_hostname.empty()) expect_server(server_hostname);
  }
}

TLSSession::~TLSSession() = default;

void TLSSession::expect_server(const std::string& hostname) {
  SSL* const ssl = ssl_.get();
  if (is_valid_ip(hostname) ? expect_address(ssl, hostname) : expect_name(ssl, hostname)) return;
  ERR_clear_error();
  throw TLSError("server_hostname '" + printable(hostname) + "' is nobody's name");
}

// OpenSSL judges a call by what complaints it finds, also by those of another call.
void TLSSession::begin_step() {
  ERR_clear_error();
  received_ = 0;
  drained_ = false;
}

// A peer may send without end what is no data at all.
void TLSSession::took(std::size_t bytes) {
  received_ += bytes;
  if (received_ >= kMostAtOnce) drained_ = true;
}

TLSSession::Status TLSSession::handshake() {
  if (failed_) return Status::failed;
  begin_step();
  const Status status = status_of(SSL_do_handshake(ssl_.get()));
  if (status == Status::ended) return fail(SSL_ERROR_ZERO_RETURN);
  if (status != Status::done) return status;
  established_ = true;
  holds_unread_ = holds_unread_ || SSL_has_pending(ssl_.get()) != 0;
  return status;
}

// Steps until `size` is reached or one does not succeed. A step is told how far they came, says how
// many bytes it moved, and returns what OpenSSL did.
template <class Step>
TLSSession::Moved TLSSession::move(std::size_t size, Step step) {
  begin_step();
  Moved moved{0, failed_ ? Status::failed : Status::done};
  while (moved.bytes < size && moved.status == Status::done) {
    std::size_t count = 0;
    moved.status = status_of(step(moved.bytes, count));
    moved.bytes += count;
  }
  return moved;
}

TLSSession::Moved TLSSession::read(char* data, std::size_t size) {
  const Moved moved = move(size, [&](std::size_t at, std::size_t& count) {
    return SSL_read_ex(ssl_.get(), data + at, size - at, &count);
  });
  const bool pending = moved.status == Status::done && SSL_has_pending(ssl_.get()) != 0;
  holds_unread_ = pending || (moved.status != Status::done && moved.status != Status::wants_read);
  return moved;
}

TLSSession::Moved TLSSession::write(const char* data, std::size_t size) {
  Moved moved = move(size, [&](std::size_t at, std::size_t& count) {
    return SSL_write_ex(ssl_.get(), data + at, size - at, &count);
  });
  if (received_ > 0) holds_unread_ = true;  // a message of the handshake's, and what is behind it
  if (moved.status == Status::ended) moved.status = fail(SSL_ERROR_ZERO_RETURN);  // within such one
  return moved;
}

TLSSession::Status TLSSession::say_goodbye() {
  if (said_goodbye_) return Status::done;
  if (const Status status = handshake(); status != Status::done) return status;
  const int answer = SSL_shutdown(ssl_.get());
  said_goodbye_ = answer >= 0;  // 0: the peer has not, so far
  return said_goodbye_ ? Status::done : status_of(answer);
}

TLSSession::Status TLSSession::status_of(int answer) {
  switch (const int kind = SSL_get_error(ssl_.get(), answer); kind) {
    case SSL_ERROR_NONE: return Status::done;
    case SSL_ERROR_WANT_READ: return Status::wants_read;
    case SSL_ERROR_WANT_WRITE: return Status::wants_write;
    case SSL_ERROR_ZERO_RETURN: return Status::ended;
    default: return fail(kind);
  }
}

TLSSession::Status TLSSession::fail(int kind) {
  failed_ = true;
  if (kind == SSL_ERROR_SYSCALL && error_number_ != 0) return Status::failed;
  truncated_ = kind == SSL_ERROR_ZERO_RETURN || (kind == SSL_ERROR_SYSCALL && saw_end_);
  error_number_ = EPROTO;
  error_ = std::make_exception_ptr(TLSError(verdict()));
  return Status::failed;
}

std::string TLSSession::verdict() const {
  if (truncated_)
    return established_ ? "truncated: the peer closed without close_notify"
                        : "truncated: the peer closed during the handshake";
  const unsigned long last = ERR_peek_last_error();  // the first may be of the arithmetic below
  if (ERR_GET_REASON(last) != SSL_R_CERTIFICATE_VERIFY_FAILED) return in_words(last);
  return in_words(last) + ": " + X509_verify_cert_error_string(SSL_get_verify_result(ssl_.get()));
}

std::string TLSSession::why() {
  const unsigned long first = ERR_get_error();
  ERR_clear_error();
  return in_words(first);
}

std::string TLSSession::alpn_protocol() const {
  const unsigned char* protocol = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &protocol, &size);
  return {reinterpret_cast<const char*>(protocol), size};
}

std::string TLSSession::version() const { return SSL_get_version(ssl_.get()); }

std::string TLSSession::cipher() const {
  const char* const name = SSL_get_cipher_name(ssl_.get());
  return name ? name : "";
}

std::string TLSSession::peer_subject() const {
  const X509* const certificate = SSL_get0_peer_certificate(ssl_.get());
  if (!certificate) return {};
  const std::unique_ptr<BIO, decltype(&BIO_free)> text(BIO_new(BIO_s_mem()), BIO_free);
  X509_NAME_print_ex(text.get(), X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(text.get(), &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

}  // namespace eddy
