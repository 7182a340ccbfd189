#include <gtest/gtest.h>

#include <cerrno>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <eddy/loop/await.h>
#include <eddy/stream/io_stream.h>

#include "../support/stream_test.h"

namespace eddy {
namespace {

using namespace std::chrono_literals;

class IOStreamRead : public StreamTest {};

// What each kind of read gives.

TEST_F(IOStreamRead, ReadsUpToAndWithTheDelimiter) {
  open();
  Future<std::string> line = ours->read_until("\r\n");
  EXPECT_TRUE(ours->reading());
  theirs.send("look\r\nnorth\r\n");
  EXPECT_EQ(result_of(line), "look\r\n");
  EXPECT_FALSE(ours->reading());
  EXPECT_EQ(result_of(ours->read_until("\r\n")), "north\r\n");
}

TEST_F(IOStreamRead, ReadsUpToTheEndOfTheFirstMatch) {
  open();
  Future<std::string> sentence = ours->read_until_regex("[.!?]");
  theirs.send("Who goes there?! Me.");
  EXPECT_EQ(result_of(sentence), "Who goes there?");
  EXPECT_EQ(result_of(ours->read_until_regex("Me\\.")), "! Me.");
}

TEST_F(IOStreamRead, AMatchOfWhatHasArrivedMayLackItsOptionalTail) {
  open();
  Future<std::string> line = ours->read_until_regex("\n\r?");
  theirs.send("look\n");
  EXPECT_EQ(result_of(line), "look\n");
  theirs.send("\r");
  EXPECT_EQ(result_of(ours->read_bytes(1)), "\r");
}

TEST_F(IOStreamRead, ReadsExactlySoManyBytes) {
  open();
  Future<std::string> five = ours->read_bytes(5);
  theirs.send("abc");
  run_turns();
  EXPECT_FALSE(five.done());
  theirs.send("defg");
  EXPECT_EQ(result_of(five), "abcde");
  EXPECT_EQ(ours->read_buffer_size(), 2U);
}

TEST_F(IOStreamRead, ReadsWhatThereIsWhenAPartWillDo) {
  open();
  Future<std::string> some = ours->read_bytes(5, true);
  run_turns();
  EXPECT_FALSE(some.done());
  theirs.send("abc");
  EXPECT_EQ(result_of(some), "abc");
  theirs.send("abcdefg");
  EXPECT_EQ(result_of(ours->read_bytes(5, true)), "abcde");
}

TEST_F(IOStreamRead, ReadsNoBytesAtOnceWithoutAskingTheKernel) {
  open();
  EXPECT_EQ(ours->read_bytes(0).result(), "");
  EXPECT_EQ(ours->read_bytes(0, true).result(), "");
  EXPECT_EQ(ours->read_into({}).result(), 0U);
  EXPECT_EQ(platform.calls(CountingPlatform::kRecv), 0U);
}

TEST_F(IOStreamRead, RefusesACountThatCanNeverBeBufferedAndAllocatesNothing) {
  open();
  for (const std::size_t count : {std::size_t{100 << 20} + 1, std::size_t{1} << 63, SIZE_MAX}) {
    const auto error = failure<StreamBufferFullError>(ours->read_bytes(count));
    ASSERT_TRUE(error);
    EXPECT_NE(std::string(error->what()).find("max_buffer_size = 104857600"), std::string::npos);
  }
  theirs.send("still here");
  EXPECT_EQ(result_of(ours->read_bytes(10)), "still here");
}

TEST_F(IOStreamRead, ReadsAsManyBytesAsTheBufferMayHold) {
  open({.max_buffer_size = 100});
  theirs.send(std::string(150, 'x'));
  EXPECT_EQ(result_of(ours->read_bytes(100)), std::string(100, 'x'));
  EXPECT_EQ(result_of(ours->read_bytes(50)), std::string(50, 'x'));
}

TEST_F(IOStreamRead, ReadsAllUntilThePeerEnds) {
  open();
  Future<std::string> all = ours->read_until_close();
  theirs.send("one ");
  run_turns();
  theirs.send("two");
  run_turns();
  EXPECT_FALSE(all.done());
  theirs.end();
  EXPECT_EQ(result_of(all), "one two");
}

TEST_F(IOStreamRead, FillsTheCallersMemory) {
  open();
  char memory[8];
  Future<std::size_t> count = ours->read_into(memory);
  theirs.send("abcd");
  run_turns();
  EXPECT_FALSE(count.done());
  theirs.send("efghij");
  EXPECT_EQ(result_of(count), 8U);
  EXPECT_EQ(std::string_view(memory, 8), "abcdefgh");
  EXPECT_EQ(result_of(ours->read_bytes(2)), "ij");
}

TEST_F(IOStreamRead, FillsTheCallersMemoryWithBufferedBytesFirst) {
  open();
  theirs.send("line\nabcdef");
  EXPECT_EQ(result_of(ours->read_until("\n")), "line\n");
  char memory[4];
  EXPECT_EQ(ours->read_into(memory).result(), 4U) << "what is buffered is enough";
  EXPECT_EQ(std::string_view(memory, 4), "abcd");
  Future<std::size_t> rest = ours->read_into(memory);
  theirs.send("gh");
  EXPECT_EQ(result_of(rest), 4U);
  EXPECT_EQ(std::string_view(memory, 4), "efgh");
}

TEST_F(IOStreamRead, FillsTheCallersMemoryWithWhatThereIsWhenAPartWillDo) {
  open();
  char memory[8];
  Future<std::size_t> count = ours->read_into(memory, true);
  theirs.send("abc");
  EXPECT_EQ(result_of(count), 3U);
  EXPECT_EQ(std::string_view(memory, 3), "abc");
}

// However the bytes come.

TEST_F(IOStreamRead, GivesTheSameMessagesHoweverTheBytesAreCut) {
  const std::string second("\0\xff\r\r\nsecond 12345", 17);
  const std::string wire = "first\r\n" + second + "third;\r\n";
  for (std::size_t cut = 0; cut <= wire.size(); ++cut) {
    open();
    std::vector<std::string> messages;
    const auto converse = [&]() -> Future<> {
      messages.push_back(co_await ours->read_until("\r\n"));
      messages.push_back(co_await ours->read_until_regex(" [0-9]{5}"));
      messages.push_back(co_await ours->read_bytes(5));
      messages.push_back(co_await ours->read_until_close());
    };
    const Future<> conversation = converse();
    theirs.send(wire.substr(0, cut));
    run_turns(2);
    theirs.send(wire.substr(cut));
    theirs.end();
    finish(conversation);
    EXPECT_EQ(messages, (std::vector<std::string>{"first\r\n", second, "third", ";\r\n"}))
        << "cut at " << cut;
  }
}

TEST_F(IOStreamRead, FindsADelimiterThatIsSplitOverSegments) {
  open();
  Future<std::string> head = ours->read_until("\r\n\r\n");
  for (const char* part : {"GET /\r", "\n\r", "\n"}) {
    theirs.send(part);
    run_turns();
  }
  EXPECT_EQ(result_of(head), "GET /\r\n\r\n");
}

TEST_F(IOStreamRead, FindsADelimiterThatEndsALongStretch) {
  open({.read_chunk_size = 1000});
  const std::string stretch(70'000, 'x');
  Future<std::string> line = ours->read_until("\r\n");
  theirs.send(stretch + "\r");
  run_turns();
  EXPECT_FALSE(line.done());
  theirs.send("\n");
  EXPECT_EQ(result_of(line), stretch + "\r\n");
}

TEST_F(IOStreamRead, ReadsAnyBytesAtAll) {
  open();
  std::mt19937 random(7);
  std::string noise(50'000, '\0');
  for (char& byte : noise) byte = static_cast<char>(random());
  Future<std::string> all = ours->read_bytes(noise.size());
  for (std::size_t sent = 0; sent < noise.size();) {
    sent += theirs.send(noise.substr(sent, 1 + random() % 5000));
    run_turns(1);
  }
  EXPECT_EQ(result_of(all), noise);
}

TEST_F(IOStreamRead, FindsMatchesAsIfAllHadBeenThereFromTheStart) {
  std::mt19937 random(11);
  for (int round = 0; round < 40; ++round) {
    open();
    std::string wire;
    for (std::size_t size = random() % 60; wire.size() < size;) wire += "ab;\n"[random() % 4];
    std::vector<std::string> expected;
    std::string rest = wire;
    for (std::size_t end = 0; (end = rest.find("b;")) != std::string::npos; rest.erase(0, end + 2))
      expected.push_back(rest.substr(0, end + 2));
    std::vector<std::string> found;
    const auto converse = [&]() -> Future<> {
      for (;;) found.push_back(co_await ours->read_until_regex("b;"));
    };
    const Future<> conversation = converse();
    for (std::size_t sent = 0; sent < wire.size(); run_turns(1))
      sent += theirs.send(wire.substr(sent, 1 + random() % 7));
    theirs.end();
    run_until([&] { return conversation.done(); });
    EXPECT_EQ(found, expected) << wire;
    EXPECT_TRUE(conversation.exception());
    EXPECT_EQ(result_of(ours->read_until_close()), rest) << wire;
  }
}

TEST_F(IOStreamRead, AMatchIsFoundSoonThoughThePeerNeverPauses) {
  open({.max_buffer_size = 10 << 20});
  theirs.send(std::string(60'000, 'x'));
  Future<std::string> match = ours->read_until_regex("x+y", 10 << 20);
  run_turns();
  theirs.send("y");  // hardly more than there was: the search is put off
  run_turns(1);
  int sent = 0;
  for (; sent < 1000 && !match.done(); ++sent) {
    platform.advance(1ms);
    theirs.send("z");
    run_turns(1);
  }
  EXPECT_TRUE(match.done());
  EXPECT_LT(sent, 50);
}

TEST_F(IOStreamRead, NobodyNoticesSignalsThatInterruptEveryThirdCall) {
  platform.interrupt_every(3);
  open();
  platform.cut(CountingPlatform::kRecv, 7);
  std::string wire;
  for (int number = 0; number < 200; ++number) wire += "line " + std::to_string(number) + "\n";
  theirs.send(wire);
  for (int number = 0; number < 200; ++number)
    ASSERT_EQ(result_of(ours->read_until("\n")), "line " + std::to_string(number) + "\n");
}

// How much is read, and when.

TEST_F(IOStreamRead, AsksTheKernelForNothingUnlessSomebodyReads) {
  open();
  theirs.send("unasked");
  run_turns();
  EXPECT_EQ(platform.calls(CountingPlatform::kRecv), 0U);
  EXPECT_EQ(platform.calls(CountingPlatform::kEpollCtl), 1U) << "the loop's own waker";
}

TEST_F(IOStreamRead, WatchesTheDescriptorOnlyWhenAReadMustWait) {
  open();
  platform.forget_calls();
  theirs.send("line\n");
  EXPECT_EQ(ours->read_until("\n").result(), "line\n") << "within the call";
  EXPECT_EQ(platform.calls(CountingPlatform::kEpollCtl), 0U);
  Future<std::string> line = ours->read_until("\n");
  EXPECT_EQ(platform.calls(CountingPlatform::kEpollCtl), 1U);
  theirs.send("line\n");
  EXPECT_EQ(result_of(line), "line\n");
}

TEST_F(IOStreamRead, TwoThousandPipelinedLinesAskTheKernelOnlyAFewTimes) {
  open();
  std::string wire;
  for (int number = 0; number < 2000; ++number) wire += std::to_string(number) + "\n";
  theirs.send(wire);
  for (int number = 0; number < 2000; ++number)
    ASSERT_EQ(result_of(ours->read_until("\n")), std::to_string(number) + "\n");
  EXPECT_LT(platform.calls(CountingPlatform::kRecv), 5U);
}

TEST_F(IOStreamRead, LeavesToTheKernelWhatNobodyHasAskedFor) {
  open({.max_buffer_size = 1000, .read_chunk_size = 100});
  std::size_t sent = 0;
  while (const std::size_t count = theirs.send(std::string(10'000, 'x'))) sent += count;
  for (std::size_t got = 0; got < sent; got += 50) {
    ASSERT_EQ(result_of(ours->read_bytes(50)).size(), 50U);
    ASSERT_LE(ours->read_buffer_size(), 100U);
  }
}

TEST_F(IOStreamRead, AChunkIsAtMostHalfOfTheBufferAndAtLeastAByte) {
  open({.max_buffer_size = 1000});
  EXPECT_EQ(ours->limits().read_chunk_size, 501U);
  open({.read_chunk_size = 0});
  theirs.send("ab");
  EXPECT_EQ(result_of(ours->read_bytes(2)), "ab");
}

TEST_F(IOStreamRead, OneStreamLeavesTheTurnToOthersAfterAWhile) {
  open({.max_buffer_size = 10 << 20});
  Future<std::string> all = ours->read_until_close();
  platform.receive_endlessly();
  theirs.send("x");
  for (std::size_t turn = 1; turn <= 5; ++turn) {
    loop.turn();
    EXPECT_EQ(ours->read_buffer_size(), turn * BaseIOStream::kBytesPerTurn);
  }
}

TEST_F(IOStreamRead, WhatAFewStreamsReadIsWorkedOnBeforeOthersRead) {
  constexpr std::size_t kEach = IOLoop::kBytesPerTurn / 4;
  std::vector<std::unique_ptr<IOStream>> streams;
  std::vector<Peer> peers;
  int done = 0;
  for (int at = 0; at < 8; ++at) {
    open();
    loop.add_future(ours->read_bytes(kEach), [&done] { ++done; });
    streams.push_back(std::move(ours));
    peers.push_back(std::move(theirs));
  }
  loop.turn();
  platform.forget_calls();
  for (const Peer& peer : peers) ASSERT_EQ(peer.send(std::string(kEach, 'x')), kEach);
  loop.turn();
  EXPECT_EQ(platform.calls(CountingPlatform::kRecv), 4U);
  loop.turn();
  EXPECT_EQ(done, 4);
  EXPECT_EQ(platform.calls(CountingPlatform::kRecv), 8U);
  EXPECT_EQ(platform.calls(CountingPlatform::kEpollWait), 1U) << "one wait has found them all";
  loop.turn();
  EXPECT_EQ(done, 8);
}

TEST_F(IOStreamRead, SaysHowMuchHasArrivedAndNobodyHasRead) {
  open();
  EXPECT_EQ(ours->available(), 0U);
  theirs.send("line\nmore");
  EXPECT_EQ(ours->available(), 9U);
  result_of(ours->read_until("\n"));
  EXPECT_EQ(ours->available(), 4U);
  theirs.send("!");
  EXPECT_EQ(ours->available(), 5U);
  ours->close();
  EXPECT_EQ(ours->available(), 4U);
}

// One at a time.

TEST_F(IOStreamRead, ASecondReadFailsAtOnceAndLeavesTheFirstAlone) {
  open();
  char memory[4];
  Future<std::string> first = ours->read_until("\n");
  EXPECT_TRUE(ours->read_until("x").done());
  EXPECT_TRUE(failure<AlreadyReadingError>(ours->read_until("x")));
  EXPECT_TRUE(failure<AlreadyReadingError>(ours->read_until_regex("x")));
  EXPECT_TRUE(failure<AlreadyReadingError>(ours->read_bytes(1)));
  EXPECT_TRUE(failure<AlreadyReadingError>(ours->read_bytes(0)));
  EXPECT_TRUE(failure<AlreadyReadingError>(ours->read_until_close()));
  EXPECT_TRUE(failure<AlreadyReadingError>(ours->read_into(memory)));
  theirs.send("look\n");
  EXPECT_EQ(result_of(first), "look\n");
}

TEST_F(IOStreamRead, WhatAReadCanNeverFindFailsThatReadAlone) {
  open();
  EXPECT_TRUE(failure<std::invalid_argument>(ours->read_until("")));
  EXPECT_TRUE(failure<std::invalid_argument>(ours->read_until_regex("(")));
  theirs.send("look\n");
  EXPECT_EQ(result_of(ours->read_until("\n")), "look\n");
}

TEST_F(IOStreamRead, WhatIsHungOnAReadRunsFromTheLoopsQueue) {
  open();
  theirs.send("look\n");
  bool ran = false;
  Future<std::string> line = ours->read_until("\n");
  line.add_done_callback([&] { ran = true; });
  EXPECT_TRUE(line.done());
  EXPECT_FALSE(ran);
  loop.turn();
  EXPECT_TRUE(ran);
}

// Limits.

TEST_F(IOStreamRead, AMessageOfJustTheLimitIsFine) {
  open();
  theirs.send("1234\n1234\n");
  EXPECT_EQ(result_of(ours->read_until("\n", 5)), "1234\n");
  EXPECT_EQ(result_of(ours->read_until_regex("\n", 5)), "1234\n");
}

TEST_F(IOStreamRead, AMessageThatEndsBeyondTheLimitClosesTheStream) {
  for (const bool regex : {false, true}) {
    open();
    theirs.send("12345\n");
    const auto error = closed_by<UnsatisfiableReadError>(regex ? ours->read_until_regex("\n", 5)
                                                               : ours->read_until("\n", 5));
    ASSERT_TRUE(error);
    EXPECT_NE(std::string(error->what()).find("max_bytes = 5"), std::string::npos);
    EXPECT_TRUE(ours->closed());
    EXPECT_TRUE(thrown<UnsatisfiableReadError>(ours->error()));
  }
  EXPECT_EQ(log.count("max_bytes = 5"), 2U) << "one line each";
}

TEST_F(IOStreamRead, ALimitThatIsPassedWithoutAnEndClosesTheStreamToo) {
  for (const bool regex : {false, true}) {
    open();
    Future<std::string> line = regex ? ours->read_until_regex("\n", 5) : ours->read_until("\n", 5);
    theirs.send("12345");
    run_turns();
    EXPECT_FALSE(line.done());
    theirs.send("6");
    EXPECT_TRUE(closed_by<UnsatisfiableReadError>(line));
    EXPECT_TRUE(ours->closed());
  }
}

TEST_F(IOStreamRead, AMatchHas64KiBUnlessTheReadSaysOtherwise) {
  open();
  Future<std::string> match = ours->read_until_regex("y");
  const std::string wire(BaseIOStream::kRegexMaxBytes, 'x');
  for (std::size_t sent = 0; sent < wire.size(); run_turns(1))
    sent += theirs.send(wire.substr(sent));
  EXPECT_FALSE(match.done());
  theirs.send("y");
  EXPECT_TRUE(closed_by<UnsatisfiableReadError>(match));
}

TEST_F(IOStreamRead, AReadMayFailAloneAtItsLimitAndBeFollowedByAnother) {
  open();
  theirs.send("123456789\n");
  EXPECT_TRUE(failure<UnsatisfiableReadError>(ours->read_until("\n", 5, OnLimit::keep_open)));
  EXPECT_TRUE(failure<UnsatisfiableReadError>(ours->read_until_regex("9", 5, OnLimit::keep_open)));
  EXPECT_FALSE(ours->closed());
  EXPECT_EQ(result_of(ours->read_bytes(2)), "12");
  EXPECT_EQ(result_of(ours->read_until("\n", 8, OnLimit::keep_open)), "3456789\n");
  EXPECT_TRUE(log.lines().empty());
}

TEST_F(IOStreamRead, TheBufferIsBoundedAndTheErrorNamesTheBound) {
  open({.max_buffer_size = 1000});
  theirs.send(std::string(2000, 'x'));
  const auto at_once = closed_by<StreamBufferFullError>(ours->read_until("\n"));
  ASSERT_TRUE(at_once);
  EXPECT_NE(std::string(at_once->what()).find("max_buffer_size = 1000"), std::string::npos);
  EXPECT_LE(ours->read_buffer_size(), 1001U);

  open({.max_buffer_size = 1000});
  Future<std::string> later = ours->read_until_close();
  theirs.send(std::string(2000, 'x'));
  EXPECT_TRUE(closed_by<StreamBufferFullError>(later)) << "and not a part as if it were the whole";
}

TEST_F(IOStreamRead, AllUntilTheEndMayBeJustWhatTheBufferHolds) {
  open({.max_buffer_size = 1000});
  theirs.send(std::string(1000, 'x'));
  theirs.end();
  EXPECT_EQ(result_of(ours->read_until_close()).size(), 1000U);
}

TEST_F(IOStreamRead, ALimitIsKeptOnAClosedStreamToo) {
  open();
  theirs.send("x123456789\n");
  result_of(ours->read_bytes(1));
  ours->close();
  EXPECT_TRUE(closed_by<UnsatisfiableReadError>(ours->read_until("\n", 5)));
  EXPECT_FALSE(ours->reading());
  EXPECT_EQ(result_of(ours->read_until("\n")), "123456789\n");
}

// Giving a read up leaves every byte to the next one.

TEST_F(IOStreamRead, AReadWhoseTimeIsUpGivesItsBytesBack) {
  open();
  Future<std::string> line = with_timeout(10s, ours->read_until("\n"));
  theirs.send("half a ");
  EXPECT_TRUE(failure<TimeoutError>(std::move(line)));
  EXPECT_FALSE(ours->reading());
  theirs.send("line\n");
  EXPECT_EQ(result_of(ours->read_until("\n")), "half a line\n");
}

TEST_F(IOStreamRead, ACancelledReadGivesItsBytesBack) {
  open();
  Future<std::string> bytes = ours->read_bytes(100);
  theirs.send("abc");
  run_turns();
  EXPECT_TRUE(bytes.cancel());
  EXPECT_TRUE(failure<CancelledError>(bytes));
  EXPECT_FALSE(ours->reading());
  EXPECT_EQ(result_of(ours->read_bytes(3)), "abc");
}

TEST_F(IOStreamRead, ADroppedReadGivesItsBytesBack) {
  open();
  {
    const Future<std::string> line = ours->read_until("\n");
    theirs.send("half a ");
    run_turns();
  }
  EXPECT_FALSE(ours->reading());
  theirs.send("line\n");
  run_turns();
  EXPECT_EQ(result_of(ours->read_until("\n")), "half a line\n");
}

TEST_F(IOStreamRead, MemoryThatIsHalfFilledIsEmptiedAgain) {
  open();
  char memory[8];
  {
    const Future<std::size_t> dropped = ours->read_into(memory);
    theirs.send("abc");
    run_turns();
  }
  Future<std::size_t> cancelled = ours->read_into(memory);
  theirs.send("de");
  run_turns();
  cancelled.cancel();
  EXPECT_TRUE(failure<TimeoutError>(with_timeout(1s, ours->read_into(memory))));
  theirs.send("fgh");
  EXPECT_EQ(result_of(ours->read_bytes(8)), "abcdefgh");
}

TEST_F(IOStreamRead, ASearchThatIsPutOffCanBeGivenUp) {
  open();
  theirs.send(std::string(40'000, 'x'));
  {
    const Future<std::string> match = ours->read_until_regex("x+y");
    run_turns();
    theirs.send("y");
    run_turns(1);
    EXPECT_FALSE(match.done()) << "the search is put off";
  }
  platform.advance(10s);
  run_turns();
  EXPECT_EQ(result_of(ours->read_until("y")).size(), 40'001U);
}

TEST_F(IOStreamRead, AReadThatIsDoneCannotBeCancelled) {
  open();
  theirs.send("line\n");
  Future<std::string> line = ours->read_until("\n");
  EXPECT_FALSE(line.cancel());
  EXPECT_EQ(line.result(), "line\n");
}

// The end.

TEST_F(IOStreamRead, TheEndFailsAReadThatWantsMoreAndLeavesItsBytes) {
  open();
  Future<std::string> line = ours->read_until("\n");
  theirs.send("no end of line");
  theirs.end();
  EXPECT_TRUE(closed_orderly(line));
  EXPECT_TRUE(ours->at_eof());
  EXPECT_TRUE(closed_orderly(ours->read_bytes(100)));
  EXPECT_FALSE(ours->closed()) << "our side has not ended";
  EXPECT_EQ(result_of(ours->read_until_close()), "no end of line");
  EXPECT_EQ(result_of(ours->read_until_close()), "");
}

TEST_F(IOStreamRead, TheEndLeavesNothingInTheCallersMemory) {
  open();
  char memory[8];
  Future<std::size_t> count = ours->read_into(memory);
  theirs.send("abc");
  theirs.end();
  EXPECT_TRUE(closed_orderly(count));
  EXPECT_EQ(result_of(ours->read_until_close()), "abc");
}

TEST_F(IOStreamRead, RecordsThatCameTogetherWithTheEndAreAllRead) {
  open();
  theirs.send("one\ntwo\nthree\n");
  theirs.close();
  EXPECT_EQ(result_of(ours->read_until("\n")), "one\n");
  run_turns();
  EXPECT_EQ(result_of(ours->read_until("\n")), "two\n");
  EXPECT_EQ(result_of(ours->read_until("\n")), "three\n");
  EXPECT_TRUE(closed_orderly(ours->read_until("\n")));
}

TEST_F(IOStreamRead, AClosedStreamStillServesWhatItHasRead) {
  open();
  theirs.send("one\ntwo\nthree");
  result_of(ours->read_until("\n"));
  ours->close(std::make_exception_ptr(std::runtime_error("enough")));
  EXPECT_EQ(result_of(ours->read_until("\n")), "two\n");
  EXPECT_TRUE(closed_by<std::runtime_error>(ours->read_until("\n")));
  EXPECT_FALSE(ours->reading()) << "a failed read is over";
  EXPECT_EQ(result_of(ours->read_bytes(2)), "th");
  EXPECT_EQ(result_of(ours->read_until_close()), "ree");
  EXPECT_EQ(result_of(ours->read_until_close()), "");
}

// Errors.

TEST_F(IOStreamRead, AResetEndsTheReadAndKeepsTheErrno) {
  open_tcp();
  Future<std::string> line = ours->read_until("\n");
  theirs.send("abc");
  theirs.reset();
  EXPECT_EQ(closed_by_errno(line), ECONNRESET);
  EXPECT_TRUE(ours->closed());
  EXPECT_EQ(result_of(ours->read_until_close()), "abc") << "what had arrived";
  EXPECT_TRUE(log.lines().empty()) << "it is everyday";
}

TEST_F(IOStreamRead, AllUntilTheEndIsWhatCameBeforeAReset) {
  open_tcp();
  Future<std::string> all = ours->read_until_close();
  theirs.send("abc");
  theirs.reset();
  EXPECT_EQ(result_of(all), "abc");
  EXPECT_TRUE(thrown<std::system_error>(ours->error())) << "only this tells";
}

TEST_F(IOStreamRead, AFailingDescriptorClosesItsOwnStreamOnly) {
  for (const int error_number : {ECONNRESET, ETIMEDOUT, EHOSTUNREACH, EIO}) {
    for (const bool at_once : {true, false}) {
      open();
      auto other = std::exchange(ours, nullptr);
      const Peer others = std::exchange(theirs, Peer());
      Future<std::string> others_line = other->read_until("\n");
      open();
      if (at_once) platform.fail(CountingPlatform::kRecv, error_number);
      Future<std::string> line = ours->read_until("\n");
      if (!at_once) platform.fail(CountingPlatform::kRecv, error_number);
      theirs.send("x");
      EXPECT_EQ(closed_by_errno(line), error_number);
      EXPECT_TRUE(ours->closed());
      others.send("alive\n");
      EXPECT_EQ(result_of(others_line), "alive\n");
    }
  }
  EXPECT_EQ(log.lines().size(), 4U) << "EHOSTUNREACH and EIO, twice; the others are everyday";
}

}  // namespace
}  // namespace eddy
