// --tls-cert and --tls-key: the same servers, and TLS between them and their clients.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "../support/certificates.h"
#include "../support/demo_server.h"
#include "../support/temporary_folder.h"
#include "../support/tls_peer.h"

namespace eddy {
namespace {

using Words = DemoProcess::Words;

Words with_tls(Words flags = {}) {
  const CertificateFiles& files = Certificates::common().server();
  flags.insert(flags.end(), {"--tls-cert", files.certificate, "--tls-key", files.key});
  return flags;
}

class TLSClient {
 public:
  explicit TLSClient(std::uint16_t port) : wire_(port) {
    wire_.send(tls_.take());
    while (!tls_.established()) receive();
  }
  void send(std::string_view text) {
    tls_.write(text);
    wire_.send(tls_.take());
  }
  void half_close() {
    tls_.say_goodbye();
    wire_.send(tls_.take());
  }
  const std::string& read_until(std::string_view end) {
    while (tls_.received().find(end) == std::string::npos) receive();
    return tls_.received();
  }
  const std::string& read_to_end() {
    while (!tls_.heard_goodbye()) receive();
    return tls_.received();
  }

 private:
  void receive() {
    const std::string bytes = wire_.read_some();
    if (bytes.empty()) throw std::runtime_error("the end, and no goodbye before it");
    tls_.feed(bytes);
    wire_.send(tls_.take());
    if (tls_.failed()) throw std::runtime_error("TLS failed");
  }

  Client wire_;
  TLSPeer tls_ = TLSPeer::client();
};

TEST(TLSFlags, WhoWaitsForItsCertificateIsStoppedAsAnyProgramIs) {
  const TemporaryFolder folder;
  const std::string fifo = folder.file("fifo");
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  DemoProcess server(DemoProcess::path_of("telnet_rpc"),
                     {"--port", "0", "--tls-cert", fifo, "--tls-key", fifo});
  const UniqueFd writer(::open(fifo.c_str(), O_WRONLY | O_CLOEXEC));  // waits for who reads
  server.kill(SIGTERM);
  EXPECT_EQ(server.wait(), -SIGTERM);
}

TEST(TLSFlags, AWholeSessionIsServedAlsoAfterTheClientsEnd) {
  const DemoServer server("telnet_rpc", with_tls());
  TLSClient client(server.port());
  client.send("math.add 1 2\n");
  EXPECT_EQ(client.read_until("\n"), "[1] ok 3\r\n");
  client.send("time.sleep 0.2\nmath.add 20 22\n");
  client.half_close();
  EXPECT_EQ(client.read_to_end(), "[1] ok 3\r\n[3] ok 42\r\n[2] ok slept 0.2\r\n");
}

TEST(TLSFlags, WhatHasArrivedIsAnsweredWhenItIsAskedToStop) {
  DemoServer server("telnet_rpc", with_tls());
  TLSClient client(server.port());
  client.send("math.add 1 2\n");
  client.read_until("\n");
  client.send("time.sleep 0.2\nmath.add 20 22\n");
  server.kill(SIGTERM);
  EXPECT_EQ(client.read_to_end(), "[1] ok 3\r\n[3] ok 42\r\n[2] ok slept 0.2\r\n");
  EXPECT_EQ(server.wait(), 0);
}

TEST(TLSFlags, WorkersSpeakItToo) {
  const DemoServer server("telnet_rpc", with_tls({"--processes", "2"}));
  for (int i = 0; i < 8; ++i) {
    TLSClient client(server.port());
    client.send("math.add 1 2\n");
    EXPECT_EQ(client.read_until("\n"), "[1] ok 3\r\n");
  }
}

TEST(TLSFlags, WhoOnlyConnectsIsLeftAfterTheHandshakeTimeout) {
  const DemoServer server("telnet_rpc", with_tls({"--handshake-timeout", "1"}));
  Client silent(server.port());
  EXPECT_EQ(silent.read_to_end(), "");
  TLSClient client(server.port());
  client.send("math.add 1 2\n");
  EXPECT_EQ(client.read_until("\n"), "[1] ok 3\r\n");
}

TEST(TLSFlags, PlainTextIsOneLineInTheLog) {
  DemoServer server("telnet_rpc", with_tls());
  Client client(server.port());
  client.send("math.add 1 2\n");
  client.read_to_end();
  ASSERT_TRUE(server.err().wait_for("TLS failed: " + client.name()));
  server.kill(SIGTERM);
  EXPECT_EQ(server.wait(), 0);
  const std::string log = server.err().wait_to_end();
  EXPECT_EQ(log.find("TLS failed"), log.rfind("TLS failed"));
}

struct Conversation {
  const char* demo;
  std::string said;
  std::string heard;
};

class TLSOfEachDemo : public testing::TestWithParam<Conversation> {};
INSTANTIATE_TEST_SUITE_P(Demos, TLSOfEachDemo,
                         testing::Values(Conversation{"that_is_all_server", "hi that is all!",
                                                      "hi that is all!"},
                                         Conversation{"chat", "hello\n", " hello\n"},
                                         Conversation{"echo", "hello", " hello"},
                                         Conversation{"relay", "\x0a", std::string(1, '\0')},
                                         Conversation{"telnet_rpc", "math.add 1 2\n", "] ok 3"}),
                         [](const auto& one) { return std::string(one.param.demo); });

TEST_P(TLSOfEachDemo, Answers) {
  const DemoServer server(GetParam().demo, with_tls());
  TLSClient client(server.port());
  client.send(GetParam().said);
  EXPECT_NE(client.read_until(GetParam().heard), "");
}

TEST_P(TLSOfEachDemo, AConnectionThatHasSaidNothingHoldsNoDrain) {
  DemoServer server(GetParam().demo,
                    with_tls({"--handshake-timeout", "60", "--drain-timeout", "60"}));
  Client silent(server.port());
  server.kill(SIGTERM);
  EXPECT_EQ(server.wait(), 0);
  EXPECT_EQ(silent.read_to_end(), "");
}

TEST(TLSFlags, NorDoesOneOfAThreadOrAChild) {
  for (Words flags : {Words{"--threads", "2"}, {"--fork"}}) {
    flags.insert(flags.end(), {"--handshake-timeout", "60", "--drain-timeout", "60"});
    DemoServer server("echo", with_tls(flags));
    Client silent(server.port());
    server.kill(SIGTERM);
    EXPECT_EQ(server.wait(), 0) << flags.front();
  }
}

TEST(TLSFlags, ThreadsAndChildrenSpeakItToo) {
  for (const Words& worker : {Words{"--threads", "2"}, {"--fork"}}) {
    const DemoServer server("echo", with_tls(worker));
    TLSClient client(server.port());
    client.send("hello");
    EXPECT_TRUE(client.read_until(" hello").starts_with("127.0.0.1:"));
  }
}

TEST(TLSFlags, OneHalfOfThePairIsAUsageError) {
  const CertificateFiles& files = Certificates::common().server();
  for (const Words& half : {Words{"--tls-cert", files.certificate}, {"--tls-key", files.key}}) {
    DemoProcess program(DemoProcess::path_of("telnet_rpc"), half);
    EXPECT_EQ(program.wait(), 2);
    EXPECT_NE(program.err().wait_to_end().find("--tls-"), std::string::npos);
  }
}

TEST(TLSFlags, AMissingFileIsNamedAndNothingIsHalfStarted) {
  DemoProcess program(DemoProcess::path_of("telnet_rpc"),
                      {"--port", "0", "--tls-cert", "/nowhere/cert.pem", "--tls-key", "key.pem"});
  EXPECT_EQ(program.wait(), 1);
  EXPECT_EQ(program.out().wait_to_end(), "");
  const std::string complaint = program.err().wait_to_end();
  EXPECT_NE(complaint.find("/nowhere/cert.pem"), std::string::npos) << complaint;
  EXPECT_EQ(complaint.find('\n'), complaint.size() - 1) << complaint;
}

}  // namespace
}  // namespace eddy
