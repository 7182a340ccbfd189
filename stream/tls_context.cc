#include "tls_context.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <string_view>

#include "tls_session.h"

namespace eddy {
namespace {

constexpr const char* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";  // of TLS 1.2; 1.3 has no weak ones
constexpr unsigned char kSessionContext[] = "eddy";  // sessions that ask for certificates need one

// Throws what OpenSSL has to say of the file, unless it took it.
void check(int taken, const char* option, const std::string& file) {
  if (taken == 1) return;
  throw TLSError(std::string(option) + " " + file + ": " + TLSSession::why());
}

// OpenSSL would ask on the terminal.
int no_password(char*, int, int, void*) { return -1; }

void use_certificate(SSL_CTX* context, const TLSCertificate& certificate) {
  ERR_clear_error();
  const std::string& chain = certificate.certificate_chain_file;
  const std::string& key = certificate.private_key_file;
  check(SSL_CTX_use_certificate_chain_file(context, chain.c_str()), "certificate_chain_file",
        chain);
  check(SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM), "private_key_file",
        key);
}

void trust(SSL_CTX* context, const char* option, const std::string& ca_file) {
  ERR_clear_error();
  check(SSL_CTX_load_verify_file(context, ca_file.c_str()), option, ca_file);
}

void ask_for_client_certificate(SSL_CTX* context, const TLSServerOptions& options) {
  trust(context, "client_ca_file", options.client_ca_file);
  SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(options.client_ca_file.c_str()));
  const int required = options.require_client_certificate ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | required, nullptr);
}

// Each protocol behind its length, as it is sent.
std::string in_a_row(const std::vector<std::string>& protocols) {
  std::string row;
  for (const std::string& protocol : protocols) {
    if (protocol.empty() || protocol.size() > 255)
      throw std::invalid_argument("alpn: a protocol has 1 to 255 bytes: '" + protocol + "'");
    row += static_cast<char>(protocol.size()) + protocol;
  }
  return row;
}

const unsigned char* bytes(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string in_lower_case(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(), [](char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
  });
  return name;
}

// OpenSSL asks while a client is greeted. `context` is one that never changes any more.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size,
                    const unsigned char* offered, unsigned offered_size, void* alpn) {
  const auto& ours = *static_cast<const std::string*>(alpn);
  unsigned char* found = nullptr;
  const int answer = SSL_select_next_proto(
      &found, size, bytes(ours), static_cast<unsigned>(ours.size()), offered, offered_size);
  *chosen = found;
  return answer == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

template <class Named>
int choose_certificate(SSL* ssl, int*, void* named) {
  const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (!name) return SSL_TLSEXT_ERR_NOACK;
  const auto& all = *static_cast<const Named*>(named);
  if (const auto found = all.find(in_lower_case(name)); found != all.end())
    SSL_set_SSL_CTX(ssl, found->second.get());
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

void TLSContext::Free::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }

TLSContext::TLSContext(bool is_server, const std::vector<std::string>& alpn)
    : is_server_(is_server), alpn_(in_a_row(alpn)) {}

TLSContext::~TLSContext() = default;

TLSContext::Native TLSContext::new_native() const {
  Native native(SSL_CTX_new(is_server_ ? TLS_server_method() : TLS_client_method()));
  if (!native) throw TLSError("no TLS context: " + TLSSession::why());
  SSL_CTX* context = native.get();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
  SSL_CTX_set_cipher_list(context, kCiphers);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  // No session is resumed: whoever came by the key of the tickets could read all of them.
  SSL_CTX_set_num_tickets(context, 0);  // of TLS 1.3; those of 1.2 are an option above
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_session_id_context(context, kSessionContext, sizeof kSessionContext - 1);
  SSL_CTX_set_default_passwd_cb(context, no_password);
  if (!alpn_.empty()) choose_alpn(context);
  return native;
}

void TLSContext::choose_alpn(ssl_ctx_st* context) const {
  if (is_server_)
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, const_cast<std::string*>(&alpn_));
  else
    SSL_CTX_set_alpn_protos(context, bytes(alpn_), static_cast<unsigned>(alpn_.size()));
}

// With each certificate the same terms: OpenSSL takes them from the one that the name chose.
TLSContext::Native TLSContext::serve_with(const TLSCertificate& certificate,
                                          const TLSServerOptions& options) const {
  Native native = new_native();
  use_certificate(native.get(), certificate);
  if (!options.client_ca_file.empty()) ask_for_client_certificate(native.get(), options);
  return native;
}

std::shared_ptr<const TLSContext> TLSContext::for_server(const TLSServerOptions& options) {
  if (options.require_client_certificate && options.client_ca_file.empty())
    throw std::invalid_argument("require_client_certificate: client_ca_file must say whose count");
  const std::shared_ptr<TLSContext> made(new TLSContext(true, options.alpn));
  made->native_ =
      made->serve_with({options.certificate_chain_file, options.private_key_file}, options);
  for (const auto& [name, certificate] : options.named)
    made->named_[in_lower_case(name)] = made->serve_with(certificate, options);
  SSL_CTX_set_tlsext_servername_callback(made->native_.get(),
                                         choose_certificate<decltype(made->named_)>);
  SSL_CTX_set_tlsext_servername_arg(made->native_.get(), &made->named_);
  return made;
}

std::shared_ptr<const TLSContext> TLSContext::for_client(const TLSClientOptions& options) {
  const std::shared_ptr<TLSContext> made(new TLSContext(false, options.alpn));
  made->native_ = made->new_native();
  made->verifies_server_ = options.verify;
  SSL_CTX* context = made->native_.get();
  SSL_CTX_set_verify(context, options.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  if (!options.ca_file.empty())
    trust(context, "ca_file", options.ca_file);
  else if (options.verify)
    SSL_CTX_set_default_verify_paths(context);
  if (!options.certificate_chain_file.empty() || !options.private_key_file.empty())
    use_certificate(context, {options.certificate_chain_file, options.private_key_file});
  return made;
}

}  // namespace eddy
