#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <eddy/loop/await.h>
#include <eddy/loop/errors.h>
#include <eddy/stream/io_stream.h>

#include "../support/stream_test.h"

namespace eddy {
namespace {

using namespace std::chrono_literals;

std::exception_ptr enough() { return std::make_exception_ptr(std::runtime_error("enough")); }

class IOStreamClose : public StreamTest {
 public:
  // Nothing happens any more: no call of the kernel but the wait.
  void expect_quiet() {
    run_turns();
    platform.forget_calls();
    run_turns(10);
    EXPECT_EQ(platform.calls(CountingPlatform::kRecv), 0U);
    EXPECT_EQ(platform.calls(CountingPlatform::kSend), 0U);
    EXPECT_EQ(platform.calls(CountingPlatform::kEpollCtl), 0U);
    epoll_event event{};
    EXPECT_EQ(::epoll_wait(loop.fd(), &event, 1, 0), 0) << "nothing is reported again and again";
  }
};

// Who wants to hear of the close hears of the peer's end, too.

TEST_F(IOStreamClose, AStreamThatIsReadEmptyAtOnceNoticesThatThePeerEnds) {
  for (const std::string_view end : {"\n", "\r\n"}) {
    open();
    theirs.send("ab" + std::string(end) + "cd" + std::string(end));
    EXPECT_EQ(result_of(ours->read_until(end)).size(), 2 + end.size());
    bool closed = false;
    ours->set_close_callback([&] { closed = true; });  // while something is buffered
    EXPECT_EQ(result_of(ours->read_until(end)).size(), 2 + end.size());
    theirs.close();
    run_turns(10);
    EXPECT_TRUE(closed);
  }
}

TEST_F(IOStreamClose, AStreamThatIsReadEmptyAfterThePeersEndCloses) {
  open();
  bool closed = false;
  ours->set_close_callback([&] { closed = true; });
  theirs.send("abc");
  theirs.end();
  EXPECT_TRUE(failure<StreamClosedError>(ours->read_until("\n")));
  run_turns();
  EXPECT_FALSE(closed);
  EXPECT_EQ(result_of(ours->read_bytes(3)), "abc");
  run_turns();
  EXPECT_TRUE(closed);
}

TEST_F(IOStreamClose, AStreamThatIsReadEmptyIntoMemoryAfterThePeersEndCloses) {
  open();
  bool closed = false;
  ours->set_close_callback([&] { closed = true; });
  theirs.send("abc");
  theirs.end();
  EXPECT_TRUE(failure<StreamClosedError>(ours->read_until("\n")));
  char memory[3];
  EXPECT_EQ(result_of(ours->read_into(memory)), 3U);
  run_turns();
  EXPECT_TRUE(closed);
}

// What becomes of what waits.

TEST_F(IOStreamClose, FailsAllThatWaitsWithTheCause) {
  open({.high_water_mark = 1000});
  stall();
  Future<std::string> line = ours->read_until("\n");
  Future<> write = ours->write("x");
  Future<> drained = ours->drain();
  Future<> ended = ours->shutdown_write();
  Future<> over = ours->wait_closed();
  ours->close(enough());
  EXPECT_TRUE(ours->closed());
  EXPECT_TRUE(closed_by<std::runtime_error>(line));
  EXPECT_TRUE(closed_by<std::runtime_error>(write));
  EXPECT_TRUE(closed_by<std::runtime_error>(drained));
  EXPECT_TRUE(closed_by<std::runtime_error>(ended));
  finish(over);
  finish(ours->wait_closed());
}

TEST_F(IOStreamClose, NobodyHasToLookAtWhatItFails) {
  open({.high_water_mark = 1000});
  stall();
  auto line = ours->read_until("\n");
  auto write = ours->write("x");
  auto drained = ours->drain();
  auto ended = ours->shutdown_write();
  ours->close(enough());
  ours.reset();
  line = {};
  write = drained = ended = {};
  EXPECT_TRUE(log.lines().empty());
}

TEST_F(IOStreamClose, TheFirstCauseStays) {
  open();
  ours->close(enough());
  ours->close(std::make_exception_ptr(std::logic_error("too late")));
  ours->close();
  EXPECT_TRUE(thrown<std::runtime_error>(ours->error()));
  EXPECT_EQ(ours->fileno(), -1);
  EXPECT_EQ(platform.calls(CountingPlatform::kClose), 1U);
}

TEST_F(IOStreamClose, GivesAReadThatWantsAllWhatThereIs) {
  open();
  Future<std::string> all = ours->read_until_close();
  theirs.send("abc");
  run_turns();
  ours->close();
  EXPECT_EQ(result_of(all), "abc");
}

TEST_F(IOStreamClose, TriesAPendingReadOnceMore) {
  open();
  theirs.send(std::string(40'000, 'x'));
  Future<std::string> match = ours->read_until_regex("x+y");
  run_turns();
  theirs.send("y");
  run_turns(1);
  EXPECT_FALSE(match.done()) << "the search is put off";
  ours->close();
  EXPECT_EQ(result_of(match).size(), 40'001U);
}

TEST_F(IOStreamClose, DropsWhatIsUnsent) {
  open();
  static_cast<void>(ours->write("never sent"));
  ours->close();
  run_turns();
  EXPECT_EQ(theirs.receive(), "");
  EXPECT_TRUE(theirs.at_end());
  EXPECT_FALSE(ours->writing());
}

// The close callback.

TEST_F(IOStreamClose, TellsOnceThroughTheLoopAndAfterTheReads) {
  open();
  std::vector<std::string> told;
  loop.add_future(ours->read_until_close(),
                  [&](Future<std::string>&) { told.emplace_back("read"); });
  ours->set_close_callback([&] { told.emplace_back("closed"); });
  ours->close();
  ours->close();
  EXPECT_TRUE(told.empty());
  run_turns();
  EXPECT_EQ(told, (std::vector<std::string>{"read", "closed"}));
}

TEST_F(IOStreamClose, TellsOfAStreamThatIsClosedAlready) {
  open();
  ours->close();
  int told = 0;
  ours->set_close_callback([&] { ++told; });
  EXPECT_EQ(told, 0);
  run_turns();
  EXPECT_EQ(told, 1);
}

TEST_F(IOStreamClose, TellsOnlyTheLastWhoAsked) {
  open();
  int first = 0;
  int second = 0;
  ours->set_close_callback([&] { ++first; });
  ours->set_close_callback([&] { ++second; });
  ours->close();
  run_turns();
  EXPECT_EQ(first, 0);
  EXPECT_EQ(second, 1);

  open();
  ours->set_close_callback([&] { ++first; });
  ours->set_close_callback({});
  ours->close();
  run_turns();
  EXPECT_EQ(first, 0);
}

TEST_F(IOStreamClose, AnExceptionOfTheCallbackIsLogged) {
  open();
  ours->set_close_callback([] { throw std::runtime_error("a bug of the user's"); });
  ours->close();
  run_turns();
  EXPECT_EQ(log.count("a bug of the user's"), 1U);
}

TEST_F(IOStreamClose, WithACallbackAnIdleStreamNoticesThePeersEnd) {
  open();
  int told = 0;
  ours->set_close_callback([&] { ++told; });
  run_turns();
  EXPECT_FALSE(ours->closed());
  theirs.end();
  run_until([&] { return told > 0; });
  EXPECT_TRUE(ours->closed());
  EXPECT_FALSE(ours->error());
}

TEST_F(IOStreamClose, WithoutACallbackAnIdleStreamNoticesNothing) {
  open();
  theirs.close();
  run_turns();
  EXPECT_FALSE(ours->closed());
  EXPECT_EQ(platform.calls(CountingPlatform::kRecv), 0U);
}

TEST_F(IOStreamClose, UnreadBytesComeBeforeTheNewsOfThePeersEnd) {
  open();
  int told = 0;
  theirs.send("one\ntwo\n");
  EXPECT_EQ(result_of(ours->read_until("\n")), "one\n");
  ours->set_close_callback([&] { ++told; });
  theirs.end();
  run_turns();
  EXPECT_EQ(told, 0);
  EXPECT_EQ(result_of(ours->read_until("\n")), "two\n");
  run_until([&] { return told > 0; });
}

TEST_F(IOStreamClose, AnIdleStreamWatchesAgainOnceItsBytesAreRead) {
  open();
  int told = 0;
  ours->set_close_callback([&] { ++told; });
  theirs.send("one\n");
  run_turns();
  theirs.send("two\n");
  run_turns();  // more than was probed for: the interest is given up
  EXPECT_EQ(result_of(ours->read_until("\n")), "one\n");
  EXPECT_EQ(result_of(ours->read_until("\n")), "two\n");
  theirs.end();
  run_until([&] { return told > 0; });
}

TEST_F(IOStreamClose, ACallbackThatComesAfterThePeersEndIsStillCalled) {
  open();
  theirs.end();
  EXPECT_TRUE(closed_orderly(ours->read_until("\n")));
  int told = 0;
  ours->set_close_callback([&] { ++told; });
  run_until([&] { return told > 0; });
}

TEST_F(IOStreamClose, ACallbackGoesWithItsStream) {
  open();
  ours->set_close_callback([] { FAIL() << "its stream is gone"; });
  ours->close();
  ours.reset();
  run_turns();
}

// In any callback, and at any time.

// Begins everything that can be pending, and then does `harm` in one callback of each kind.
class IOStreamHarm : public IOStreamClose {
 public:
  void harm_everywhere(const std::function<void()>& harm) {
    const std::function<void()> triggers[] = {
        [&] { loop.add_future(ours->read_until("\n"), [&](Future<std::string>&) { harm(); }); },
        [&] { loop.add_future(ours->read_bytes(2, true), [&](Future<std::string>&) { harm(); }); },
        [&] { loop.add_future(ours->write("x"), [&](Future<>&) { harm(); }); },
        [&] { loop.add_future(ours->shutdown_write(), [&](Future<>&) { harm(); }); },
        [&] {
          ours->set_close_callback(harm);
          theirs.end();
        },
        [&] {
          ours->set_close_callback(harm);
          ours->close();
        },
        [&] { loop.add_callback(harm); },
        [&] {
          loop.call_later(1s, harm);
          platform.advance(2s);
        },
    };
    for (const auto& trigger : triggers) {
      open({.write_stall_timeout = 10s});
      bool harmed = false;
      trigger();
      if (!ours->reading()) {
        Future<std::string> rest = ours->read_until_close();
        static_cast<void>(rest);
      }
      static_cast<void>(ours->write("y"));
      theirs.send("ab\ncd\n");
      loop.add_callback([&] { harmed = true; });
      run_until([&] { return harmed; });
      run_turns(10);
    }
  }
};

TEST_F(IOStreamHarm, ClosingInAnyCallbackIsSafe) {
  harm_everywhere([&] { ours->close(); });
}

TEST_F(IOStreamHarm, DestroyingInAnyCallbackIsSafe) {
  harm_everywhere([&] { ours.reset(); });
}

TEST_F(IOStreamHarm, WritingInAnyCallbackIsSafe) {
  harm_everywhere([&] {
    static_cast<void>(ours->write("more"));
    static_cast<void>(ours->shutdown_write());
  });
}

TEST_F(IOStreamClose, DestroyingBreaksOffAllThatWaits) {
  open({.high_water_mark = 1000, .write_stall_timeout = 10s});
  stall();
  char memory[8];
  Future<std::size_t> count = ours->read_into(memory);
  theirs.send("abc");
  run_turns();
  Future<> write = ours->write("x");
  Future<> drained = ours->drain();
  Future<> ended = ours->shutdown_write();
  Future<> over = ours->wait_closed();
  ours->set_close_callback([] { FAIL() << "its stream is gone"; });
  ours.reset();
  EXPECT_TRUE(closed_orderly(count));
  EXPECT_TRUE(closed_orderly(write));
  EXPECT_TRUE(closed_orderly(drained));
  EXPECT_TRUE(closed_orderly(ended));
  finish(over);
  platform.advance(60s);
  run_turns();
}

TEST_F(IOStreamClose, DroppingTheFuturesAfterTheStreamIsSafe) {
  open();
  Future<std::string> line = ours->read_until("\n");
  Future<> write = ours->write("x");
  ours.reset();
  line = {};
  write = {};
}

TEST_F(IOStreamClose, ACoroutineMayOwnTheStreamThatItWaitsFor) {
  open();
  const auto converse = [](std::unique_ptr<IOStream> stream) -> Future<> {
    for (;;) co_await stream->write(co_await stream->read_until("\n"));
  };
  Future<> conversation = converse(std::move(ours));
  theirs.send("echo\n");
  run_turns();
  EXPECT_EQ(theirs.receive(), "echo\n");
  conversation = {};
  theirs.receive();
  EXPECT_TRUE(theirs.at_end()) << "nobody holds the conversation: its stream is gone";
}

TEST(IOStreamAlone, MayOutliveItsLoop) {
  SocketPair pair;
  const auto budget = std::make_shared<BufferBudget>(1000);
  std::unique_ptr<IOStream> stream;
  Future<std::string> line;
  Future<> write;
  {
    const IOLoop loop;
    stream = std::make_unique<IOStream>(std::move(pair.ours), StreamLimits{.budget = budget});
    const Peer theirs(std::move(pair.theirs));
    theirs.send("x" + std::string(100, 'y'));
    static_cast<void>(stream->read_bytes(1));
    EXPECT_EQ(budget->total(), 100U);
    line = stream->read_until("\n");
    write = stream->write("x");
    stream->set_close_callback([] { FAIL(); });
  }
  stream.reset();
  EXPECT_TRUE(line.done());
  EXPECT_TRUE(write.done());
  EXPECT_EQ(budget->total(), 0U);
}

// What the peer may do.

TEST_F(IOStreamClose, APeerThatEndsAndKeepsItsSocketMakesNoNoise) {
  open_tcp();
  Future<std::string> line = ours->read_until("\n");
  theirs.end();
  EXPECT_TRUE(closed_orderly(line));
  expect_quiet();
  EXPECT_FALSE(ours->closed());
}

TEST_F(IOStreamClose, APeerThatGoesWhileWeAreBusyMakesNoNoise) {
  open();
  Future<std::string> line = ours->read_until("\n");
  theirs.send("line\n");
  result_of(line);  // and now nobody reads
  theirs.close();
  expect_quiet();
}

TEST_F(IOStreamClose, APeerThatSendsWhileNobodyReadsMakesNoNoise) {
  open();
  Future<std::string> line = ours->read_until("\n");
  theirs.send("line\n");
  result_of(line);
  theirs.send("more\n");
  expect_quiet();
  EXPECT_EQ(result_of(ours->read_until("\n")), "more\n");
}

TEST_F(IOStreamClose, UrgentBytesMakeNoNoise) {
  open_tcp();
  Future<std::string> line = ours->read_until("\n");
  for (int number = 0; number < 20; ++number) ::send(theirs.fd(), "!", 1, MSG_OOB | MSG_NOSIGNAL);
  theirs.send("line\n");
  const std::string got = result_of(line);
  EXPECT_EQ(got.substr(got.size() - 5), "line\n");
  expect_quiet();
  EXPECT_FALSE(ours->closed());
}

TEST_F(IOStreamClose, AHangUpFetchesWhatIsUnreadAndCloses) {
  open();
  Future<> over = ours->wait_closed();
  theirs.send("one\ntwo\n");
  theirs.close();
  finish(over);
  EXPECT_EQ(result_of(ours->read_until("\n")), "one\n");
  EXPECT_EQ(result_of(ours->read_until("\n")), "two\n");
  EXPECT_TRUE(closed_orderly(ours->read_until("\n")));
}

TEST_F(IOStreamClose, AHangUpFetchesNoMoreThanTheBufferHolds) {
  open({.max_buffer_size = 1000});
  const Future<> over = ours->wait_closed();
  theirs.send(std::string(2500, 'x'));
  theirs.close();
  run_turns();
  EXPECT_FALSE(ours->closed()) << "the rest is fetched when somebody reads";
  EXPECT_LE(ours->read_buffer_size(), 1001U);
  expect_quiet();
  EXPECT_EQ(result_of(ours->read_bytes(900)).size(), 900U);
  EXPECT_EQ(result_of(ours->read_bytes(900)).size(), 900U);
  EXPECT_EQ(result_of(ours->read_bytes(700)).size(), 700U);
  EXPECT_TRUE(closed_orderly(ours->read_bytes(1)));
}

TEST_F(IOStreamClose, AResetIsNoticedBySomebodyWhoOnlyWaitsForTheClose) {
  open_tcp();
  const Future<> over = ours->wait_closed();
  theirs.send("unread");
  theirs.reset();
  finish(over);
  EXPECT_EQ(StreamClosedError(ours->error()).error_number(), ECONNRESET);
  EXPECT_EQ(result_of(ours->read_bytes(6)), "unread");
  EXPECT_TRUE(log.lines().empty());
}

TEST_F(IOStreamClose, ACancelledWaitForTheCloseIsNobodyElses) {
  open();
  ours->wait_closed().cancel();
  const Future<> over = ours->wait_closed();
  EXPECT_FALSE(over.done());
  ours->close();
  finish(over);
}

// When the kernel, or the memory, refuses.

TEST_F(IOStreamClose, ADescriptorThatCannotBeWatchedClosesItsStream) {
  open();
  platform.fail(CountingPlatform::kEpollCtl, ENOSPC);
  EXPECT_EQ(closed_by_errno(ours->read_until("\n")), ENOSPC);
  EXPECT_TRUE(ours->closed());
}

TEST_F(IOStreamClose, ADescriptorThatCanNoLongerBeWatchedClosesItsStream) {
  open();
  Future<std::string> line = ours->read_until("\n");
  run_turns();
  platform.fail(CountingPlatform::kEpollCtl, ENOMEM);
  stall();  // wants to write, too
  EXPECT_EQ(closed_by_errno(line), EIO);
  EXPECT_TRUE(ours->closed());
}

TEST_F(IOStreamClose, AnotherThreadIsRefusedByName) {
  open();
  std::string message;
  long caller = 0;
  const auto refused = [&](const std::function<void()>& call) {
    std::thread([&] {
      caller = ::gettid();
      try {
        call();
      } catch (const WrongThreadError& error) {
        message = error.what();
      }
    }).join();
    EXPECT_NE(message.find(std::to_string(caller)), std::string::npos) << message;
    EXPECT_NE(message.find(std::to_string(loop.thread())), std::string::npos) << message;
    message.clear();
  };
  char memory[8];
  refused([&] { static_cast<void>(ours->read_until("\n")); });
  refused([&] { static_cast<void>(ours->read_into(memory)); });
  refused([&] { static_cast<void>(ours->write("x")); });
  refused([&] { static_cast<void>(ours->drain()); });
  refused([&] { static_cast<void>(ours->shutdown_write()); });
  refused([&] { static_cast<void>(ours->wait_closed()); });
  refused([&] { ours->set_close_callback({}); });
  refused([&] { ours->set_nodelay(true); });
}

}  // namespace
}  // namespace eddy
