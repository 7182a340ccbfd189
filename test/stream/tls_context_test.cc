#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include <eddy/stream/tls_context.h>

#include "../support/certificates.h"
#include "../support/tls_test.h"

namespace eddy {
namespace {

template <class F>
std::string tls_error(F make) {
  try {
    make();
  } catch (const TLSError& error) {
    return error.what();
  }
  return "none";
}

std::string error_of_server(const TLSServerOptions& options) {
  return tls_error([&] { static_cast<void>(TLSContext::for_server(options)); });
}

TEST(TLSContextTest, IsMadeOfFilesThatFit) {
  EXPECT_TRUE(TLSContext::for_server(server_options())->is_server());
  EXPECT_FALSE(TLSContext::for_client(client_options())->is_server());
  EXPECT_TRUE(TLSContext::for_client()->verifies_server()) << "by default, whom the system trusts";
}

TEST(TLSContextTest, AMissingFileIsNamedAndWhy) {
  TLSServerOptions options = server_options();
  options.certificate_chain_file = "/nowhere/chain.pem";
  EXPECT_EQ(error_of_server(options),
            "certificate_chain_file /nowhere/chain.pem: No such file or directory");
  options = server_options();
  options.private_key_file = "/nowhere/key.pem";
  EXPECT_EQ(error_of_server(options),
            "private_key_file /nowhere/key.pem: No such file or directory");
  EXPECT_EQ(
      tls_error([] { static_cast<void>(TLSContext::for_client({.ca_file = "/nowhere/ca.pem"})); }),
      "ca_file /nowhere/ca.pem: No such file or directory");
}

TEST(TLSContextTest, WhatIsNoCertificateIsNamed) {
  const std::string file = Certificates::common().write("nonsense.pem", "no certificate\n");
  TLSServerOptions options = server_options();
  options.certificate_chain_file = file;
  EXPECT_EQ(error_of_server(options), "certificate_chain_file " + file + ": no start line");
  options = server_options();
  options.client_ca_file = file;
  EXPECT_EQ(error_of_server(options).find("client_ca_file " + file + ": "), 0U);
}

TEST(TLSContextTest, AKeyOfAnotherCertificateIsNamed) {
  TLSServerOptions options = server_options();
  options.private_key_file = Certificates::common().client().key;
  EXPECT_EQ(error_of_server(options),
            "private_key_file " + options.private_key_file + ": key values mismatch");
}

TEST(TLSContextTest, AKeyBehindAPasswordIsRefusedAndNobodyIsAsked) {
  TLSServerOptions options = server_options();
  options.private_key_file = Certificates::common().encrypted_key();
  EXPECT_EQ(error_of_server(options).find("private_key_file " + options.private_key_file + ": "),
            0U);
}

TEST(TLSContextTest, ANamedCertificateIsCheckedToo) {
  TLSServerOptions options = server_options();
  options.named["other.example"] = {"/nowhere/other.pem", "/nowhere/other.key"};
  EXPECT_EQ(error_of_server(options),
            "certificate_chain_file /nowhere/other.pem: No such file or directory");
}

TEST(TLSContextTest, OptionsThatDoNotGoTogetherAreRefused) {
  TLSServerOptions options = server_options();
  options.require_client_certificate = true;
  EXPECT_THROW(static_cast<void>(TLSContext::for_server(options)), std::invalid_argument);
  options = server_options();
  options.alpn = {""};
  EXPECT_THROW(static_cast<void>(TLSContext::for_server(options)), std::invalid_argument);
  options.alpn = {std::string(256, 'x')};
  EXPECT_THROW(static_cast<void>(TLSContext::for_server(options)), std::invalid_argument);
}

}  // namespace
}  // namespace eddy
