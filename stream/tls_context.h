// TLSContext: the certificates and the terms of many TLS connections, checked once.
//
// Mirrors tornado.netutil.ssl_options_to_context. Never changes, and may be shared by streams,
// servers and threads. The terms are not for choice: TLS 1.2 or newer, forward secrecy,
// authenticated ciphers, no compression, no renegotiation, no resumed sessions.
#pragma once

#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

struct ssl_ctx_st;  // OpenSSL's, which only sources know

namespace eddy {

// What the text names: a file and what is wrong with it, or why a connection is not to be trusted.
class TLSError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct TLSCertificate {
  std::string certificate_chain_file;  // PEM: the certificate itself, then those that lead from it
  std::string private_key_file;        // PEM, not encrypted: nobody is asked for a password
};

struct TLSServerOptions {
  std::string certificate_chain_file;
  std::string private_key_file;
  std::string client_ca_file = {};          // whose signature on a client's certificate counts;
  bool require_client_certificate = false;  // without it, clients may come without one
  std::vector<std::string> alpn = {};       // protocols, the preferred one first
  std::map<std::string, TLSCertificate> named =
      {};  // for clients that ask for this very name (SNI)
};

struct TLSClientOptions {
  std::string ca_file = {};  // whom to trust; empty: whom the system trusts
  bool verify = true;  // false: any server will do, and nothing is secret from who poses as it
  std::string certificate_chain_file = {};  // the client's own, if it has one
  std::string private_key_file = {};
  std::vector<std::string> alpn = {};
};

class TLSContext {
 public:
  // Both throw TLSError, which names the file, and std::invalid_argument for options that do not
  // go together. They read files, so they may block: meant for the start of a program.
  static std::shared_ptr<const TLSContext> for_server(const TLSServerOptions& options);
  static std::shared_ptr<const TLSContext> for_client(
      const TLSClientOptions& options = TLSClientOptions());
  ~TLSContext();
  TLSContext(const TLSContext&) = delete;
  TLSContext& operator=(const TLSContext&) = delete;

  bool is_server() const { return is_server_; }
  bool verifies_server() const { return verifies_server_; }  // so a client must say its name

 private:
  friend class TLSSession;
  struct Free {
    void operator()(ssl_ctx_st* context) const;
  };
  using Native = std::unique_ptr<ssl_ctx_st, Free>;

  TLSContext(bool is_server, const std::vector<std::string>& alpn);
  Native new_native() const;
  Native serve_with(const TLSCertificate& certificate, const TLSServerOptions& options) const;
  void choose_alpn(ssl_ctx_st* context) const;

  const bool is_server_;
  const std::string alpn_;  // as it stands in the protocol
  bool verifies_server_ = false;
  Native native_;
  std::map<std::string, Native> named_;  // by server name, in lower case
};

}  // namespace eddy
