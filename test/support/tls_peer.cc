#include "tls_peer.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <stdexcept>

namespace eddy {
namespace {

ssl_st* open(const SSL_METHOD* method, const CertificateFiles* files,
             const TLSPeer::Options& options) {
  SSL_CTX* const context = SSL_CTX_new(method);
  if (options.version == TLSPeer::Version::tls1_2)
    SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
  if (files && (SSL_CTX_use_certificate_chain_file(context, files->certificate.c_str()) != 1 ||
                SSL_CTX_use_PrivateKey_file(context, files->key.c_str(), SSL_FILETYPE_PEM) != 1))
    throw std::runtime_error("a certificate that OpenSSL does not take");
  if (options.asks_for_certificate)
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, [](int, X509_STORE_CTX*) { return 1; });
  SSL* const ssl = SSL_new(context);
  SSL_CTX_free(context);  // the connection holds it
  if (options.largest_record > 0)
    SSL_set_max_send_fragment(ssl, static_cast<unsigned>(options.largest_record));
  return ssl;
}

}  // namespace

void TLSPeer::Free::operator()(ssl_st* ssl) const { SSL_free(ssl); }

TLSPeer::TLSPeer(ssl_st* ssl) : ssl_(ssl) {
  SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
}

TLSPeer TLSPeer::client(const Options& options) {
  TLSPeer made(open(TLS_client_method(), options.own, options));
  SSL_set_connect_state(made.ssl_.get());
  return made;
}

TLSPeer TLSPeer::server(const CertificateFiles& files, const Options& options) {
  TLSPeer made(open(TLS_server_method(), &files, options));
  SSL_set_accept_state(made.ssl_.get());
  return made;
}

void TLSPeer::feed(std::string_view wire) {
  BIO_write(SSL_get_rbio(ssl_.get()), wire.data(), static_cast<int>(wire.size()));
}

void TLSPeer::step() {
  char block[4096];
  int count = 0;
  ERR_clear_error();
  while ((count = SSL_read(ssl_.get(), block, sizeof block)) > 0)
    received_.append(block, static_cast<std::size_t>(count));
  const int kind = SSL_get_error(ssl_.get(), count);
  failed_ = failed_ || kind == SSL_ERROR_SSL || kind == SSL_ERROR_SYSCALL;
}

std::string TLSPeer::take() {
  if (!failed_) step();
  std::string wire;
  char block[4096];
  int count = 0;
  while ((count = BIO_read(SSL_get_wbio(ssl_.get()), block, sizeof block)) > 0)
    wire.append(block, static_cast<std::size_t>(count));
  return wire;
}

bool TLSPeer::established() const { return SSL_is_init_finished(ssl_.get()) == 1; }

void TLSPeer::write(std::string_view text) {
  if (SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size())) <= 0)
    throw std::runtime_error("SSL_write");
}

void TLSPeer::say_goodbye() { SSL_shutdown(ssl_.get()); }

bool TLSPeer::heard_goodbye() const {
  return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
}

bool TLSPeer::may_resume() const {
  return SSL_SESSION_is_resumable(SSL_get0_session(ssl_.get())) == 1;
}

void TLSPeer::renegotiate() {
  SSL_renegotiate(ssl_.get());
  SSL_do_handshake(ssl_.get());
}

void TLSPeer::update_key(bool both) {
  SSL_key_update(ssl_.get(), both ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED);
  SSL_do_handshake(ssl_.get());
}

}  // namespace eddy
