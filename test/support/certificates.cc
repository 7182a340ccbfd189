#include "certificates.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace eddy {
namespace {

template <class T, void (*free)(T*)>
struct Free {
  void operator()(T* object) const { free(object); }
};
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY, EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Free<X509, X509_free>>;

constexpr long kDay = 24L * 60 * 60;

std::string make_folder() {
  std::string name = std::filesystem::temp_directory_path() / "eddy-certificates-XXXXXX";
  if (!::mkdtemp(name.data())) throw std::runtime_error("mkdtemp");
  return name;
}

void extend(X509* certificate, int what, const std::string& value) {
  X509_EXTENSION* made = X509V3_EXT_conf_nid(nullptr, nullptr, what, value.c_str());
  if (!made) throw std::runtime_error("an extension that OpenSSL does not take: " + value);
  X509_add_ext(certificate, made, -1);
  X509_EXTENSION_free(made);
}

Certificate begin(const std::string& common_name, EVP_PKEY* key, long serial) {
  Certificate made(X509_new());
  X509_set_version(made.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), serial);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), -2 * kDay);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), kDay);
  X509_set_pubkey(made.get(), key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1,
                             0);
  return made;
}

void sign(X509* certificate, const X509* issuer, EVP_PKEY* key) {
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
  if (X509_sign(certificate, key, EVP_sha256()) == 0) throw std::runtime_error("X509_sign");
}

std::string joined(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ",") + name;
  return all;
}

template <class F>
std::string as_text(F print) {
  BIO* const memory = BIO_new(BIO_s_mem());
  print(memory);
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(memory, &bytes);
  std::string text(bytes, static_cast<std::size_t>(size));
  BIO_free(memory);
  return text;
}

}  // namespace

struct Certificates::Keys {
  Key key{EVP_EC_gen("P-256")};
  Certificate authority = begin("a test's authority", key.get(), 1);
};

Certificates::Certificates() : folder_(make_folder()), keys_(std::make_unique<Keys>()) {
  X509* const authority = keys_->authority.get();
  extend(authority, NID_basic_constraints, "critical,CA:TRUE");
  sign(authority, authority, keys_->key.get());
  authority_ =
      write("authority.pem", as_text([&](BIO* out) { PEM_write_bio_X509(out, authority); }));
  server_ = issue({});
  client_ = issue({.common_name = "a client", .alternative_names = {}});
}

Certificates::~Certificates() { std::filesystem::remove_all(folder_); }

Certificates& Certificates::common() {
  static Certificates all;
  return all;
}

CertificateFiles Certificates::issue(const Wish& wish) {
  const std::string number = std::to_string(++issued_);
  const Key key(EVP_EC_gen("P-256"));
  const Certificate leaf = begin(wish.common_name, key.get(), 1 + issued_);
  if (wish.expired) X509_gmtime_adj(X509_getm_notAfter(leaf.get()), -kDay);
  if (!wish.alternative_names.empty())
    extend(leaf.get(), NID_subject_alt_name, joined(wish.alternative_names));
  if (wish.self_signed)
    sign(leaf.get(), leaf.get(), key.get());
  else
    sign(leaf.get(), keys_->authority.get(), keys_->key.get());
  return {write(number + ".pem", as_text([&](BIO* out) { PEM_write_bio_X509(out, leaf.get()); })),
          write(number + ".key", as_text([&](BIO* out) {
                  PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
                }))};
}

std::string Certificates::encrypted_key() {
  const unsigned char password[] = "secret";
  return write("encrypted.key", as_text([&](BIO* out) {
                 PEM_write_bio_PrivateKey(out, keys_->key.get(), EVP_aes_128_cbc(), password, 6,
                                          nullptr, nullptr);
               }));
}

std::string Certificates::write(const std::string& name, const std::string& text) {
  std::string path = folder_ + "/" + name;
  std::ofstream(path) << text;
  return path;
}

}  // namespace eddy
