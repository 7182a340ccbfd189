#include <gtest/gtest.h>

#include <string>
#include <vector>

#include <eddy/loop/errors.h>
#include <eddy/loop/gen.h>
#include <eddy/stream/tls_io_stream.h>

#include "../support/tls_test.h"

namespace eddy {
namespace {

using namespace std::chrono_literals;

// The handshake.

using TLSIOStreamHandshake = TLSTest;

TEST_F(TLSIOStreamHandshake, BothEndsAgreeAndTalk) {
  connect_both();
  EXPECT_EQ(tls().tls_version(), "");
  finish(tls().wait_for_handshake());
  finish(other->wait_for_handshake());
  EXPECT_EQ(tls().tls_version(), "TLSv1.3");
  EXPECT_EQ(tls().cipher(), other->cipher());
  EXPECT_EQ(tls().peer_certificate_subject(), "CN=localhost");
  EXPECT_EQ(other->peer_certificate_subject(), "");
  finish(ours->write("question\n"));
  EXPECT_EQ(result_of(other->read_until("\n")), "question\n");
  finish(other->write("answer\n"));
  EXPECT_EQ(result_of(ours->read_until("\n")), "answer\n");
}

TEST_F(TLSIOStreamHandshake, WhatIsAskedForMeanwhileIsDoneThen) {
  connect_both();
  Future<std::string> line = other->read_until("\n");
  const Future<> written = ours->write("early\n");
  const Future<> ended = ours->shutdown_write();
  EXPECT_FALSE(written.done());
  EXPECT_EQ(result_of(line), "early\n");
  finish(written);
  finish(ended);
  EXPECT_TRUE(closed_orderly(other->read_bytes(1)));
}

TEST_F(TLSIOStreamHandshake, TheWaitIsOverAtOnceWhenItIsDoneAndOneAtATime) {
  connect_both();
  Future<> first = tls().wait_for_handshake();
  EXPECT_TRUE(failure<InvalidStateError>(tls().wait_for_handshake()));
  finish(first);
  EXPECT_TRUE(tls().wait_for_handshake().done());
  ours->close();
  EXPECT_TRUE(closed_orderly(tls().wait_for_handshake()));
}

TEST_F(TLSIOStreamHandshake, AWaitThatWasGivenUpMakesRoomForAnother) {
  connect_both();
  static_cast<void>(tls().wait_for_handshake());
  Future<> cancelled = tls().wait_for_handshake();
  cancelled.cancel();
  finish(tls().wait_for_handshake());
}

TEST_F(TLSIOStreamHandshake, ByteByByteItSucceedsToo) {
  serve();
  const Future<std::string> line = ours->read_until("\n");
  for (int round = 0; round < 10 && !peer->established(); ++round) {
    for (const char byte : peer->take()) {
      theirs.send({&byte, 1});
      loop.turn();
    }
    run_turns();
    peer->feed(theirs.receive());
  }
  peer->write("hello\n");
  for (const char byte : peer->take()) {
    EXPECT_FALSE(line.done());
    theirs.send({&byte, 1});
    run_turns(2);
  }
  EXPECT_EQ(result_of(line), "hello\n");
}

TEST_F(TLSIOStreamHandshake, CutAtEachByteItFailsQuietly) {
  serve();
  std::string greeting = peer->take();
  for (std::size_t cut = 0; cut <= greeting.size(); ++cut) {
    open_tcp();
    ours = std::make_unique<TLSIOStream>(UniqueFd(::dup(ours->fileno())),
                                         TLSContext::for_server(server_options()));
    Future<> done = tls().wait_for_handshake();
    theirs.send(greeting.substr(0, cut));
    run_turns(2);
    theirs.reset();
    EXPECT_TRUE(failure<StreamClosedError>(done)) << cut;
    EXPECT_TRUE(ours->closed());
  }
  EXPECT_TRUE(log.lines().empty()) << log.lines().front();
}

TEST_F(TLSIOStreamHandshake, APeerThatEndsInItsMidstLeavesItTruncated) {
  serve();
  Future<> done = tls().wait_for_handshake();
  theirs.send(peer->take().substr(0, 50));
  theirs.end();
  EXPECT_EQ(reason(done), "truncated: the peer closed during the handshake");
  EXPECT_TRUE(log.lines().empty());
}

TEST_F(TLSIOStreamHandshake, SilenceEndsAtItsDeadlineWhichTheErrorNames) {
  serve();
  Future<std::string> line = ours->read_until("\n");
  platform.advance(9s);
  run_turns();
  EXPECT_FALSE(ours->closed());
  platform.advance(2s);
  const auto error = closed_by<TimeoutError>(line);
  ASSERT_TRUE(error);
  EXPECT_STREQ(error->what(), "TLS: handshake_timeout = 10000 ms has passed");
}

TEST_F(TLSIOStreamHandshake, ADeadlineThatWasMetNoLongerCounts) {
  connect_both();
  finish(tls().wait_for_handshake());
  finish(other->wait_for_handshake());
  platform.advance(60s);
  run_turns();
  EXPECT_FALSE(ours->closed() || other->closed());
}

TEST_F(TLSIOStreamHandshake, PlainHTTPIsClosedWithOneLineInTheLog) {
  open_tcp();
  ours = std::make_unique<TLSIOStream>(UniqueFd(::dup(ours->fileno())),
                                       TLSContext::for_server(server_options()));
  const std::string them = SocketAddress::local_of(theirs.fd()).to_string();
  theirs.send("GET / HTTP/1.1\r\nHost: \x1b[31mlocalhost\r\n\r\n");
  EXPECT_EQ(reason(tls().wait_for_handshake()), "http request");
  ASSERT_EQ(log.lines().size(), 1U);
  EXPECT_EQ(log.lines().front(), "TLS failed: " + them + ": http request");
}

TEST_F(TLSIOStreamHandshake, GarbageIsClosedWithOneLineInTheLog) {
  serve();
  theirs.send(std::string(100, '\xff'));
  EXPECT_FALSE(reason(tls().wait_for_handshake()).empty());
  EXPECT_EQ(log.count("TLS failed: "), 1U);
}

TEST_F(TLSIOStreamHandshake, ClosingOrDestroyingMeanwhileFailsWhoWaits) {
  connect_both();
  Future<> done = tls().wait_for_handshake();
  ours->close();
  EXPECT_TRUE(closed_orderly(done));
  Future<> others = other->wait_for_handshake();
  other.reset();
  EXPECT_TRUE(closed_orderly(others));
  platform.advance(60s);
  run_turns();
}

TEST(TLSIOStreamWithoutALoop, ClosedItNeedsItsQueueNoMore) {
  auto loop = std::make_unique<IOLoop>();
  HandshakeQueue queue;
  SocketPair pair;
  const Peer theirs(std::move(pair.theirs));
  TLSIOStream stream(std::move(pair.ours), TLSContext::for_server(server_options()),
                     {.queue = &queue});
  theirs.send("\x16");  // a handshake begins
  while (queue.under_way() == 0) loop->turn(100ms);
  loop.reset();
  stream.close();
  EXPECT_EQ(queue.under_way(), 0U);
}

// Whom one trusts.

class TLSIOStreamTrust : public TLSTest {
 public:
  // Why our client does not trust a server with this certificate.
  std::string verdict(const Certificates::Wish& wish) {
    connect_both(server_options(Certificates::common().issue(wish)), client_options());
    Future<> done = tls().wait_for_handshake();
    run_until([&] { return done.done(); });
    return done.exception() ? reason(done) : "";
  }
};

TEST_F(TLSIOStreamTrust, AnotherHostsCertificateIsRefused) {
  EXPECT_EQ(verdict({.common_name = "localhost", .alternative_names = {"DNS:other.example"}}),
            "certificate verify failed: hostname mismatch");
}

TEST_F(TLSIOStreamTrust, AnExpiredCertificateIsRefused) {
  EXPECT_EQ(verdict({.expired = true}), "certificate verify failed: certificate has expired");
}

TEST_F(TLSIOStreamTrust, ASelfSignedCertificateIsRefused) {
  EXPECT_EQ(verdict({.self_signed = true}), "certificate verify failed: self-signed certificate");
}

TEST_F(TLSIOStreamTrust, AnAuthorityThatTheSystemDoesNotKnowIsRefused) {
  connect_both(server_options(), {});
  EXPECT_EQ(reason(tls().wait_for_handshake()),
            "certificate verify failed: unable to get local issuer certificate");
}

TEST_F(TLSIOStreamTrust, WhoRefusesSaysSoToItsCallerAndTheServerLogsIt) {
  connect_both(server_options(), {});
  EXPECT_FALSE(reason(tls().wait_for_handshake()).empty());
  EXPECT_TRUE(log.lines().empty());
  EXPECT_FALSE(reason(other->wait_for_handshake()).empty());
  EXPECT_EQ(log.count("unknown ca"), 1U);
}

TEST_F(TLSIOStreamTrust, ANumericAddressMustBeInTheCertificate) {
  for (const char* address : {"127.0.0.1", "::1"}) {
    handshake.server_hostname = address;
    connect_both();
    finish(tls().wait_for_handshake());
  }
  handshake.server_hostname = "127.0.0.2";
  connect_both();
  EXPECT_EQ(reason(tls().wait_for_handshake()), "certificate verify failed: IP address mismatch");
}

TEST_F(TLSIOStreamTrust, TheRootsDotIsNoPartOfAName) {
  handshake.server_hostname = "localhost.";
  connect_both();
  finish(tls().wait_for_handshake());
}

TEST_F(TLSIOStreamTrust, AnAddressIsCertifiedWithoutItsZone) {
  handshake.server_hostname = "fe80::1%lo";
  EXPECT_EQ(verdict({.alternative_names = {"IP:fe80::1"}}), "");
}

TEST_F(TLSIOStreamTrust, ACommonNameIsNoHostsName) {
  EXPECT_EQ(verdict({.common_name = "localhost", .alternative_names = {}}),
            "certificate verify failed: hostname mismatch");
}

TEST_F(TLSIOStreamTrust, WhatIsNobodysNameIsNobodysCertificate) {
  const Certificates::Wish wish{.alternative_names = {"DNS:www.example.com"}};
  handshake.server_hostname = ".example.com";
  EXPECT_EQ(verdict(wish), "server_hostname '.example.com' is nobody's name");
  handshake.server_hostname = std::string("www.example.com\0.org", 20);
  EXPECT_EQ(verdict(wish), "server_hostname 'www.example.com\\x00.org' is nobody's name");
  handshake.server_hostname = ".";
  EXPECT_EQ(verdict(wish), "server_hostname '.' is nobody's name");
}

TEST_F(TLSIOStreamTrust, AVerifyingClientMustSayWhomItExpects) {
  EXPECT_THROW(TLSIOStream(open_socket(AF_INET), TLSContext::for_client()), std::invalid_argument);
}

TEST_F(TLSIOStreamTrust, WithoutVerifyingAnyServerWillDo) {
  connect_both(server_options(Certificates::common().issue({.expired = true})), {.verify = false});
  finish(tls().wait_for_handshake());
}

TEST_F(TLSIOStreamTrust, AClientsCertificateMayBeRequired) {
  TLSServerOptions server = server_options();
  server.client_ca_file = Certificates::common().authority();
  server.require_client_certificate = true;
  connect_both(server, client_options());
  EXPECT_EQ(reason(other->wait_for_handshake()), "peer did not return a certificate");
  TLSClientOptions client = client_options();
  client.certificate_chain_file = Certificates::common().client().certificate;
  client.private_key_file = Certificates::common().client().key;
  connect_both(server, client);
  finish(other->wait_for_handshake());
  EXPECT_EQ(other->peer_certificate_subject(), "CN=a client");
}

TEST_F(TLSIOStreamTrust, AClientsCertificateMayBeWelcome) {
  TLSServerOptions server = server_options();
  server.client_ca_file = Certificates::common().authority();
  connect_both(server, client_options());
  finish(other->wait_for_handshake());
  const CertificateFiles stranger = Certificates::common().issue({.self_signed = true});
  TLSClientOptions client = client_options();
  client.certificate_chain_file = stranger.certificate;
  client.private_key_file = stranger.key;
  connect_both(server, client);
  EXPECT_EQ(reason(other->wait_for_handshake()),
            "certificate verify failed: self-signed certificate");
}

TEST_F(TLSIOStreamTrust, APeersNameIsShownEscaped) {
  const CertificateFiles odd =
      Certificates::common().issue({.common_name = "a\x1b[31m,b\xc3\xa9", .alternative_names = {}});
  TLSServerOptions server = server_options();
  server.client_ca_file = Certificates::common().authority();
  TLSClientOptions client = client_options();
  client.certificate_chain_file = odd.certificate;
  client.private_key_file = odd.key;
  connect_both(server, client);
  finish(other->wait_for_handshake());
  EXPECT_EQ(other->peer_certificate_subject(), "CN=a\\1B[31m\\,b\\C3\\A9");
}

TEST_F(TLSIOStreamTrust, TheNameAskedForChoosesTheCertificate) {
  const CertificateFiles files = Certificates::common().issue(
      {.common_name = "other", .alternative_names = {"DNS:other.example"}});
  TLSServerOptions server = server_options();
  server.named["Other.Example"] = {files.certificate, files.key};
  server.client_ca_file = Certificates::common().authority();
  server.require_client_certificate = true;
  server.alpn = {"telnet"};
  TLSClientOptions client = client_options();
  client.certificate_chain_file = Certificates::common().client().certificate;
  client.private_key_file = Certificates::common().client().key;
  client.alpn = {"telnet"};
  handshake.server_hostname = "other.eXample";
  connect_both(server, client);
  finish(other->wait_for_handshake());
  EXPECT_EQ(tls().peer_certificate_subject(), "CN=other");
  EXPECT_EQ(other->peer_certificate_subject(), "CN=a client") << "on the same terms";
  EXPECT_EQ(tls().alpn_protocol(), "telnet");
  handshake.server_hostname = "localhost";
  connect_both(server, client);
  finish(other->wait_for_handshake());
  EXPECT_EQ(tls().peer_certificate_subject(), "CN=localhost");
}

TEST_F(TLSIOStreamTrust, TheServersFavouriteProtocolIsChosen) {
  TLSServerOptions server = server_options();
  server.alpn = {"new", "old"};
  TLSClientOptions client = client_options();
  client.alpn = {"old", "new"};
  connect_both(server, client);
  finish(tls().wait_for_handshake());
  EXPECT_EQ(tls().alpn_protocol(), "new");
  client.alpn = {"strange"};
  connect_both(server, client);
  EXPECT_FALSE(reason(tls().wait_for_handshake()).empty()) << "none in common";
  connect_both(server, client_options());
  finish(tls().wait_for_handshake());
  EXPECT_EQ(tls().alpn_protocol(), "");
}

}  // namespace
}  // namespace eddy
