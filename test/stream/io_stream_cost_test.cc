// What a message costs: system calls, and memory. Also what happens when there is none.

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <eddy/loop/await.h>
#include <eddy/loop/pool.h>
#include <eddy/stream/io_stream.h>

#include "../support/stream_test.h"

namespace {

thread_local std::size_t allocations = 0;
thread_local std::size_t allocated_bytes = 0;
thread_local std::size_t fails_after = SIZE_MAX;  // so many allocations; then each one fails
thread_local std::size_t failures = 0;

void* allocate(std::size_t size) {
  if (fails_after == 0) {
    ++failures;
    throw std::bad_alloc();
  }
  if (fails_after != SIZE_MAX) --fails_after;
  ++allocations;
  allocated_bytes += size;
  if (void* memory = std::malloc(size > 0 ? size : 1)) return memory;
  throw std::bad_alloc();
}

}  // namespace

// The whole test program's.
// Not inlined: a compiler that sees only one of a pair takes the two for strangers.
[[gnu::noinline]] void* operator new(std::size_t size) { return allocate(size); }
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace eddy {
namespace {

class IOStreamCost : public StreamTest {
 public:
  Future<> echo() {
    for (;;) co_await ours->write(co_await ours->read_until("\n"));
  }
  // One line there and back.
  void round_trip(std::string_view line) {
    theirs.send(line);
    char back[256];
    ssize_t count = -1;
    while (count < 0) {
      loop.turn();
      count = ::recv(theirs.fd(), back, sizeof back, MSG_DONTWAIT);
    }
    ASSERT_EQ(std::string_view(back, static_cast<std::size_t>(count)), line);
  }
  // Of a hundred lines; a sanitizer sees each block come and go.
  void expect_allocations(std::size_t expected, const std::string& line) {
    for (int number = 0; number < 10; ++number) round_trip(line);
    allocations = 0;
    for (int number = 0; number < 100; ++number) round_trip(line);
    if constexpr (kPooling)
      EXPECT_EQ(allocations, expected);
    else
      EXPECT_LT(allocations, 100U * 10);
  }
};

TEST_F(IOStreamCost, ARoundTripIsAWaitAReceiveAndASend) {
  open();
  const Future<> conversation = echo();
  round_trip("first\n");
  run_turns();
  platform.forget_calls();
  for (int number = 0; number < 100; ++number) {
    theirs.send("line\n");
    loop.turn(std::chrono::seconds(1));  // the wait, and the line
    loop.turn();                         // the answer, and the next wait
    ASSERT_EQ(theirs.receive(), "line\n");
  }
  EXPECT_EQ(platform.calls(CountingPlatform::kRecv), 100U);
  EXPECT_EQ(platform.calls(CountingPlatform::kSend), 100U);
  EXPECT_EQ(platform.calls(CountingPlatform::kEpollWait), 200U) << "this test's own turns";
  EXPECT_EQ(platform.calls(CountingPlatform::kEpollCtl), 0U);
}

TEST_F(IOStreamCost, AMessageAsksTheHeapForNothing) {
  open();
  const Future<> conversation = echo();
  expect_allocations(0, "line\n");
}

TEST_F(IOStreamCost, ALongMessageAsksTheHeapForItsOwnBytesOnly) {
  open();
  const Future<> conversation = echo();
  expect_allocations(100, std::string(200, 'x') + "\n");
}

TEST_F(IOStreamCost, ALongMessageThatIsOnlyLookedAtAsksTheHeapForNothing) {
  open();
  const Future<> conversation = [](IOStream& stream) -> Future<> {
    for (;;) {
      const Future<std::string> line = stream.read_until("\n");
      co_await stream.write(co_await line);
    }
  }(*ours);
  expect_allocations(0, std::string(200, 'x') + "\n");
}

TEST_F(IOStreamCost, WritesWhoseFuturesAreReplacedHoldNoMoreThanTheirBytes) {
  open();
  stall();
  Future<> last;
  for (int number = 0; number < 1000; ++number) last = ours->write("x");
  allocations = 0;
  for (int number = 0; number < 1000; ++number) last = ours->write("x");
  EXPECT_LT(allocations, kPooling ? 10U : SIZE_MAX) << "those before it are gone";
}

TEST_F(IOStreamCost, AWriteThatIsFlushedAtOnceIsNotCopiedFirst) {
  open();
  const std::string large(BaseIOStream::kFlushAt, 'x');
  allocated_bytes = 0;
  EXPECT_TRUE(ours->write(large).done());
  EXPECT_LT(allocated_bytes, large.size() / 2);
  EXPECT_EQ(theirs.receive(), large);
}

TEST_F(IOStreamCost, ALineThatDribblesInCostsLinearMemory) {
  open();
  Future<std::string> line = ours->read_until("\n");
  run_turns();
  allocated_bytes = 0;
  for (int number = 0; number < 60'000; ++number) {
    theirs.send("x");
    loop.turn();
  }
  EXPECT_LT(allocated_bytes, kPooling ? 1'000'000U : SIZE_MAX);
  EXPECT_EQ(ours->read_buffer_size(), 60'000U);
  theirs.send("\n");
  EXPECT_EQ(result_of(line).size(), 60'001U);
}

TEST_F(IOStreamCost, AWaitingReadHoldsNoBlock) {
  constexpr int kStreams = 100;
  std::vector<std::unique_ptr<IOStream>> streams;
  std::vector<Peer> peers;
  std::vector<Future<std::string>> lines;
  streams.reserve(kStreams);
  peers.reserve(kStreams);
  lines.reserve(kStreams);
  allocated_bytes = 0;
  for (int number = 0; number < kStreams; ++number) {
    open();
    streams.push_back(std::move(ours));
    peers.push_back(std::move(theirs));
    lines.push_back(streams.back()->read_until("\n"));
  }
  run_turns();
  // A sanitizer sees each block come and go.
  EXPECT_LT(allocated_bytes, kPooling ? std::size_t{kStreams} * 2000 + (256U << 10) : SIZE_MAX);
  for (const auto& stream : streams) EXPECT_EQ(stream->read_buffer_size(), 0U);
}

// Without memory.

// Lets each allocation in turn fail, and all that follow it, in the course of `talk`.
template <class Talk>
void fail_each_allocation(Talk talk) {
  for (std::size_t after = 0; after < 200; ++after) {
    failures = 0;
    fails_after = after;
    talk();
    fails_after = SIZE_MAX;
    if (failures == 0) return;
  }
}

TEST_F(IOStreamCost, WithoutMemoryAnEventClosesItsStreamAndNothingElse) {
  for (std::size_t after = 0; after < 12; ++after) {
    open();
    auto other = std::exchange(ours, nullptr);
    const Peer others = std::exchange(theirs, Peer());
    Future<std::string> others_line = other->read_until("\n");
    open();
    Future<std::string> line = ours->read_until("\n");
    run_turns();
    theirs.send(std::string(100'000, 'x') + "\n");
    failures = 0;
    fails_after = after;
    for (int turn = 0; turn < 10; ++turn) {
      try {
        loop.turn();
      } catch (const std::bad_alloc&) {
        FAIL() << "out of the loop's turn";
      }
    }
    fails_after = SIZE_MAX;
    EXPECT_EQ(ours->closed(), failures > 0) << after;
    EXPECT_TRUE(line.done() || failures == 0) << after;
    others.send("alive\n");
    EXPECT_EQ(result_of(others_line), "alive\n");
    platform.advance(std::chrono::hours(1));
  }
}

TEST_F(IOStreamCost, WithoutMemoryClosingAndDestroyingStillEndEverything) {
  open({.high_water_mark = 1000});
  stall();
  char memory[64];
  Future<std::size_t> count = ours->read_into(memory);
  theirs.send("abc");
  run_turns();
  Future<> write = ours->write("x");
  Future<> drained = ours->drain();
  const auto error = std::make_exception_ptr(std::runtime_error("enough"));
  fails_after = 0;
  ours->close(error);
  ours.reset();
  fails_after = SIZE_MAX;
  EXPECT_TRUE(count.done());
  EXPECT_TRUE(write.done());
  EXPECT_TRUE(drained.done());
}

TEST_F(IOStreamCost, WithoutMemoryAGivenUpReadEndsItsStream) {
  open();
  char memory[64];
  std::optional<Future<std::size_t>> count = ours->read_into(memory);
  theirs.send("abc");
  run_turns();
  fails_after = 0;
  count.reset();
  fails_after = SIZE_MAX;
  EXPECT_FALSE(ours->reading());
  EXPECT_TRUE(ours->closed() || ours->read_buffer_size() == 3) << "no byte is lost in silence";
}

TEST_F(IOStreamCost, WithoutMemoryAWriteQueuesNothingOrAll) {
  fail_each_allocation([&] {
    const std::size_t allowed = std::exchange(fails_after, SIZE_MAX);
    open();
    static_cast<void>(ours->write("before "));
    fails_after = allowed;
    try {
      static_cast<void>(ours->write(std::string_view("0123456789012345678901234567890123456789")));
    } catch (const std::bad_alloc&) {  // the caller's own call found none, and says so
    }
    fails_after = SIZE_MAX;
    EXPECT_EQ(ours->total_write_index(), ours->write_buffer_size());
    finish(ours->write("after"));
    EXPECT_EQ(theirs.receive().size(), ours->total_write_index());
  });
}

TEST_F(IOStreamCost, WithoutMemoryAReadHasNotBegunOrClosesItsStream) {
  fail_each_allocation([&] {
    const std::size_t allowed = std::exchange(fails_after, SIZE_MAX);
    open();
    theirs.send("li");
    Future<std::string> line;
    fails_after = allowed;
    try {
      line = ours->read_until("\n");
    } catch (const std::bad_alloc&) {  // the caller's own call found none, and says so
    }
    fails_after = SIZE_MAX;
    EXPECT_EQ(ours->reading(), line.state() && !line.done());
    if (ours->closed()) return;
    theirs.send("ne\n");
    EXPECT_EQ(result_of(ours->reading() ? line : ours->read_until("\n")), "line\n");
  });
}

}  // namespace
}  // namespace eddy
