// TLSPeer: the other end's TLS, as OpenSSL alone speaks it, with the wire in the test's hands.
//
// What it wants to send is taken by take(), to be cut, held back or forged; what comes is given to
// feed(). No socket, no loop.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "certificates.h"

struct ssl_st;

namespace eddy {

class TLSPeer {
 public:
  enum class Version { any, tls1_2 };
  struct Options {
    Version version = Version::any;
    int largest_record = 0;                 // 512 or more; 0: as large as they come
    bool asks_for_certificate = false;      // a server of its client
    const CertificateFiles* own = nullptr;  // a client's
  };

  static TLSPeer client() { return client(Options()); }
  static TLSPeer client(const Options& options);  // trusts everybody
  static TLSPeer server(const CertificateFiles& files) { return server(files, Options()); }
  static TLSPeer server(const CertificateFiles& files, const Options& options);

  void feed(std::string_view wire);
  std::string take();  // steps on first, as far as what was fed allows

  bool established() const;
  bool failed() const { return failed_; }
  void write(std::string_view text);
  const std::string& received() const { return received_; }  // so far
  void say_goodbye();
  bool heard_goodbye() const;
  bool may_resume() const;     // has been given what would spare it a handshake next time
  void update_key(bool both);  // the other end's, too
  void renegotiate();          // of a client; TLS 1.2

 private:
  struct Free {
    void operator()(ssl_st* ssl) const;
  };
  explicit TLSPeer(ssl_st* ssl);
  void step();

  std::unique_ptr<ssl_st, Free> ssl_;
  std::string received_;
  bool failed_ = false;
};

}  // namespace eddy
