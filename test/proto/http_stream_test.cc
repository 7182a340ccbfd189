// Bodies that come and go piece by piece.

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include <eddy/loop/gen.h>
#include <eddy/loop/unique_fd.h>

#include "../support/temporary_folder.h"
#include "http_server_test.h"

namespace eddy {
namespace {

// --- Requests ------------------------------------------------------------------------------------

Future<HTTPResponse> count_bytes(const HTTPRequest&, HTTPBodyReader& body) {
  std::size_t bytes = 0;
  for (;;) {
    const std::string piece = co_await body.read();
    if (piece.empty()) break;
    bytes += piece.size();
  }
  co_return std::to_string(bytes);
}

class HTTPStreamedRequest : public HTTPServerTest {
 public:
  HTTPStreamedRequest() {
    routes.post("/count", count_bytes);
    // Reads when the test lets it.
    routes.post("/step", [&](const HTTPRequest&, HTTPBodyReader& body) {
      reader = &body;
      return parked.emplace_back("the test").future();
    });
  }
  RawClient& begin_step(const std::string& fields) {
    RawClient& client = say("POST /step HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n");
    EXPECT_TRUE(run_until([&] { return reader != nullptr; }));
    return client;
  }
  std::string next_piece() {
    const Future<std::string> piece = reader->read();
    EXPECT_TRUE(run_until([&] { return piece.done(); }));
    return piece.result();
  }
  bool has_no_end(const Future<std::string>& piece) {
    if (!run_until([&] { return piece.done(); })) return false;
    try {
      piece.result();
    } catch (const CancelledError&) {
      return true;
    }
    return false;
  }

  HTTPBodyReader* reader = nullptr;
};

TEST_F(HTTPStreamedRequest, IsReadByItsHandlerHoweverItIsFramed) {
  serve();
  const std::string post = "POST /count HTTP/1.1\r\nHost: a\r\n";
  RawClient& client = say(post + "Content-Length: 5\r\n\r\nhello" + post +
                          "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n" +
                          post + "\r\n" + kIndex);
  const std::string ok = "HTTP/1.1 200 OK\r\n\r\n";
  EXPECT_TRUE(hears(client, ok + "5" + ok + "7" + ok + "0" + kOK));
}

TEST_F(HTTPStreamedRequest, TheClientWaitsInItsKernelWhileNobodyReads) {
  serve();
  const std::size_t much = 64 << 20;
  RawClient& client = begin_step("Content-Length: " + std::to_string(much) + "\r\n");
  reader->set_max_size(much);
  const std::string block(1 << 20, 'x');
  std::size_t sent = 0;
  for (int tries = 0; tries < 100; ++tries) {
    sent += client.send_some(block);
    turn_a_few_times();
  }
  EXPECT_LT(sent, much / 2);
  EXPECT_EQ(server->buffers().total(), 0U);
  std::size_t read = 0;
  while (read < much) {
    const std::string piece = next_piece();
    ASSERT_FALSE(piece.empty());
    read += piece.size();
    if (sent < much)
      sent +=
          client.send_some(std::string_view(block).substr(0, std::min(much - sent, block.size())));
  }
  EXPECT_EQ(next_piece(), "");
  parked.front().set_result("all");
  EXPECT_TRUE(hears(client, "HTTP/1.1 200 OK\r\n\r\nall"));
}

TEST_F(HTTPStreamedRequest, IsAskedForWhenItsHandlerBeginsToRead) {
  serve();
  RawClient& client = begin_step("Expect: 100-continue\r\nContent-Length: 2\r\n");
  EXPECT_EQ(client.received(), "");
  const Future<std::string> piece = reader->read();
  EXPECT_TRUE(hears(client, "HTTP/1.1 100 Continue\r\n\r\n"));
  client.send("hi");
  EXPECT_TRUE(run_until([&] { return piece.done(); }));
  EXPECT_EQ(piece.result(), "hi");
}

TEST_F(HTTPStreamedRequest, AnAnswerBeforeItsEndIsTheLastOfTheConnection) {
  serve();
  RawClient& client = begin_step("Expect: 100-continue\r\nContent-Length: 100\r\n");
  parked.front().set_result(HTTPResponse(403, "no"));
  EXPECT_TRUE(hears(client, "HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\nno"));
  client.send(std::string(100, 'x') + kIndex);
  EXPECT_TRUE(ends(client));
  EXPECT_EQ(told_by(client), "HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\nno");
  EXPECT_FALSE(client.was_reset());
}

TEST_F(HTTPStreamedRequest, KeepsToItsLimitWhichTheHandlerMaySet) {
  HTTPOptions options;
  options.limits.max_body = 4;
  serve(options);
  RawClient& announced = begin_step("Content-Length: 5\r\n");
  EXPECT_TRUE(has_no_end(reader->read()));
  const std::string too_large =
      "HTTP/1.1 413 Content Too Large\r\nConnection: close\r\n\r\n413 Content Too Large";
  EXPECT_TRUE(hears(announced, too_large));

  reader = nullptr;
  RawClient& chunked = begin_step("Transfer-Encoding: chunked\r\n");
  reader->set_max_size(3);
  chunked.send("2\r\nab\r\n2\r\ncd\r\n");
  EXPECT_EQ(next_piece(), "ab");
  EXPECT_TRUE(has_no_end(reader->read()));
  EXPECT_TRUE(hears(chunked, too_large));

  reader = nullptr;
  RawClient& raised = begin_step("Content-Length: 5\r\n");
  reader->set_max_size(5);
  raised.send("hello");
  EXPECT_EQ(next_piece(), "hello");
}

TEST_F(HTTPStreamedRequest, WhatCannotBeIsRefusedAndTheHandlersAnswerNotSent) {
  serve();
  RawClient& client = begin_step("Transfer-Encoding: chunked\r\n");
  client.send("2\r\nab\r\nX\r\n");
  EXPECT_EQ(next_piece(), "ab");
  EXPECT_TRUE(has_no_end(reader->read()));
  parked.front().set_result("x");
  EXPECT_TRUE(ends(client));
  EXPECT_TRUE(hears(client, kBad));
}

TEST_F(HTTPStreamedRequest, AHandlerHearsThatTheClientLeft) {
  serve();
  RawClient& within = begin_step("Content-Length: 5\r\n");
  within.send("ab");
  EXPECT_EQ(next_piece(), "ab");
  const Future<std::string> piece = reader->read();
  within.end();
  EXPECT_TRUE(has_no_end(piece));
  parked.back().set_result("x");
  EXPECT_TRUE(ends(within));
  EXPECT_EQ(within.received(), "");

  reader = nullptr;
  RawClient& behind = begin_step("Content-Length: 2\r\n");
  behind.send("ab");
  EXPECT_EQ(next_piece(), "ab");
  EXPECT_EQ(next_piece(), "");
  behind.end();
  EXPECT_TRUE(ends(behind));
  EXPECT_TRUE(parked.back().state()->abandoned());
  EXPECT_TRUE(log.count("Exception") == 0);
}

TEST_F(HTTPStreamedRequest, NothingIsLostThatComesWhileItsHandlerGivesUpAReading) {
  serve();
  for (int turns = 0; turns < 4; ++turns) {
    reader = nullptr;
    RawClient& client = begin_step("Content-Length: 4\r\n");
    std::string all;
    {
      const Future<std::string> given_up = reader->read();
      client.send("ab");
      for (int turn = 0; turn < turns; ++turn) loop.turn();
      if (given_up.done()) all = given_up.result();
    }
    client.send("cd");
    while (all.size() < 4) all += next_piece();
    EXPECT_EQ(all, "abcd") << "given up after " << turns << " turns";
    EXPECT_EQ(next_piece(), "");
  }
}

TEST_F(HTTPStreamedRequest, WhoeverReadsAllOfItNeedNotAskForItsEnd) {
  serve();
  RawClient& client = begin_step("Content-Length: 2\r\n");
  client.send("ab" + kIndex);
  EXPECT_EQ(next_piece(), "ab");
  parked.front().set_result("all");
  EXPECT_TRUE(hears(client, "HTTP/1.1 200 OK\r\n\r\nall" + kOK));
}

TEST_F(HTTPStreamedRequest, AHandlerThatDoesNotReadHasAnswerTimeout) {
  HTTPOptions options;
  options.answer_timeout = 5s;
  serve(options);
  const std::string busy =
      "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n503 Service Unavailable";
  RawClient& never = begin_step("Content-Length: 4\r\n");
  pass(6s);
  EXPECT_TRUE(hears(never, busy));

  reader = nullptr;
  RawClient& once = begin_step("Content-Length: 4\r\n");
  const Future<std::string> piece = reader->read();
  pass(20s);  // which are the client's
  once.send("ab");
  EXPECT_TRUE(run_until([&] { return piece.done(); }));
  pass(4s);
  EXPECT_EQ(once.received(), "");
  pass(2s);
  EXPECT_TRUE(hears(once, busy));
}

TEST_F(HTTPStreamedRequest, OneReadAtATime) {
  serve();
  RawClient& client = begin_step("Content-Length: 4\r\n");
  const Future<std::string> first = reader->read();
  EXPECT_THROW(reader->read().result(), AlreadyReadingError);
  pass(31s);
  EXPECT_TRUE(has_no_end(first));
  EXPECT_TRUE(hears(client,
                    "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n"
                    "408 Request Timeout"));
}

TEST_F(HTTPStreamedRequest, OnlyTheTimeInWhichTheClientIsWaitedForCounts) {
  serve();
  RawClient& client = begin_step("Content-Length: 5\r\n");
  reader->set_timeout(10s);
  pass(60s);
  Future<std::string> piece = reader->read();
  pass(6s);
  client.send("a");
  EXPECT_TRUE(run_until([&] { return piece.done(); }));
  pass(60s);
  piece = reader->read();
  pass(3s);
  EXPECT_FALSE(piece.done());
  pass(2s);
  EXPECT_TRUE(has_no_end(piece));
  EXPECT_TRUE(hears(client,
                    "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n"
                    "408 Request Timeout"));
}

TEST_F(HTTPStreamedRequest, AReadThatIsGivenUpLosesNothing) {
  serve();
  RawClient& client = begin_step("Content-Length: 5\r\n");
  { const Future<std::string> given_up = reader->read(); }
  client.send("hello");
  turn_a_few_times();
  EXPECT_EQ(next_piece(), "hello");
}

TEST_F(HTTPStreamedRequest, DroppingTheServerEndsItsHandler) {
  serve();
  routes.post("/kept", count_bytes);
  RawClient& client = say("POST /kept HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab");
  EXPECT_TRUE(run_until([&] { return server->in_flight() == 1; }));
  server.reset();
  EXPECT_TRUE(ends(client));
}

TEST_F(HTTPServerTest, ABodyThatIsHeldCountsInTheTotalOfAll) {
  serve();
  RawClient& client =
      say("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n" + std::string(999, 'x'));
  EXPECT_TRUE(run_until([&] { return server->buffers().total() >= 999; }));
  client.send("x");
  EXPECT_TRUE(hears(client, "HTTP/1.1 200 OK\r\n\r\n" + std::string(1000, 'x')));
  EXPECT_EQ(server->buffers().total(), 0U);
}

TEST_F(HTTPServerTest, WhatIsBehindAParkedRequestCountsInTheTotalOfAll) {
  serve();
  RawClient& client = say(kReq + std::string(50'000, 'x'));
  EXPECT_TRUE(run_until([&] { return server->buffers().total() >= 50'000; }));
  client.end();
  EXPECT_TRUE(run_until([&] { return server->connections() == 0; }));
  EXPECT_EQ(server->buffers().total(), 0U);
}

TEST_F(HTTPServerTest, WhatWasReadAheadIsNotKeptWhenItHasBeenAnswered) {
  serve();
  RawClient& client = say(kReq);
  for (int requests = 0; requests < 1000; ++requests) {
    ASSERT_TRUE(run_until_parked(1));
    client.send(kReq);  // always one behind the one that is parked
    ASSERT_TRUE(run_until([&] { return server->buffers().total() >= kReq.size(); }));
    EXPECT_LT(server->buffers().total(), 3 * kReq.size());
    parked.back().set_result("done");
    ASSERT_TRUE(run_until([&] { return parked.size() == static_cast<std::size_t>(requests) + 2; }));
  }
}

TEST_F(HTTPServerTest, AHandlerThatTakesLongerThanAnswerTimeoutIsCancelled) {
  HTTPOptions options;
  options.answer_timeout = 5s;
  serve(options);
  RawClient& client = say(kReq + kIndex);
  ASSERT_TRUE(run_until_parked(1));
  pass(4s);
  EXPECT_EQ(client.received(), "");
  pass(2s);
  EXPECT_TRUE(
      hears(client, "HTTP/1.1 503 Service Unavailable\r\n\r\n503 Service Unavailable" + kOK));
  EXPECT_TRUE(parked.front().state()->abandoned());
  EXPECT_EQ(log.count("cancelled, answer_timeout: GET /req/"), 1U);
}

// --- Answers -------------------------------------------------------------------------------------

class HTTPStreamedAnswer : public HTTPServerTest {
 public:
  using Body = std::function<Future<>(HTTPBodyWriter&)>;
  void answer_with(Body body, std::optional<std::uint64_t> length = {}) {
    routes.get("/made", [body = std::move(body), length](const HTTPRequest&) {
      HTTPResponse response;
      response.stream = body;
      response.stream_length = length;
      return response;
    });
    serve();
  }
  static std::string ask(const std::string& version = "1.1", const std::string& method = "GET") {
    return method + " /made HTTP/" + version + "\r\nHost: a\r\n\r\n";
  }
};

Future<> write_three(HTTPBodyWriter& out) {
  co_await out.write("one ");
  co_await out.write("");
  co_await out.write("and another");
}

const std::string kChunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

TEST_F(HTTPStreamedAnswer, ComesInChunks) {
  answer_with(write_three);
  RawClient& client = say(ask() + kIndex);
  EXPECT_TRUE(hears(client, kChunked + "4\r\none \r\nb\r\nand another\r\n0\r\n\r\n" + kOK));
}

TEST_F(HTTPStreamedAnswer, OfAKnownLengthComesAsItIs) {
  answer_with(write_three, 15);
  RawClient& client = say(ask() + kIndex);
  EXPECT_TRUE(hears(client, "HTTP/1.1 200 OK\r\n\r\none and another" + kOK));
  EXPECT_NE(client.received().find("Content-Length: 15\r\n"), std::string::npos);
}

TEST_F(HTTPStreamedAnswer, EndsWithTheConnectionInHTTP10) {
  answer_with(write_three);
  RawClient& client = say("GET /made HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_TRUE(hears(client, kClosing + "one and another"));
  EXPECT_TRUE(ends(client));
}

TEST_F(HTTPStreamedAnswer, IsNotMadeForAHead) {
  bool made = false;
  answer_with([&](HTTPBodyWriter& out) {
    made = true;
    return out.write("x");
  });
  RawClient& client = say(ask("1.1", "HEAD") + kIndex);
  EXPECT_TRUE(hears(client, kChunked + kOK));
  EXPECT_FALSE(made);
}

TEST_F(HTTPStreamedAnswer, OfLessThanItsLengthEndsTheConnection) {
  answer_with(write_three, 16);
  RawClient& client = say(ask() + kIndex);
  EXPECT_TRUE(ends(client));
  EXPECT_EQ(told_by(client), "HTTP/1.1 200 OK\r\n\r\none and another");
  EXPECT_EQ(log.count("Exception in the body of an answer: a body of 15 bytes instead of 16"), 1U);
}

TEST_F(HTTPStreamedAnswer, OfMoreThanItsLengthEndsTheConnectionAndSendsNoMore) {
  answer_with(write_three, 14);
  RawClient& client = say(ask() + kIndex);
  EXPECT_TRUE(ends(client));
  EXPECT_EQ(told_by(client), "HTTP/1.1 200 OK\r\n\r\none ");
  EXPECT_EQ(log.count("Exception in the body of an answer: a body of more than 14 bytes"), 1U);
}

TEST_F(HTTPStreamedAnswer, ThatFailsHasNoLastChunk) {
  answer_with([](HTTPBodyWriter& out) -> Future<> {
    co_await out.write("one");
    throw std::runtime_error("oh");
  });
  RawClient& client = say(ask() + kIndex);
  EXPECT_TRUE(ends(client));
  EXPECT_EQ(told_by(client), kChunked + "3\r\none\r\n");
  EXPECT_EQ(log.count("Exception in the body of an answer: oh"), 1U);
}

TEST_F(HTTPStreamedAnswer, KeepsPaceWithItsReader) {
  std::size_t written = 0;
  const std::string block(64 << 10, 'x');
  answer_with([&](HTTPBodyWriter& out) -> Future<> {
    for (int blocks = 0; blocks < 1000; ++blocks) {
      co_await out.write(block);
      written += block.size();
    }
  });
  RawClient& client = say(ask());
  EXPECT_TRUE(run_until([&] { return written > 0; }));
  turn_a_few_times();
  EXPECT_LT(written, 500 * block.size());
  EXPECT_LT(server->buffers().total(), 4 * block.size());
  EXPECT_TRUE(run_until([&] { return client.received().ends_with("\r\n0\r\n\r\n"); }));
  EXPECT_EQ(written, 1000 * block.size());
}

TEST_F(HTTPStreamedAnswer, ThatWaitsIsCancelledWhenItsClientLeaves) {
  Promise<> event("an event");
  answer_with([&](HTTPBodyWriter& out) -> Future<> {
    co_await out.write("first");
    co_await event.future();
  });
  RawClient& client = say(ask());
  EXPECT_TRUE(hears(client, kChunked + "5\r\nfirst\r\n"));
  client.end();
  EXPECT_TRUE(ends(client));
  EXPECT_TRUE(event.state()->abandoned());
  EXPECT_EQ(log.count("Exception"), 0U);
  EXPECT_TRUE(run_until([&] { return server->connections() == 0; }));
}

TEST_F(HTTPStreamedAnswer, OfAKnownLengthIsBroughtToItsEndForWhoEndedHisSide) {
  Promise<> event("an event");
  answer_with(
      [&](HTTPBodyWriter& out) -> Future<> {
        co_await out.write("first");
        co_await event.future();
        co_await out.write("last");
      },
      9);
  RawClient& client = say(ask());
  EXPECT_TRUE(hears(client, "HTTP/1.1 200 OK\r\n\r\nfirst"));
  client.end();
  turn_a_few_times();
  event.set_result();
  EXPECT_TRUE(hears(client, "HTTP/1.1 200 OK\r\n\r\nfirstlast"));
}

TEST_F(HTTPStreamedAnswer, MaySendAFile) {
  const TemporaryFolder folder;
  std::ofstream(folder.file("some")) << "0123456789";
  const UniqueFd file(::open(folder.file("some").c_str(), O_RDONLY | O_CLOEXEC));
  answer_with([&](HTTPBodyWriter& out) -> Future<> {
    co_await out.write("of it: ");
    co_await out.send_file(file.get(), 2, 5);
  });
  RawClient& client = say(ask() + kIndex);
  EXPECT_TRUE(hears(client, kChunked + "7\r\nof it: \r\n5\r\n23456\r\n0\r\n\r\n" + kOK));
}

TEST_F(HTTPStreamedAnswer, AFileThatIsNotSentToItsEndIsNotTakenForAWholeOne) {
  const TemporaryFolder folder;
  const std::size_t much = 32 << 20;
  std::ofstream(folder.file("some")) << std::string(much, 'x');
  const UniqueFd file(::open(folder.file("some").c_str(), O_RDONLY | O_CLOEXEC));
  answer_with(
      [&](HTTPBodyWriter& out) -> Future<> {
        try {
          co_await with_timeout(1s, out.send_file(file.get(), 0, much));
        } catch (const TimeoutError&) {  // and nothing is said of it
        }
      },
      much);
  RawClient& client = say(ask() + kIndex);
  turn_a_few_times();
  pass(2s);
  EXPECT_TRUE(ends(client));
  EXPECT_LT(client.received().size(), much);
  EXPECT_EQ(log.count("Exception in the body of an answer: a piece of a body that was not sent"),
            1U);
}

TEST_F(HTTPStreamedAnswer, APieceThatTheStreamDoesNotTakeEndsTheConnection) {
  const std::string piece(StreamLimits().max_write_buffer_size + 1, 'x');
  answer_with([&](HTTPBodyWriter& out) { return out.write(piece); });
  RawClient& client = say(ask() + kIndex);
  EXPECT_TRUE(ends(client));
  EXPECT_EQ(told_by(client), kChunked + "6400001\r\n");
  EXPECT_EQ(log.count("Exception in the body of an answer: write buffer full"), 1U);
}

TEST_F(HTTPServerTest, ABodyOfAnyLengthLeavesAtThePaceOfItsClient) {
  const std::string body(StreamLimits().max_write_buffer_size + 1, 'x');
  routes.get("/long", [&](const HTTPRequest&) { return HTTPResponse(body); });
  serve();
  RawClient& client = say("GET /long HTTP/1.1\r\nHost: a\r\n\r\n" + kIndex);
  std::size_t most = 0;
  EXPECT_TRUE(run_until([&] {
    most = std::max(most, server->buffers().total());
    return client.received().ends_with("\r\n\r\nOK");
  }));
  EXPECT_GT(client.received().size(), body.size());
  EXPECT_LT(most, std::size_t{200'000});
}

TEST_F(HTTPServerTest, AClientThatReadsALongBodySlowlyGetsItAll) {
  const std::string body(20 << 20, 'x');
  routes.get("/long", [&](const HTTPRequest&) { return HTTPResponse(body); });
  serve();
  RawClient& client = say("GET /long HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  for (int reads = 0; reads < 1000 && !client.over(); ++reads) pass(20s);
  EXPECT_GT(client.received().size(), body.size());
}

TEST_F(HTTPStreamedAnswer, DroppingTheServerEndsIt) {
  Promise<> event("an event");
  answer_with([&](HTTPBodyWriter& out) -> Future<> {
    co_await out.write("first");
    co_await event.future();
  });
  RawClient& client = say(ask());
  EXPECT_TRUE(hears(client, kChunked + "5\r\nfirst\r\n"));
  server.reset();
  EXPECT_TRUE(ends(client));
  EXPECT_TRUE(event.state()->abandoned());
}

// --- What became of them -------------------------------------------------------------------------

TEST_F(HTTPServerTest, EachAnswerIsToldToTheAccessLog) {
  std::vector<std::string> told;
  HTTPOptions options;
  options.access_log = [&](const HTTPAccess& access) {
    told.push_back(access.request.method + ' ' + access.request.target + ' ' +
                   std::to_string(access.status) + ' ' + std::to_string(access.body_size));
  };
  serve(options);
  say(kIndex + "HEAD /index/?a HTTP/1.1\r\nHost: a\r\n\r\n" +
      "GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(run_until([&] { return told.size() == 3; }));
  EXPECT_EQ(told[0], "GET /index/ 200 2");
  EXPECT_EQ(told[1], "HEAD /index/?a 200 0");
  EXPECT_EQ(told[2], "GET /nowhere 404 13");
}

TEST_F(HTTPServerTest, SoIsOneThatItsClientDoesNotReadToTheEnd) {
  std::vector<std::uint64_t> told;
  HTTPOptions options;
  options.access_log = [&](const HTTPAccess& access) { told.push_back(access.body_size); };
  routes.get("/long", [](const HTTPRequest&) {
    HTTPResponse response;
    response.stream = [](HTTPBodyWriter& out) -> Future<> {
      for (;;) co_await out.write(std::string(10'000, 'x'));
    };
    return response;
  });
  serve(options);
  RawClient& client = say("GET /long HTTP/1.1\r\nHost: a\r\n\r\n" + kIndex);
  ASSERT_TRUE(run_until([&] { return client.received().size() > 100'000; }));
  client.reset();
  ASSERT_TRUE(run_until([&] { return !told.empty(); }));
  EXPECT_GE(told[0], 100'000U);
  EXPECT_TRUE(run_until([&] { return server->connections() == 0; }));
  EXPECT_EQ(told.size(), 1U) << "what it asked for next is not even begun";
}

TEST_F(HTTPServerTest, SoIsEachRefusal) {
  std::vector<std::string> told;
  HTTPOptions options;
  options.access_log = [&](const HTTPAccess& access) { told.push_back(format_access(access, 0)); };
  serve(options);
  say("G\x01T / HTTP/1.1\r\n\r\n");
  ASSERT_TRUE(run_until([&] { return told.size() == 1; }));
  say(kIndex + "GET /index/ HTTP/1.1\r\nHost: a b\r\n\r\n");
  ASSERT_TRUE(run_until([&] { return told.size() == 3; }));
  const std::string from = "127.0.0.1 - - [01/Jan/1970:00:00:00 +0000] ";
  EXPECT_EQ(told[0], from + "\"-\" 400 15 \"-\" \"-\"");
  EXPECT_EQ(told[2], from + "\"GET /index/ HTTP/1.1\" 400 15 \"-\" \"-\"");
}

TEST(HTTPAccess, IsALineOfTheCombinedFormatWhateverWasSent) {
  HTTPRequest request;
  request.method = "GET";
  request.target = "/a\"b\\?\n";
  request.client = SocketAddress::parse("192.0.2.1", 4000).value();
  request.headers.add("User-Agent", "a \"b\" \xff");
  EXPECT_EQ(format_access({request, 200, 12}, 0),
            "192.0.2.1 - - [01/Jan/1970:00:00:00 +0000] \"GET /a\\x22b\\x5c?\\x0a HTTP/1.1\" 200 "
            "12 \"-\" \"a \\x22b\\x22 \\xff\"");
  request.client = SocketAddress::parse("::1", 4000).value();
  EXPECT_TRUE(format_access({request, 200, 12}, 0).starts_with("::1 - - ["));
}

}  // namespace
}  // namespace eddy
