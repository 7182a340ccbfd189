#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <string>
#include <vector>

#include <eddy/loop/await.h>
#include <eddy/stream/io_stream.h>

#include "../support/stream_test.h"

namespace eddy {
namespace {

using namespace std::chrono_literals;

class IOStreamWrite : public StreamTest {
 public:
  // Reads as the peer until so many bytes have come, while the loop turns.
  std::string receive(std::size_t size) {
    std::string all;
    run_until([&] {
      all += theirs.receive();
      return all.size() >= size;
    });
    return all;
  }
};

TEST_F(IOStreamWrite, IsDoneWhenTheKernelHasTakenTheBytes) {
  open();
  Future<> written = ours->write("hello");
  EXPECT_FALSE(written.done());
  EXPECT_TRUE(ours->writing());
  EXPECT_EQ(ours->total_write_index(), 5U);
  EXPECT_EQ(ours->total_write_done_index(), 0U);
  finish(written);
  EXPECT_FALSE(ours->writing());
  EXPECT_EQ(ours->total_write_done_index(), 5U);
  EXPECT_EQ(theirs.receive(), "hello");
}

TEST_F(IOStreamWrite, AllThatOneTurnWritesLeavesInOneSend) {
  open();
  loop.add_callback([&] {
    for (int number = 0; number < 100; ++number) static_cast<void>(ours->write("line\n"));
  });
  loop.turn();
  EXPECT_EQ(platform.calls(CountingPlatform::kSend), 1U);
  EXPECT_EQ(theirs.receive().size(), 500U);
}

TEST_F(IOStreamWrite, LeavesAtOnceWhenSomebodyAwaitsIt) {
  open();
  static_cast<void>(ours->write("one "));
  const auto converse = [&]() -> Future<> { co_await ours->write("two"); };
  const Future<> conversation = converse();
  EXPECT_TRUE(conversation.done());
  EXPECT_EQ(theirs.receive(), "one two");
  EXPECT_EQ(platform.calls(CountingPlatform::kSend), 1U);
}

TEST_F(IOStreamWrite, LeavesAtOnceWhenMuchWaits) {
  open();
  static_cast<void>(ours->write(std::string(BaseIOStream::kFlushAt - 1, 'x')));
  EXPECT_EQ(platform.calls(CountingPlatform::kSend), 0U);
  static_cast<void>(ours->write("x"));
  EXPECT_EQ(platform.calls(CountingPlatform::kSend), 1U);
}

TEST_F(IOStreamWrite, ALongWriteToAPeerThatIsGoneFailsAndClosesTheStream) {
  open();
  theirs.close();
  const Future<> written = ours->write(std::string(BaseIOStream::kFlushAt, 'x'));
  EXPECT_TRUE(failure<StreamClosedError>(written));
  EXPECT_TRUE(ours->closed());
}

TEST_F(IOStreamWrite, WhatTheKernelDoesNotTakeOfALongWriteLeavesInItsOrder) {
  open();
  const int room = 64 << 10;  // bytes
  ASSERT_EQ(::setsockopt(ours->fileno(), SOL_SOCKET, SO_SNDBUF, &room, sizeof room), 0);
  std::string expected;
  for (int number = 0; number < 300'000; ++number) expected += std::to_string(number);
  const Future<> written = ours->write(expected);
  EXPECT_TRUE(ours->writing()) << "longer than what the kernel holds";
  static_cast<void>(ours->write("tail"));
  std::string got;
  for (int turn = 0; turn < 1000 && ours->writing(); ++turn) {
    got += theirs.receive();
    loop.turn();
  }
  EXPECT_TRUE(written.done());
  EXPECT_EQ(got + theirs.receive(), expected + "tail");
}

TEST_F(IOStreamWrite, AHundredThousandWritesOfAByteMakeFewSends) {
  open();
  std::string sent;
  for (int number = 0; number < 100'000; ++number) {
    sent += static_cast<char>('a' + number % 26);
    static_cast<void>(ours->write({&sent.back(), 1}));
    ASSERT_LE(ours->write_buffer_size(), 100'000U);
  }
  EXPECT_EQ(receive(sent.size()), sent);
  EXPECT_LT(platform.calls(CountingPlatform::kSend), 200U);
}

TEST_F(IOStreamWrite, MakesNoSendWhileTheKernelTakesNone) {
  open();
  stall();
  platform.forget_calls();
  for (int number = 0; number < 1000; ++number) {
    static_cast<void>(ours->write("x"));
    static_cast<void>(ours->drain());
    loop.add_future(ours->write("x"), [](Future<>&) {});
  }
  run_turns();
  EXPECT_EQ(platform.calls(CountingPlatform::kSend), 0U);
}

TEST_F(IOStreamWrite, WritesAreDoneInOrderEachWithItsLastByte) {
  open();
  platform.cut(CountingPlatform::kSend, 4);
  std::vector<Future<>> writes;
  std::vector<std::size_t> ends;
  for (const char* part : {"ab", "", "cdefg", "h", "ijklmnop"}) {
    writes.push_back(ours->write(part));
    ends.push_back(ours->total_write_index());
  }
  EXPECT_EQ(ours->total_write_index(), 16U);
  while (ours->writing()) {
    loop.turn();
    for (std::size_t at = 0; at < writes.size(); ++at)
      EXPECT_EQ(writes[at].done(), ends[at] <= ours->total_write_done_index()) << at;
  }
  EXPECT_EQ(theirs.receive(), "abcdefghijklmnop");
}

TEST_F(IOStreamWrite, AnEmptyWriteIsDoneWithAllBeforeIt) {
  open();
  EXPECT_TRUE(ours->write("").done());
  const std::size_t waits = stall();
  const Future<> empty = ours->write("");
  run_turns();
  EXPECT_FALSE(empty.done());
  receive(waits);
  finish(empty);
}

TEST_F(IOStreamWrite, AForgottenWriteStillLeaves) {
  open();
  static_cast<void>(ours->write("one "));
  { const Future<> dropped = ours->write("two "); }
  Future<> cancelled = ours->write("three ");
  cancelled.cancel();
  finish(ours->write("four"));
  EXPECT_EQ(theirs.receive(), "one two three four");
}

TEST_F(IOStreamWrite, EveryByteArrivesInOrderThoughThePeerIsSlow) {
  open();
  std::string sent;
  for (int number = 0; sent.size() < (4U << 20); ++number) {
    const std::string line = "line " + std::to_string(number) + "\n";
    sent += line;
    static_cast<void>(ours->write(line));
  }
  std::string got;
  run_until([&] {
    got += theirs.receive(30'000);
    return got.size() >= sent.size();
  });
  EXPECT_TRUE(got == sent);
}

TEST_F(IOStreamWrite, NobodyNoticesSignalsThatInterruptEveryThirdCall) {
  open();
  platform.interrupt_every(3);
  platform.cut(CountingPlatform::kSend, 5);
  std::string sent;
  for (int number = 0; number < 100; ++number) {
    sent += std::to_string(number);
    static_cast<void>(ours->write(std::to_string(number)));
  }
  EXPECT_EQ(receive(sent.size()), sent);
}

// Limits and pace.

TEST_F(IOStreamWrite, AWriteBeyondTheBufferFailsAloneAndQueuesNothing) {
  open({.max_write_buffer_size = 1000});
  const Future<> fits = ours->write(std::string(600, 'a'));
  const auto error = failure<StreamBufferFullError>(ours->write(std::string(401, 'b')));
  ASSERT_TRUE(error);
  EXPECT_NE(std::string(error->what()).find("max_write_buffer_size = 1000"), std::string::npos);
  EXPECT_FALSE(ours->closed());
  EXPECT_EQ(ours->total_write_index(), 600U);
  const Future<> fits_too = ours->write(std::string(400, 'c'));
  finish(fits_too);
  EXPECT_EQ(receive(1000), std::string(600, 'a') + std::string(400, 'c'));
}

TEST_F(IOStreamWrite, DrainIsDoneAtOnceWhileLittleWaits) {
  open({.high_water_mark = 1000});
  static_cast<void>(ours->write(std::string(999, 'x')));
  EXPECT_TRUE(ours->drain().done());
  EXPECT_EQ(platform.calls(CountingPlatform::kSend), 0U) << "which is what makes it cheap";
}

TEST_F(IOStreamWrite, DrainSendsBeforeItWaits) {
  open({.high_water_mark = 1000});
  static_cast<void>(ours->write(std::string(1000, 'x')));
  EXPECT_TRUE(ours->drain().done());
  EXPECT_FALSE(ours->writing());
}

TEST_F(IOStreamWrite, DrainIsDoneOnceHalfOfTheHighWaterMarkIsLeft) {
  open({.high_water_mark = 100'000});
  stall();
  static_cast<void>(ours->write(std::string(200'000, 'x')));
  const Future<> drained = ours->drain();
  const Future<> also = ours->drain();
  EXPECT_FALSE(drained.done());
  while (!drained.done()) {
    ASSERT_GT(ours->write_buffer_size(), 50'000U);
    theirs.receive(10'000);
    loop.turn();
  }
  EXPECT_TRUE(also.done());
  EXPECT_LE(ours->write_buffer_size(), 50'000U);
}

TEST_F(IOStreamWrite, AHighWaterMarkOfZeroDrainsToTheLastByte) {
  open({.high_water_mark = 0});
  EXPECT_TRUE(ours->drain().done());
  stall();
  const Future<> drained = ours->drain();
  run_until([&] {
    theirs.receive();
    return drained.done();
  });
  EXPECT_FALSE(ours->writing());
}

TEST_F(IOStreamWrite, ACancelledDrainIsNobodyElses) {
  open({.high_water_mark = 1000});
  stall();
  ours->drain().cancel();
  const Future<> drained = ours->drain();
  EXPECT_FALSE(drained.done());
  run_until([&] {
    theirs.receive();
    return drained.done();
  });
  drained.result();
}

TEST_F(IOStreamWrite, APeerThatDoesNotReadIsClosedInTheEnd) {
  const auto counters = std::make_shared<BufferBudget>(std::size_t{1} << 30);
  open({.high_water_mark = 1000, .write_stall_timeout = 30s, .budget = counters});
  stall();
  const TimePoint began = platform.now();
  const auto error = closed_by<WriteStalledError>(ours->write("x"));
  ASSERT_TRUE(error);
  EXPECT_NE(std::string(error->what()).find("write_stall_timeout"), std::string::npos);
  EXPECT_GE(platform.now() - began, 30s);
  EXPECT_LT(platform.now() - began, 32s);
  EXPECT_TRUE(ours->closed());
  EXPECT_EQ(log.count("does not read"), 1U);
  EXPECT_EQ(counters->stalled(), 1U);
}

TEST_F(IOStreamWrite, APeerThatReadsInTimeIsNotClosed) {
  open({.high_water_mark = 1000, .write_stall_timeout = 30s});
  for (int round = 0; round < 3; ++round) {
    stall();
    platform.advance(29s);
    run_until([&] {
      theirs.receive();
      return !ours->writing();
    });
  }
  platform.advance(60s);
  run_turns();
  EXPECT_FALSE(ours->closed());
}

TEST_F(IOStreamWrite, TheStallIsCountedFromTheWriteThatPassesTheMark) {
  open({.high_water_mark = 8 << 20, .write_stall_timeout = 30s});
  stall();
  ASSERT_LT(ours->write_buffer_size(), std::size_t{8 << 20});
  platform.advance(60s);
  run_turns();
  EXPECT_FALSE(ours->closed()) << "below the mark";
  static_cast<void>(ours->write(std::string(8 << 20, 'x')));
  platform.advance(31s);
  run_turns();
  EXPECT_TRUE(ours->closed());
}

// Failures.

TEST_F(IOStreamWrite, AFailingDescriptorClosesTheStreamAndKeepsTheErrno) {
  for (const int error_number : {EPIPE, ECONNRESET, ENOBUFS, EIO}) {
    open();
    platform.fail(CountingPlatform::kSend, error_number);
    EXPECT_EQ(closed_by_errno(ours->write("x")), error_number);
    EXPECT_TRUE(ours->closed());
    const std::size_t sends = platform.calls(CountingPlatform::kSend);
    run_turns();
    EXPECT_EQ(platform.calls(CountingPlatform::kSend), sends) << "and is not tried again";
  }
  EXPECT_EQ(log.lines().size(), 2U) << "ENOBUFS and EIO; the others are everyday";
}

TEST_F(IOStreamWrite, WritingToAPeerThatIsGoneRaisesNoSignal) {
  struct sigaction before {};
  ::sigaction(SIGPIPE, nullptr, &before);
  EXPECT_EQ(before.sa_handler, SIG_DFL) << "which would end us";
  open();
  theirs.close();
  EXPECT_EQ(closed_by_errno(ours->write("x")), EPIPE);
  struct sigaction after {};
  ::sigaction(SIGPIPE, nullptr, &after);
  EXPECT_EQ(after.sa_handler, SIG_DFL);
}

TEST_F(IOStreamWrite, AResetWhileAnswersWaitFailsThemOnce) {
  open_tcp();
  stall();
  int failed = 0;
  for (int number = 0; number < 3; ++number)
    loop.add_future(ours->write("x"),
                    [&](Future<>& write) { failed += write.exception() != nullptr; });
  theirs.reset();
  run_until([&] { return ours->closed(); });
  run_turns();
  EXPECT_EQ(failed, 3);
  const int error_number = StreamClosedError(ours->error()).error_number();
  EXPECT_TRUE(error_number == ECONNRESET || error_number == EPIPE) << error_number;
  EXPECT_TRUE(log.lines().empty());
}

TEST_F(IOStreamWrite, AWriteThatNobodyLooksAtFailsInSilence) {
  open();
  stall();
  { const Future<> ignored = ours->write("x"); }
  static_cast<void>(ours->write("x"));
  Future<> kept = ours->write("x");
  ours->close(std::make_exception_ptr(std::runtime_error("enough")));
  static_cast<void>(ours->write("x"));
  static_cast<void>(ours->drain());
  kept = {};
  run_turns();
  EXPECT_TRUE(log.lines().empty());
}

TEST_F(IOStreamWrite, AWriteOnAClosedStreamFailsWithTheCause) {
  open();
  ours->close(std::make_exception_ptr(std::runtime_error("enough")));
  EXPECT_TRUE(ours->write("x").done());
  EXPECT_TRUE(closed_by<std::runtime_error>(ours->write("x")));
  EXPECT_TRUE(closed_by<std::runtime_error>(ours->drain()));
  EXPECT_TRUE(closed_by<std::runtime_error>(ours->shutdown_write()));
}

TEST_F(IOStreamWrite, AllThatWaitFailInOrderWhenTheStreamCloses) {
  open();
  stall();
  std::vector<int> order;
  for (int number = 0; number < 20; ++number)
    loop.add_future(ours->write("x"), [&order, number](Future<>& write) {
      if (write.exception()) order.push_back(number);
    });
  ours->close();
  run_turns();
  ASSERT_EQ(order.size(), 20U);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

// Half of the connection.

TEST_F(IOStreamWrite, OurSideEndsOnceAllIsSent) {
  open();
  static_cast<void>(ours->write("goodbye"));
  const Future<> ended = ours->shutdown_write();
  EXPECT_TRUE(ended.done());
  EXPECT_EQ(theirs.receive(), "goodbye");
  EXPECT_TRUE(theirs.at_end());
  EXPECT_FALSE(ours->closed());
  EXPECT_TRUE(closed_orderly(ours->write("more")));
}

TEST_F(IOStreamWrite, OurSideEndsBehindWhatASlowPeerHasYetToRead) {
  open();
  const std::size_t waits = stall();
  const Future<> ended = ours->shutdown_write();
  const Future<> again = ours->shutdown_write();
  run_turns();
  EXPECT_FALSE(ended.done());
  EXPECT_EQ(receive(waits).size(), waits);
  finish(ended);
  finish(again);
  theirs.receive();
  EXPECT_TRUE(theirs.at_end());
  EXPECT_EQ(platform.calls(CountingPlatform::kShutdown), 1U);
}

TEST_F(IOStreamWrite, ReadingGoesOnWhenOurSideHasEnded) {
  open();
  finish(ours->shutdown_write());
  const std::string much(1 << 20, 'x');
  Future<std::string> read = ours->read_bytes(much.size());
  std::size_t sent = 0;
  run_until([&] {
    sent += theirs.send(std::string_view(much).substr(sent));
    return read.done();
  });
  EXPECT_EQ(read.result().size(), much.size());
}

TEST_F(IOStreamWrite, WhatWasAskedBeforeThePeerEndedIsAnswered) {
  open_tcp();
  const auto answer = [&]() -> Future<> {
    try {
      for (;;) static_cast<void>(ours->write("re: " + co_await ours->read_until("\n")));
    } catch (const StreamClosedError&) {
    }
    co_await ours->shutdown_write();
  };
  std::string asked;
  std::string expected;
  for (int number = 0; number < 2000; ++number) {
    asked += std::to_string(number) + "\n";
    expected += "re: " + std::to_string(number) + "\n";
  }
  const Future<> conversation = answer();
  EXPECT_EQ(theirs.send(asked), asked.size());
  theirs.end();
  finish(conversation);
  EXPECT_EQ(receive(expected.size()), expected);
  run_until([&] {
    theirs.receive();
    return theirs.at_end();
  });
}

TEST_F(IOStreamWrite, TheEndOfThePeerLosesNothingThatIsStillUnsent) {
  open();
  const std::size_t waits = stall();
  theirs.end();
  EXPECT_TRUE(closed_orderly(ours->read_until("\n")));
  EXPECT_FALSE(ours->closed());
  const Future<> last = ours->write("the last word");
  const std::string got = receive(waits + 13);
  EXPECT_EQ(got.substr(got.size() - 13), "the last word");
  finish(last);
}

TEST_F(IOStreamWrite, TheStreamClosesOnceBothSidesHaveEnded) {
  for (const bool we_first : {true, false}) {
    open();
    int closed = 0;
    ours->set_close_callback([&] { ++closed; });
    Future<std::string> rest = ours->read_until_close();
    if (we_first) finish(ours->shutdown_write());
    theirs.end();
    result_of(rest);
    if (!we_first) static_cast<void>(ours->shutdown_write());
    run_until([&] { return closed > 0; });
    run_turns();
    EXPECT_EQ(closed, 1);
    EXPECT_TRUE(ours->closed());
    EXPECT_FALSE(ours->error());
  }
}

TEST_F(IOStreamWrite, EndingOurSideAgainAfterTheCloseIsHarmless) {
  open();
  finish(ours->shutdown_write());
  ours->close();
  finish(ours->shutdown_write());
}

}  // namespace
}  // namespace eddy
