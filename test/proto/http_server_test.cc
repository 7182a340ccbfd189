#include "http_server_test.h"

#include <gtest/gtest.h>

#include <string>

namespace eddy {
namespace {

TEST_F(HTTPServerTest, AnswersOneRequestAfterTheOtherAndStaysOpen) {
  serve();
  RawClient& client = say(kIndex + kIndex);
  EXPECT_TRUE(hears(client, kOK + kOK));
  client.send(kIndex);
  EXPECT_TRUE(hears(client, kOK + kOK + kOK));
  EXPECT_FALSE(client.over());
  EXPECT_TRUE(log.lines().empty());
}

TEST_F(HTTPServerTest, AnswersTheSameHoweverTheBytesAreCut) {
  serve();
  const std::string session =
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n" +
      kIndex;
  for (std::size_t cut = 0; cut <= session.size(); ++cut) {
    RawClient& client = say(session.substr(0, cut));
    turn_a_few_times();
    client.send(session.substr(cut));
    ASSERT_TRUE(hears(client, "HTTP/1.1 200 OK\r\n\r\nhi" + kOK)) << "cut at " << cut;
    clients.pop_back();
  }
}

TEST_F(HTTPServerTest, ClosesWhenTheClientMeansNotToGoOn) {
  serve();
  RawClient& client = say("GET /index/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" + kIndex);
  EXPECT_TRUE(hears(client, kClosing + "OK"));
  EXPECT_TRUE(ends(client));
  RawClient& old = say("GET /index/ HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(hears(old, kClosing + "OK"));
  EXPECT_TRUE(ends(old));
}

TEST_F(HTTPServerTest, WhatCannotBeEndsTheConnectionBehindTheAnswersToWhatCameBefore) {
  serve();
  RawClient& client = say(kIndex + "GET / HTTP/1.1\r\n\r\n" + kIndex);
  EXPECT_TRUE(hears(client, kOK + kBad));
  EXPECT_TRUE(ends(client));
  EXPECT_EQ(log.count("refused, 400 no Host: 127.0.0.1:"), 1U);
}

TEST_F(HTTPServerTest, AsksForABodyThatIsHeldBack) {
  serve();
  RawClient& client =
      say("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_TRUE(hears(client, "HTTP/1.1 100 Continue\r\n\r\n"));
  client.send("hi");
  EXPECT_TRUE(hears(client, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\nhi"));
}

TEST_F(HTTPServerTest, DoesNotAskForABodyThatIsTooLong) {
  serve();
  RawClient& client = say(
      "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 9999999\r\n\r\n");
  EXPECT_TRUE(hears(client,
                    "HTTP/1.1 413 Content Too Large\r\nConnection: close\r\n\r\n"
                    "413 Content Too Large"));
  EXPECT_TRUE(ends(client));
}

TEST_F(HTTPServerTest, AResponseThatCannotBeIsAnInternalError) {
  serve();
  routes.get("/odd", [](const HTTPRequest&) { return HTTPResponse(42, "x"); });
  RawClient& client = say("GET /odd HTTP/1.1\r\nHost: a\r\n\r\n" + kIndex);
  EXPECT_TRUE(
      hears(client, "HTTP/1.1 500 Internal Server Error\r\n\r\n500 Internal Server Error" + kOK));
  EXPECT_EQ(log.count("Error in a response: HTTPResponse: status 42"), 1U);
}

TEST_F(HTTPServerTest, AStreamOfAResponseThatCannotBeIsNotSentEither) {
  serve();
  routes.get("/odd", [](const HTTPRequest&) {
    HTTPResponse response(42, "");
    response.stream = [](HTTPBodyWriter& out) { return out.write("x"); };
    return response;
  });
  EXPECT_TRUE(hears(say("GET /odd HTTP/1.1\r\nHost: a\r\n\r\n" + kIndex),
                    "HTTP/1.1 500 Internal Server Error\r\n\r\n500 Internal Server Error" + kOK));
}

TEST_F(HTTPServerTest, AnIdleConnectionHoldsNoMemoryForWhatItSent) {
  const HTTPRequest* request = nullptr;  // the connection's, and stays while it does
  routes.post("/keep", [&](const HTTPRequest& asked) {
    request = &asked;
    return HTTPResponse("kept");
  });
  serve();
  RawClient& client = say("POST /keep HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" +
                          std::string(100'000, 'x'));
  EXPECT_TRUE(hears(client, "HTTP/1.1 200 OK\r\n\r\nkept"));
  EXPECT_LT(request->body.capacity(), 100U);
  EXPECT_EQ(server->buffers().total(), 0U);
}

// --- Answers that wait

TEST_F(HTTPServerTest, AParkedRequestHoldsUpOthersOfItsConnectionAndNobodyElse) {
  serve();
  RawClient& client = say(kReq + kIndex);
  ASSERT_TRUE(run_until_parked(1));
  EXPECT_EQ(server->in_flight(), 1U);
  EXPECT_TRUE(hears(say(kIndex), kOK));
  EXPECT_EQ(client.received(), "");
  parked.front().set_result("done");
  EXPECT_TRUE(hears(client, "HTTP/1.1 200 OK\r\n\r\ndone" + kOK));
  EXPECT_EQ(server->parked(), 0U);
}

TEST_F(HTTPServerTest, AParkedRequestWhoseClientLeavesIsForgotten) {
  serve();
  for (const bool with_others_behind : {false, true}) {
    RawClient& client = say(with_others_behind ? kReq + kIndex : kReq);
    ASSERT_TRUE(run_until_parked(1));
    client.end();
    EXPECT_TRUE(ends(client));
    EXPECT_EQ(client.received(), "");
    EXPECT_TRUE(parked.back().state()->abandoned());
    EXPECT_TRUE(run_until([&] { return server->connections() == 0; }));
    EXPECT_EQ(server->parked(), 0U);
  }
}

TEST_F(HTTPServerTest, ARequestThatIsNotParkedIsAnsweredAfterAHalfClose) {
  serve();
  RawClient& client = say(kIndex);
  client.end();
  EXPECT_TRUE(hears(client, kOK));
  EXPECT_TRUE(ends(client));
}

TEST_F(HTTPServerTest, MaxParkedMayWaitAndOneMoreIsToldSo) {
  HTTPOptions options;
  options.max_parked = 1;
  serve(options);
  say(kReq);
  ASSERT_TRUE(run_until_parked(1));
  EXPECT_TRUE(hears(say(kReq), "HTTP/1.1 503 Service Unavailable\r\n\r\n503 Service Unavailable"));
  EXPECT_EQ(log.count("refused, max_parked = 1: "), 1U);
  EXPECT_EQ(server->parked(), 1U);
}

TEST_F(HTTPServerTest, WhatIsBehindAParkedRequestBeyondMaxReadAheadIsAnsweredToo) {
  HTTPOptions options;
  options.max_read_ahead = 10;
  serve(options);
  RawClient& client = say(kReq + kIndex);
  ASSERT_TRUE(run_until_parked(1));
  client.send(kIndex + kIndex);
  turn_a_few_times();
  parked.front().set_result("done");
  EXPECT_TRUE(hears(client, "HTTP/1.1 200 OK\r\n\r\ndone" + kOK + kOK + kOK));
}

TEST_F(HTTPServerTest, NothingIsLostThatComesWhileAParkedRequestIsAnswered) {
  serve();
  for (int turns = 0; turns < 6; ++turns) {
    RawClient& client = say(kReq);
    ASSERT_TRUE(run_until_parked(1));
    parked.back().set_result("done");
    for (int turn = 0; turn < turns; ++turn) loop.turn();
    client.send(kIndex);
    EXPECT_TRUE(hears(client, "HTTP/1.1 200 OK\r\n\r\ndone" + kOK)) << turns << " turns later";
  }
}

TEST_F(HTTPServerTest, AnAnswerInTheMomentOfItsTimeoutIsSentAndTheNextOneIsNotLate) {
  HTTPOptions options;
  options.answer_timeout = 5s;
  serve(options);
  RawClient& client = say(kReq);
  ASSERT_TRUE(run_until_parked(1));
  loop.call_later(5s, [&] { parked.back().set_result("done"); });
  pass(6s);
  EXPECT_TRUE(hears(client, "HTTP/1.1 200 OK\r\n\r\ndone"));
  client.send(kReq);
  ASSERT_TRUE(run_until_parked(1));
  parked.back().future().cancel();
  EXPECT_TRUE(hears(client,
                    "HTTP/1.1 200 OK\r\n\r\ndoneHTTP/1.1 500 Internal Server Error\r\n\r\n"
                    "500 Internal Server Error"));
}

TEST_F(HTTPServerTest, AHandlerMayCloseAllConnectionsAlsoItsOwn) {
  serve();
  routes.get("/end", [&](const HTTPRequest&) {
    server->close_all_connections();
    return HTTPResponse("x");
  });
  RawClient& parked_client = say(kReq);
  ASSERT_TRUE(run_until_parked(1));
  RawClient& client = say("GET /end HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(ends(client));
  EXPECT_TRUE(ends(parked_client));
  EXPECT_EQ(server->connections(), 0U);
  EXPECT_EQ(server->parked(), 0U);
}

TEST_F(HTTPServerTest, DroppingItForgetsWhatIsParked) {
  serve();
  RawClient& client = say(kReq);
  ASSERT_TRUE(run_until_parked(1));
  server.reset();
  EXPECT_TRUE(ends(client));
  EXPECT_TRUE(parked.front().state()->abandoned());
}

// --- Deadlines

TEST_F(HTTPServerTest, AnIdleConnectionIsClosedAfterIdleTimeout) {
  serve();
  RawClient& silent = connect();
  RawClient& client = say(kIndex);
  EXPECT_TRUE(hears(client, kOK));
  pass(74s);
  EXPECT_FALSE(client.over() || silent.over());
  pass(2s);
  EXPECT_TRUE(client.over() && silent.over());
  EXPECT_EQ(silent.received(), "");
  EXPECT_EQ(server->connections(), 0U);
}

TEST_F(HTTPServerTest, AHeadThatComesTooSlowlyIs408WhateverIsSentMeanwhile) {
  serve();
  RawClient& client = say("GET /");
  for (int second = 0; second < 9; ++second) {
    turn_a_few_times();
    pass(1s);
    client.send("x");
  }
  EXPECT_FALSE(client.over());
  turn_a_few_times();
  pass(2s);
  EXPECT_TRUE(hears(client,
                    "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n"
                    "408 Request Timeout"));
  EXPECT_TRUE(ends(client));
}

TEST_F(HTTPServerTest, AHeadThatBeganBehindAnotherRequestHasNoMoreTime) {
  serve();
  RawClient& client = say(kIndex + "GET /");
  EXPECT_TRUE(hears(client, kOK));
  pass(11s);
  EXPECT_TRUE(hears(client, kOK + "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n"
                                  "408 Request Timeout"));
}

TEST_F(HTTPServerTest, ABodyThatComesTooSlowlyIs408) {
  serve();
  RawClient& client = say("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nh");
  turn_a_few_times();
  pass(29s);
  EXPECT_FALSE(client.over());
  pass(2s);
  EXPECT_TRUE(hears(client,
                    "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n"
                    "408 Request Timeout"));
}

TEST_F(HTTPServerTest, AParkedRequestHasNoDeadlineOfTheServers) {
  serve();
  RawClient& client = say(kReq);
  ASSERT_TRUE(run_until_parked(1));
  pass(24h);
  parked.front().set_result("done");
  EXPECT_TRUE(hears(client, "HTTP/1.1 200 OK\r\n\r\ndone"));
}

TEST_F(HTTPServerTest, AClientThatDoesNotReadIsClosedHoweverLittleIsLeftForIt) {
  routes.get("/page", [](const HTTPRequest&) { return HTTPResponse(std::string(20'000, 'x')); });
  serve();
  RawClient& client = connect();
  while (server->buffers().total() == 0) {  // until its kernel takes no more
    client.send("GET /page HTTP/1.1\r\nHost: a\r\n\r\n");
    turn_a_few_times();
  }
  ASSERT_LT(server->buffers().total(), StreamLimits().high_water_mark);
  pass(75s + 59s);
  EXPECT_EQ(server->connections(), 1U);
  pass(2s);
  EXPECT_EQ(server->connections(), 0U);
  EXPECT_EQ(log.count("closing, write_timeout: 127.0.0.1:"), 1U);
}

// --- Draining

TEST_F(HTTPServerTest, ADrainEndsIdleConnectionsAndAnswersWhatHasCome) {
  serve();
  RawClient& idle = say(kIndex);
  EXPECT_TRUE(hears(idle, kOK));
  RawClient& waiting = say(kReq + kIndex);
  ASSERT_TRUE(run_until_parked(1));
  Future<std::size_t> left = server->drain(60s);
  EXPECT_TRUE(ends(idle));
  parked.front().set_result("done");
  EXPECT_TRUE(hears(waiting, "HTTP/1.1 200 OK\r\n\r\ndone" + kClosing + "OK"));
  EXPECT_TRUE(ends(waiting));
  EXPECT_FALSE(left.done()) << "it might send on, and lose the answer to a reset";
  waiting.close();
  ASSERT_TRUE(run_until([&] { return left.done(); }));
  EXPECT_EQ(left.result(), 0U);
}

TEST_F(HTTPServerTest, ADrainWaitsForWhatIsParkedAsLongAsItsPatience) {
  serve();
  RawClient& waiting = say(kReq);
  ASSERT_TRUE(run_until_parked(1));
  Future<std::size_t> left = server->drain(5s);
  pass(6s);
  ASSERT_TRUE(left.done());
  EXPECT_EQ(left.result(), 1U);
  server->close_all_connections();
  EXPECT_TRUE(ends(waiting));
  EXPECT_EQ(waiting.received(), "");
}

}  // namespace
}  // namespace eddy
