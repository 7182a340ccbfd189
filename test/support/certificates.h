// Certificates: an authority of a test's own, and what it has signed, in files that go with it.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace eddy {

struct CertificateFiles {
  std::string certificate;
  std::string key;
};

class Certificates {
 public:
  struct Wish {
    std::string common_name = "localhost";
    std::vector<std::string> alternative_names = {"DNS:localhost", "IP:127.0.0.1", "IP:::1"};
    bool expired = false;
    bool self_signed = false;
  };

  Certificates();
  ~Certificates();
  Certificates(const Certificates&) = delete;
  Certificates& operator=(const Certificates&) = delete;

  const std::string& authority() const { return authority_; }  // its certificate's file
  CertificateFiles issue(const Wish& wish);
  std::string encrypted_key();                                          // a file, of no certificate
  std::string write(const std::string& name, const std::string& text);  // a file among them

  const CertificateFiles& server() const { return server_; }  // for localhost
  const CertificateFiles& client() const { return client_; }  // of `a client`

  static Certificates& common();  // the program's

 private:
  struct Keys;

  const std::string folder_;
  const std::unique_ptr<Keys> keys_;
  std::string authority_;
  CertificateFiles server_;
  CertificateFiles client_;
  int issued_ = 0;
};

}  // namespace eddy
