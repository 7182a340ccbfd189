#include <fcntl.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <system_error>

#include <eddy/stream/pipe_io_stream.h>

#include "../support/stream_test.h"

namespace eddy {
namespace {

class PipeIOStreamTest : public StreamTest {
 public:
  PipeIOStreamTest() {
    int both[2];
    EXPECT_EQ(::pipe2(both, O_CLOEXEC), 0);
    reader = std::make_unique<PipeIOStream>(UniqueFd(both[0]));
    writer = std::make_unique<PipeIOStream>(UniqueFd(both[1]));
  }
  std::size_t fill() const {
    std::size_t written = 0;
    for (; !writer->writing(); written += 65536)
      static_cast<void>(writer->write(std::string(65536, 'x')));
    return written;
  }

  std::unique_ptr<PipeIOStream> reader;
  std::unique_ptr<PipeIOStream> writer;
};

TEST_F(PipeIOStreamTest, CarriesBytesFromOneEndToTheOther) {
  Future<std::string> line = reader->read_until("\n");
  finish(writer->write("look\nnorth\n"));
  EXPECT_EQ(result_of(line), "look\n");
  EXPECT_EQ(result_of(reader->read_until("\n")), "north\n");
}

TEST_F(PipeIOStreamTest, MakesItsEndNonBlockingAndClosesIt) {
  const int fd = reader->fileno();
  EXPECT_TRUE(::fcntl(fd, F_GETFL) & O_NONBLOCK);
  reader.reset();
  EXPECT_EQ(::fcntl(fd, F_GETFL), -1);
}

TEST_F(PipeIOStreamTest, RefusesWhatIsNoDescriptor) {
  EXPECT_THROW(PipeIOStream{UniqueFd()}, std::system_error);
}

TEST_F(PipeIOStreamTest, EverythingArrivesThoughThePipeIsSmall) {
  const std::string much(1 << 20, 'x');
  Future<std::string> all = reader->read_bytes(much.size());
  const Future<> written = writer->write(much);
  EXPECT_FALSE(written.done());
  EXPECT_EQ(result_of(all), much);
  finish(written);
}

TEST_F(PipeIOStreamTest, TheWritersEndIsTheReadersEnd) {
  Future<std::string> all = reader->read_until_close();
  static_cast<void>(writer->write("last words"));
  finish(writer->shutdown_write());
  EXPECT_TRUE(writer->closed()) << "a pipe has but one direction";
  EXPECT_EQ(result_of(all), "last words");
  EXPECT_TRUE(reader->at_eof());
}

TEST_F(PipeIOStreamTest, AnIdleReaderWithACallbackNoticesThatTheWriterIsGone) {
  bool told = false;
  reader->set_close_callback([&] { told = true; });
  writer.reset();
  run_until([&] { return told; });
  EXPECT_FALSE(reader->error());
}

TEST_F(PipeIOStreamTest, AWriterNoticesThatTheReaderIsGone) {
  fill();
  bool told = false;
  writer->set_close_callback([&] { told = true; });
  reader.reset();
  run_until([&] { return told; });
  EXPECT_EQ(StreamClosedError(writer->error()).error_number(), EPIPE);
  EXPECT_TRUE(log.lines().empty());
}

TEST_F(PipeIOStreamTest, AnIdleWriterNoticesItToo) {
  bool told = false;
  writer->set_close_callback([&] { told = true; });
  run_turns();
  ASSERT_FALSE(told);
  reader.reset();
  run_until([&] { return told; });
  EXPECT_EQ(StreamClosedError(writer->error()).error_number(), EPIPE);
}

bool sigpipe_is_blocked() {
  sigset_t mask;
  ::pthread_sigmask(SIG_BLOCK, nullptr, &mask);
  return sigismember(&mask, SIGPIPE) == 1;
}

bool sigpipe_waits() {
  sigset_t waiting;
  ::sigpending(&waiting);
  return sigismember(&waiting, SIGPIPE) == 1;
}

TEST_F(PipeIOStreamTest, AWriteThatNobodyReadsRaisesNoSignal) {
  struct sigaction action {};
  ::sigaction(SIGPIPE, nullptr, &action);
  ASSERT_EQ(action.sa_handler, SIG_DFL) << "which would end us";
  reader.reset();
  EXPECT_EQ(closed_by_errno(writer->write("x")), EPIPE);
  ::sigaction(SIGPIPE, nullptr, &action);
  EXPECT_EQ(action.sa_handler, SIG_DFL);
  EXPECT_FALSE(sigpipe_is_blocked());
  EXPECT_FALSE(sigpipe_waits());
}

TEST_F(PipeIOStreamTest, AHostThatBlocksTheSignalKeepsItsOwn) {
  sigset_t only;
  sigemptyset(&only);
  sigaddset(&only, SIGPIPE);
  sigset_t before;
  ::pthread_sigmask(SIG_BLOCK, &only, &before);
  ::pthread_kill(::pthread_self(), SIGPIPE);
  ASSERT_TRUE(sigpipe_waits());
  reader.reset();
  EXPECT_EQ(closed_by_errno(writer->write("x")), EPIPE);
  EXPECT_TRUE(sigpipe_is_blocked());
  EXPECT_TRUE(sigpipe_waits()) << "the host's own is still there";
  const timespec at_once{};
  ::sigtimedwait(&only, nullptr, &at_once);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST_F(PipeIOStreamTest, ADescriptorThatIsGoneClosesQuietly) {
  platform.fail(CountingPlatform::kReadPipe, EBADF);
  EXPECT_EQ(closed_by_errno(reader->read_until("\n")), EBADF);
  EXPECT_TRUE(log.lines().empty());
}

TEST_F(PipeIOStreamTest, NobodyNoticesSignalsThatInterruptEveryThirdCall) {
  platform.interrupt_every(3);
  platform.cut(CountingPlatform::kReadPipe, 5);
  platform.cut(CountingPlatform::kWritePipe, 3);
  static_cast<void>(writer->write("a line of some length\n"));
  EXPECT_EQ(result_of(reader->read_until("\n")), "a line of some length\n");
}

}  // namespace
}  // namespace eddy
