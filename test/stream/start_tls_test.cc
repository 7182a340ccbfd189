#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include <eddy/loop/await.h>
#include <eddy/loop/errors.h>
#include <eddy/stream/tls_io_stream.h>

#include "../support/tls_test.h"

namespace eddy {
namespace {

using Upgraded = Future<std::unique_ptr<IOStream>>;

class StartTLS : public TLSTest {
 public:
  void SetUp() override {
    SocketPair pair;
    ours = std::make_unique<IOStream>(std::move(pair.ours), StreamLimits{.high_water_mark = 1234});
    plain = std::make_unique<IOStream>(std::move(pair.theirs));
  }
  Upgraded start_server() { return ours->start_tls(TLSContext::for_server(server_options())); }
  Upgraded start_client() {
    return plain->start_tls(TLSContext::for_client(client_options()), "localhost");
  }
  std::unique_ptr<IOStream> upgraded(const Upgraded& future) {
    run_until([&] { return future.done(); });
    return std::move(future.result());
  }
  std::string refusal(const Upgraded& future) {
    EXPECT_TRUE(future.done());
    const auto error = thrown<InvalidStateError>(future.exception());
    return error ? error->what() : "none";
  }

  std::unique_ptr<IOStream> plain;
};

TEST_F(StartTLS, GivesANewStreamOverTheSameSocket) {
  const int socket = ours->fileno();
  const Upgraded server = start_server();
  const Upgraded client = start_client();
  EXPECT_TRUE(ours->closed());
  EXPECT_TRUE(closed_by<InvalidStateError>(ours->read_until("\n")));
  const auto secure = upgraded(server);
  const auto asking = upgraded(client);
  EXPECT_EQ(secure->fileno(), socket);
  EXPECT_EQ(secure->limits().high_water_mark, 1234U);
  finish(asking->write("hello\n"));
  EXPECT_EQ(result_of(secure->read_until("\n")), "hello\n");
}

TEST_F(StartTLS, FollowsTheTalkInPlainText) {
  static_cast<void>(plain->write("STARTTLS\n"));
  EXPECT_EQ(result_of(ours->read_until("\n")), "STARTTLS\n");
  finish(ours->write("go ahead\n"));
  EXPECT_EQ(result_of(plain->read_until("\n")), "go ahead\n");
  const Upgraded client = start_client();
  run_turns();  // what it says first is in the kernel by now
  const Upgraded server = start_server();
  EXPECT_FALSE(upgraded(server)->closed());
  EXPECT_FALSE(upgraded(client)->closed());
}

TEST_F(StartTLS, IsRefusedWhilePlainBytesAreBuffered) {
  static_cast<void>(plain->write("STARTTLS\nDELETE everything\n"));
  EXPECT_EQ(result_of(ours->read_until("\n")), "STARTTLS\n");
  EXPECT_EQ(refusal(start_server()), "start_tls: there are unread bytes in the buffer");
  EXPECT_FALSE(ours->closed());
  EXPECT_EQ(result_of(ours->read_until("\n")), "DELETE everything\n");
}

TEST_F(StartTLS, BytesThatCameLaterInPlainTextAreNoHandshake) {
  static_cast<void>(plain->write("STARTTLS\n"));
  EXPECT_EQ(result_of(ours->read_until("\n")), "STARTTLS\n");
  finish(plain->write("DELETE everything\n"));
  const Upgraded server = start_server();
  EXPECT_FALSE(reason(server).empty());
  EXPECT_EQ(log.count("TLS failed: "), 1U);
}

TEST_F(StartTLS, IsRefusedUnlessTheStreamIsIdle) {
  Future<std::string> line = ours->read_until("\n");
  EXPECT_EQ(refusal(start_server()), "start_tls: a read is pending");
  line.cancel();
  stall();
  EXPECT_EQ(refusal(start_server()), "start_tls: writes are pending");
  EXPECT_FALSE(ours->closed());
  ours->close();
  EXPECT_EQ(refusal(start_server()), "start_tls: closed");
}

TEST_F(StartTLS, IsRefusedWhileConnectingAndAfterThePeersEnd) {
  const UniqueFd listener = listen_on_loopback();
  IOStream connecting(open_socket(AF_INET));
  const Future<> connected = connecting.connect(SocketAddress::local_of(listener.get()));
  EXPECT_EQ(refusal(connecting.start_tls(TLSContext::for_client(client_options()), "localhost")),
            "start_tls: connecting");
  finish(plain->shutdown_write());
  EXPECT_TRUE(closed_orderly(ours->read_bytes(1)));
  EXPECT_EQ(refusal(start_server()), "start_tls: the peer has ended");
}

TEST_F(StartTLS, IsRefusedForATLSStreamAndForAClientThatDoesNotSayWhom) {
  EXPECT_EQ(refusal(plain->start_tls(TLSContext::for_client(client_options()))),
            "start_tls: a client that verifies needs the server_hostname");
  EXPECT_FALSE(plain->closed());
  const Upgraded server = start_server();
  const auto asking = upgraded(start_client());
  EXPECT_EQ(refusal(asking->start_tls(TLSContext::for_client(client_options()), "localhost")),
            "start_tls: it speaks TLS already");
}

TEST_F(StartTLS, TheCloseCallbackMovesOn) {
  int told = 0;
  ours->set_close_callback([&] { ++told; });
  const Upgraded server = start_server();
  const auto asking = upgraded(start_client());
  const auto secure = upgraded(server);
  run_turns();
  EXPECT_EQ(told, 0) << "the old stream's end is none";
  asking->close();
  run_until([&] { return told == 1; });
  EXPECT_TRUE(secure->closed());
}

TEST_F(StartTLS, AFailedHandshakeComesThroughTheFuture) {
  const Upgraded server = start_server();
  Upgraded client = plain->start_tls(TLSContext::for_client(client_options()), "other.example");
  EXPECT_EQ(reason(client), "certificate verify failed: hostname mismatch");
}

TEST_F(StartTLS, DroppingItsFutureClosesTheConnection) {
  static_cast<void>(start_server());
  EXPECT_TRUE(failure<StreamClosedError>(plain->read_bytes(1)));
}

}  // namespace
}  // namespace eddy
