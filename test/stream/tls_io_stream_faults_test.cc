// What goes over a TLS stream once it is open: cut, blocked, hidden, forged, and how it ends.

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include <eddy/loop/await.h>
#include <eddy/stream/tls_io_stream.h>
#include <eddy/stream/tls_session.h>

#include "../support/tls_test.h"

namespace eddy {
namespace {

using namespace std::chrono_literals;

constexpr const char* kTruncated = "truncated: the peer closed without close_notify";

// Both versions: how they end and change keys is not the same.
class TLSIOStreamTalk : public TLSTest, public testing::WithParamInterface<TLSPeer::Version> {
 public:
  bool open_talk(const StreamLimits& limits = {}) {
    serve(TLSPeer::client({.version = GetParam()}), limits);
    return exchange_until_established();
  }
};

INSTANTIATE_TEST_SUITE_P(Versions, TLSIOStreamTalk,
                         testing::Values(TLSPeer::Version::any, TLSPeer::Version::tls1_2));

// The end.

TEST_P(TLSIOStreamTalk, TheConnectionsEndWithoutAGoodbyeIsATruncation) {
  ASSERT_TRUE(open_talk());
  Future<std::string> all = ours->read_until_close();
  say("half a mess");
  run_turns();
  theirs.end();
  EXPECT_EQ(reason(all), kTruncated);
  EXPECT_EQ(result_of(ours->read_bytes(11)), "half a mess") << "what came is not lost";
  EXPECT_TRUE(log.lines().empty());
}

TEST_P(TLSIOStreamTalk, AResetIsNoEndForWhoReadsUntilTheClose) {
  open_tcp();
  ours = std::make_unique<TLSIOStream>(UniqueFd(::dup(ours->fileno())),
                                       TLSContext::for_server(server_options()));
  peer.emplace(TLSPeer::client({.version = GetParam()}));
  ASSERT_TRUE(exchange_until_established());
  Future<std::string> all = ours->read_until_close();
  say("half a mess");
  run_turns();
  theirs.reset();
  EXPECT_EQ(closed_by_errno(all), ECONNRESET);
}

TEST_P(TLSIOStreamTalk, AGoodbyeEndsReadingOnly) {
  ASSERT_TRUE(open_talk());
  Future<std::string> all = ours->read_until_close();
  peer->write("question");
  peer->say_goodbye();
  theirs.send(peer->take());
  EXPECT_EQ(result_of(all), "question");
  EXPECT_TRUE(ours->at_eof());
  finish(ours->write("answer"));
  EXPECT_TRUE(exchange_until("answer"));
  finish(ours->shutdown_write());
  exchange();
  EXPECT_TRUE(peer->heard_goodbye());
  EXPECT_TRUE(ours->closed());
  EXPECT_FALSE(ours->error());
}

TEST_P(TLSIOStreamTalk, AnEndBehindTheLastBytesIsSeenThoughNoEventTellsOfIt) {
  ASSERT_TRUE(open_talk());
  peer->write("last");
  peer->say_goodbye();
  theirs.send(peer->take());
  EXPECT_EQ(result_of(ours->read_bytes(100, true)), "last");
  EXPECT_TRUE(closed_orderly(ours->read_bytes(100, true)));
}

TEST_P(TLSIOStreamTalk, WithACloseCallbackAHiddenEndIsNoticed) {
  ASSERT_TRUE(open_talk({.read_chunk_size = 4}));
  peer->write("last");
  peer->say_goodbye();
  theirs.send(peer->take());
  EXPECT_EQ(result_of(ours->read_bytes(4)), "last");
  run_turns();
  EXPECT_FALSE(ours->closed());
  bool told = false;
  ours->set_close_callback([&] { told = true; });
  run_until([&] { return told; });
  EXPECT_FALSE(ours->error());
}

TEST_P(TLSIOStreamTalk, ShutdownSaysGoodbyeAndEndsTheConnectionsSide) {
  ASSERT_TRUE(open_talk());
  static_cast<void>(ours->write("all there is"));
  finish(ours->shutdown_write());
  peer->feed(theirs.receive());
  peer->take();
  EXPECT_EQ(peer->received(), "all there is");
  EXPECT_TRUE(peer->heard_goodbye());
  EXPECT_TRUE(theirs.at_end());
  say("still heard\n");
  EXPECT_EQ(result_of(ours->read_until("\n")), "still heard\n");
}

TEST_P(TLSIOStreamTalk, AGoodbyeWaitsForTheSocket) {
  ASSERT_TRUE(open_talk());
  platform.fail(CountingPlatform::kSend, EAGAIN, 2);
  const Future<> ended = ours->shutdown_write();
  EXPECT_FALSE(ended.done());
  finish(ended);
  peer->feed(theirs.receive());
  peer->take();
  EXPECT_TRUE(peer->heard_goodbye());
}

TEST_P(TLSIOStreamTalk, CloseSaysGoodbyeAndWaitsForNoAnswer) {
  ASSERT_TRUE(open_talk());
  ours->close();
  EXPECT_EQ(ours->fileno(), -1);
  peer->feed(theirs.receive());
  peer->take();
  EXPECT_TRUE(peer->heard_goodbye());
}

TEST_P(TLSIOStreamTalk, CloseSaysNoGoodbyeWhenSomethingUnsentIsDropped) {
  ASSERT_TRUE(open_talk());
  stall();
  ours->close();
  while (!theirs.at_end()) {
    peer->feed(theirs.receive(1 << 20));
    peer->take();
  }
  EXPECT_FALSE(peer->heard_goodbye()) << "it would vouch for what is not all";
}

TEST_P(TLSIOStreamTalk, AResetWhileWeWriteOrSayGoodbyeRaisesNoSignal) {
  for (const bool writes : {true, false}) {
    open_tcp();
    ours = std::make_unique<TLSIOStream>(UniqueFd(::dup(ours->fileno())),
                                         TLSContext::for_server(server_options()));
    peer.emplace(TLSPeer::client({.version = GetParam()}));
    ASSERT_TRUE(exchange_until_established());
    theirs.reset();
    const Future<> first = writes ? ours->write("x") : ours->shutdown_write();
    run_until([&] { return first.done(); });
    const Future<> second = ours->write("y");
    run_until([&] { return second.done(); });
    EXPECT_TRUE(second.exception());
    ours->close();
  }
  EXPECT_TRUE(log.lines().empty());
}

TEST_P(TLSIOStreamTalk, NoSessionMayBeResumedForItsKeyWouldOpenThemAll) {
  ASSERT_TRUE(open_talk());
  finish(ours->write("hello\n"));
  ASSERT_TRUE(exchange_until("hello\n"));
  EXPECT_FALSE(peer->may_resume());
}

// Records, however they come.

TEST_P(TLSIOStreamTalk, ARecordMayBeCutAnywhere) {
  ASSERT_TRUE(open_talk());
  peer->write("hello\n");
  const std::size_t size = peer->take().size();
  ASSERT_TRUE(open_talk());
  for (std::size_t cut = 0; cut < size; ++cut) {
    Future<std::string> line = ours->read_until("\n");
    peer->write("hello\n");
    const std::string wire = peer->take();
    theirs.send(wire.substr(0, cut));
    run_turns(2);
    EXPECT_FALSE(line.done()) << cut;
    theirs.send(wire.substr(cut));
    EXPECT_EQ(result_of(line), "hello\n") << cut;
  }
}

TEST_P(TLSIOStreamTalk, ManyRecordsInOneSegmentAreReadOneByOne) {
  for (const std::size_t chunk : {std::size_t{1}, std::size_t{3}, std::size_t{1000}}) {
    ASSERT_TRUE(open_talk({.read_chunk_size = chunk}));
    for (int number = 0; number < 50; ++number)
      peer->write("line " + std::to_string(number) + "\n");
    theirs.send(peer->take());
    for (int number = 0; number < 50; ++number)
      ASSERT_EQ(result_of(ours->read_until("\n")), "line " + std::to_string(number) + "\n");
  }
}

TEST_P(TLSIOStreamTalk, AForgedRecordClosesTheStreamWithOneLineInTheLog) {
  ASSERT_TRUE(open_talk());
  Future<std::string> line = ours->read_until("\n");
  peer->write("hello\n");
  std::string wire = peer->take();
  wire.back() = static_cast<char>(wire.back() ^ 1);
  theirs.send(wire);
  EXPECT_EQ(reason(line), "decryption failed or bad record mac");
  EXPECT_EQ(log.count("TLS failed: unix:: decryption failed"), 1U);
}

TEST_P(TLSIOStreamTalk, WhatOneTurnWritesLeavesInOneSend) {
  ASSERT_TRUE(open_talk());
  run_turns();
  platform.forget_calls();
  for (int number = 0; number < 10; ++number) static_cast<void>(ours->write("piece "));
  run_turns();
  EXPECT_EQ(platform.calls(CountingPlatform::kSend), 1U);
}

TEST_P(TLSIOStreamTalk, ARoundTripIsAReceiveAndASend) {
  ASSERT_TRUE(open_talk());
  const Future<> conversation = [](IOStream& stream) -> Future<> {
    for (;;) co_await stream.write(co_await stream.read_until("\n"));
  }(*ours);
  run_turns();
  platform.forget_calls();
  std::string expected;
  for (int number = 0; number < 100; ++number) {
    say("line\n");
    ASSERT_TRUE(exchange_until(expected += "line\n"));
  }
  EXPECT_EQ(platform.calls(CountingPlatform::kRecv), 100U);
  EXPECT_EQ(platform.calls(CountingPlatform::kSend), 100U);
  EXPECT_EQ(platform.calls(CountingPlatform::kEpollCtl), 0U);
}

// How much has arrived.

TEST_P(TLSIOStreamTalk, CountsWhatHasArrivedDecrypted) {
  ASSERT_TRUE(open_talk());
  EXPECT_EQ(ours->available(), 0U);
  say("line\nmore");
  EXPECT_EQ(ours->available(), 9U);
  EXPECT_EQ(result_of(ours->read_until("\n")), "line\n");
  peer->write("!");
  peer->say_goodbye();
  theirs.send(peer->take());
  EXPECT_EQ(ours->available(), 5U);
  EXPECT_EQ(result_of(ours->read_bytes(5)), "more!");
  EXPECT_TRUE(closed_orderly(ours->read_bytes(1))) << "the end is still to be seen";
}

TEST_P(TLSIOStreamTalk, CountingGivesAPendingReadWhatItWaitsFor) {
  ASSERT_TRUE(open_talk());
  const Future<std::string> line = ours->read_until("\n");
  say("line\nmore");
  EXPECT_EQ(ours->available(), 4U);
  EXPECT_TRUE(line.done());
}

TEST_F(TLSTest, CountsARequestThatCameWithTheLastStepOfTheHandshake) {
  serve();
  theirs.send(peer->take());
  run_turns();
  EXPECT_EQ(ours->available(), 0U);
  peer->feed(theirs.receive());
  std::string wire = peer->take();
  peer->write("request\n");
  theirs.send(wire + peer->take());
  EXPECT_EQ(ours->available(), 8U);
  EXPECT_EQ(result_of(ours->read_until("\n")), "request\n");
}

// Fairness.

TEST_F(TLSTest, WhatATurnLeavesInsideIsReadInTheNext) {
  open_tcp({.read_chunk_size = 1000});
  ours = std::make_unique<TLSIOStream>(UniqueFd(::dup(ours->fileno())),
                                       TLSContext::for_server(server_options()), handshake,
                                       share({.read_chunk_size = 1000}));
  peer.emplace(TLSPeer::client());
  ASSERT_TRUE(exchange_until_established());
  Future<std::string> line = ours->read_until("\n");
  const std::string sent = std::string(BaseIOStream::kBytesPerTurn + 5000, 'x') + "\n";
  for (std::size_t at = 0; at < sent.size(); at += 10'000) peer->write(sent.substr(at, 10'000));
  std::string wire = peer->take();
  for (std::size_t at = 0; at < wire.size(); loop.turn()) at += theirs.send(wire.substr(at));
  EXPECT_EQ(result_of(line), sent);
}

TEST_F(TLSTest, ASlowFloodOfNewKeysLeavesTheTurnToOthers) {
  open_tcp();
  ours = std::make_unique<TLSIOStream>(UniqueFd(::dup(ours->fileno())),
                                       TLSContext::for_server(server_options()));
  peer.emplace(TLSPeer::client());
  ASSERT_TRUE(exchange_until_established());
  Future<std::string> line = ours->read_until("\n");
  for (int number = 0; number < 30'000; ++number) peer->update_key(false);
  peer->write("at last\n");
  std::string wire = peer->take();
  ASSERT_GT(wire.size(), 2 * TLSSession::kMostAtOnce);
  for (std::size_t at = 0; at < wire.size();) {
    at += theirs.send(wire.substr(at));
    platform.forget_calls();
    loop.turn();
    EXPECT_LE(platform.calls(CountingPlatform::kRecv), 60U);
  }
  EXPECT_EQ(result_of(line), "at last\n");
}

// Writes that must read first, and reads that must write first.

// Of a client whose own certificate makes the server's ticket so long that it comes in two records.
class TLSIOStreamTicket : public TLSTest {
 public:
  static constexpr std::size_t kFirstRecord = 540;

  void ask_for_long_ticket() {
    const CertificateFiles& own = Certificates::common().client();
    TLSClientOptions options = client_options();
    options.certificate_chain_file = own.certificate;
    options.private_key_file = own.key;
    ask(TLSPeer::server(Certificates::common().server(),
                        {.largest_record = 512, .asks_for_certificate = true}),
        options);
    while (!tls().wait_for_handshake().done() || tickets.empty()) {
      loop.turn();
      peer->feed(theirs.receive());
      const std::string wire = peer->take();
      if (tls().wait_for_handshake().done())
        tickets += wire;
      else
        theirs.send(wire);
    }
  }
  std::string tickets;
};

TEST_F(TLSIOStreamTicket, AWriteWaitsForTheRestOfIt) {
  ask_for_long_ticket();
  const Future<std::string> line = ours->read_until("\n");
  theirs.send(tickets.substr(0, kFirstRecord));
  run_turns();
  const Future<> written = ours->write("question\n");
  run_turns();
  EXPECT_FALSE(written.done());
  platform.forget_calls();
  run_turns(20);
  EXPECT_EQ(platform.calls(CountingPlatform::kRecv), 0U) << "nothing is tried in vain";
  EXPECT_EQ(platform.calls(CountingPlatform::kSend), 0U);
  theirs.send(tickets.substr(kFirstRecord));
  peer->write("answer\n");
  theirs.send(peer->take());
  finish(written);
  EXPECT_EQ(result_of(line), "answer\n");
  EXPECT_TRUE(exchange_until("question\n"));
}

TEST_F(TLSIOStreamTicket, AWriteThatFindsMoreOfItGoesOnThoughNobodyReads) {
  ask_for_long_ticket();
  Future<std::string> line = ours->read_until("\n");
  theirs.send(tickets.substr(0, kFirstRecord));
  run_turns();
  line.cancel();
  theirs.send(tickets.substr(kFirstRecord, 10));
  const Future<> written = ours->write("question\n");
  run_turns();
  EXPECT_FALSE(written.done());
  theirs.send(tickets.substr(kFirstRecord + 10));
  finish(written);
  EXPECT_TRUE(exchange_until("question\n"));
}

TEST_F(TLSTest, AReadWaitsUntilOurNewKeyIsSent) {
  serve();
  ASSERT_TRUE(exchange_until_established());
  const Future<std::string> line = ours->read_until("\n");
  peer->update_key(true);
  theirs.send(peer->take());
  run_turns();
  platform.fail(CountingPlatform::kSend, EAGAIN, 3);
  const Future<> written = ours->write("answer\n");
  say("question\n");
  run_turns(1);
  EXPECT_FALSE(written.done());
  EXPECT_EQ(result_of(line), "question\n");
  finish(written);
  EXPECT_TRUE(exchange_until("answer\n"));
}

TEST_F(TLSTest, RenegotiationIsRefused) {
  serve(TLSPeer::client({.version = TLSPeer::Version::tls1_2}));
  ASSERT_TRUE(exchange_until_established());
  const Future<std::string> line = ours->read_until("\n");
  peer->renegotiate();
  for (int round = 0; round < 5; ++round) exchange();
  EXPECT_TRUE(peer->failed()) << "OpenSSL's client takes the refusal for an end";
}

// Bulk.

class TLSIOStreamBulk : public TLSTest {
 public:
  static std::string numbered(std::size_t bytes) {
    std::string text;
    for (std::size_t number = 0; text.size() < bytes; ++number)
      text += std::to_string(number) + " ";
    text.resize(bytes);
    return text;
  }
  Future<> send(std::size_t bytes, std::size_t piece) {
    const std::string text = numbered(1 << 20);
    for (std::size_t at = 0; at < bytes; at += piece) {
      const std::size_t begin = at % text.size();
      static_cast<void>(ours->write(text.substr(begin, std::min(piece, text.size() - begin))));
      co_await ours->drain();
    }
    co_await ours->shutdown_write();
  }
};

TEST_F(TLSIOStreamBulk, SlowReaderGetsAHundredMegabytesByteForByte) {
  constexpr std::size_t kAll = 100 << 20;
  connect_both();
  const std::string text = numbered(1 << 20);
  const Future<> sent = send(kAll, 1 << 16);
  std::size_t received = 0;
  for (bool ended = false; !ended;) {
    run_turns(3);
    Future<std::string> some = other->read_bytes(200'000, true);
    run_until([&] { return some.done(); });
    ended = some.exception() != nullptr;
    if (ended) break;
    std::string_view got = some.result();
    while (!got.empty()) {
      const std::string_view expected =
          std::string_view(text).substr(received % text.size()).substr(0, got.size());
      ASSERT_EQ(got.substr(0, expected.size()), expected) << "at " << received;
      received += expected.size();
      got.remove_prefix(expected.size());
    }
  }
  EXPECT_EQ(received, kAll);
  EXPECT_TRUE(other->at_eof());
  finish(sent);
}

TEST_F(TLSIOStreamBulk, WhateverTheKernelTakesAndGivesAndWhoeverInterrupts) {
  platform.cut(CountingPlatform::kSend, 777);
  platform.cut(CountingPlatform::kRecv, 555);
  platform.interrupt_every(5);
  connect_both();
  const std::string text = numbered(300'000);
  const Future<> written = ours->write(text);
  Future<std::string> all = other->read_bytes(text.size());
  EXPECT_EQ(result_of(all), text);
  finish(written);
}

TEST_F(TLSIOStreamBulk, AWriteThatWaitsMayBeJoinedByOthersAndMoved) {
  connect_both();
  finish(tls().wait_for_handshake());
  const std::string text = numbered(8 << 20);
  for (std::size_t at = 0; at < text.size(); at += 10'000) {
    static_cast<void>(ours->write(text.substr(at, 10'000)));
    if (at % 1'000'000 == 0) run_turns(1);
  }
  std::string received;
  while (received.size() < text.size()) received += result_of(other->read_bytes(1 << 20, true));
  EXPECT_EQ(received, text);
}

}  // namespace
}  // namespace eddy
