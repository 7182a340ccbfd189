#include <gtest/gtest.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <string>
#include <system_error>

#include <eddy/loop/unique_fd.h>
#include <eddy/stream/io_stream.h>

#include "../support/stream_test.h"
#include "../support/temporary_folder.h"
#include "../support/tls_test.h"

namespace eddy {
namespace {

using namespace std::chrono_literals;

// A file of so many bytes, none of them like its neighbours.
class SomeFile {
 public:
  explicit SomeFile(std::size_t size) {
    for (std::size_t at = 0; at < size; ++at) text_ += static_cast<char>('a' + at % 23);
    std::ofstream(folder_.file("some")) << text_;
    file_.reset(std::fopen(folder_.file("some").c_str(), "r"));
  }
  int fd() const { return ::fileno(file_.get()); }
  const std::string& text() const { return text_; }

 private:
  struct Closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  TemporaryFolder folder_;
  std::string text_;
  std::unique_ptr<std::FILE, Closer> file_;
};

class SendFile : public StreamTest {
 public:
  std::string receive_all(const Future<>& sent) {
    std::string all;
    run_until([&] {
      all += theirs.receive();
      return sent.done();
    });
    return all + theirs.receive();
  }
  static int error_number_of(const Future<>& failed) {
    try {
      failed.result();
    } catch (const std::system_error& error) {
      return error.code().value();
    }
    return 0;
  }
};

TEST_F(SendFile, SendsAPartBehindWhatWasWritten) {
  open();
  const SomeFile file(100);
  static_cast<void>(ours->write("head "));
  const Future<> sent = ours->send_file(file.fd(), 10, 20);
  EXPECT_EQ(receive_all(sent), "head " + file.text().substr(10, 20));
  sent.result();
}

TEST_F(SendFile, KeepsPaceWithThePeerAndTakesNothingIntoMemory) {
  open();
  const SomeFile file(8 << 20);
  const Future<> sent = ours->send_file(file.fd(), 0, file.text().size());
  run_until([&] { return platform.calls(CountingPlatform::kSendfile) > 1; });
  EXPECT_FALSE(sent.done());
  EXPECT_EQ(ours->write_buffer_size(), 0U);
  EXPECT_EQ(receive_all(sent), file.text());
  sent.result();
  EXPECT_EQ(platform.calls(CountingPlatform::kSend), 0U);
}

TEST_F(SendFile, SendsTheSameWhateverSignalsAndShortCountsComeBetween) {
  platform.interrupt_every(3);
  platform.cut(CountingPlatform::kSendfile, 7);
  open();
  const SomeFile file(300);
  const Future<> sent = ours->send_file(file.fd(), 0, 300);
  EXPECT_EQ(receive_all(sent), file.text());
}

TEST_F(SendFile, CopiesWhereTheKernelDoesNot) {
  platform.fail(CountingPlatform::kSendfile, EINVAL);
  open();
  const SomeFile file(200'000);
  const Future<> sent = ours->send_file(file.fd(), 1, 199'999);
  EXPECT_EQ(receive_all(sent), file.text().substr(1));
}

TEST_F(SendFile, FailsWhereTheFileEndsBefore) {
  open();
  const SomeFile file(100);
  const Future<> sent = ours->send_file(file.fd(), 90, 20);
  EXPECT_EQ(receive_all(sent), file.text().substr(90));
  EXPECT_EQ(error_number_of(sent), ENODATA);
  EXPECT_FALSE(ours->closed()) << "it is the sender's to decide";
}

TEST_F(SendFile, FailsWhereTheFileCannotBeRead) {
  open();
  EXPECT_EQ(error_number_of(ours->send_file(-1, 0, 1)), EBADF);
}

TEST_F(SendFile, FailsWhenThePeerIsGone) {
  open();
  const SomeFile file(100);
  theirs.close();
  const Future<> sent = ours->send_file(file.fd(), 0, 100);
  EXPECT_TRUE(failure<StreamClosedError>(sent));
  EXPECT_TRUE(ours->closed());
}

TEST_F(SendFile, FailsWhenTheStreamClosesMeanwhile) {
  open();
  const SomeFile file(8 << 20);
  const Future<> sent = ours->send_file(file.fd(), 0, file.text().size());
  run_until([&] { return platform.calls(CountingPlatform::kSendfile) > 1; });
  ours->close();
  run_until([&] { return sent.done(); });
  EXPECT_TRUE(failure<StreamClosedError>(sent));
}

TEST_F(SendFile, APeerThatDoesNotReadIsClosedAfterWriteStallTimeout) {
  open({.write_stall_timeout = 5s});
  const SomeFile file(8 << 20);
  const Future<> sent = ours->send_file(file.fd(), 0, file.text().size());
  const TimePoint before = loop.time();
  run_until([&] { return sent.done(); });
  EXPECT_GE(loop.time() - before, Duration(5s));
  EXPECT_LT(loop.time() - before, Duration(6s));
  EXPECT_TRUE(failure<StreamClosedError>(sent));
}

TEST_F(SendFile, SoIsOneThatDoesNotReadTheLittleThatWasWrittenBefore) {
  open({.write_stall_timeout = 5s});
  while (!ours->writing()) {
    static_cast<void>(ours->write(std::string(10'000, 'x')));
    run_turns();
  }
  const SomeFile file(10);
  const Future<> sent = ours->send_file(file.fd(), 0, 10);
  run_until([&] { return sent.done(); });
  EXPECT_TRUE(failure<StreamClosedError>(sent));
}

class SendFileTLS : public TLSTest {};

TEST_F(SendFileTLS, SendsTheSameThroughTLS) {
  connect_both();
  const SomeFile file(300'000);
  const Future<> sent = ours->send_file(file.fd(), 5, 299'995);
  const Future<std::string> read = other->read_bytes(299'995);
  EXPECT_EQ(result_of(read), file.text().substr(5));
  finish(sent);
}

TEST_F(SendFileTLS, APeerThatDoesNotReadIsClosedAfterWriteStallTimeout) {
  serve(TLSPeer::client(), {.write_stall_timeout = 5s});
  ASSERT_TRUE(exchange_until_established());
  const SomeFile file(8 << 20);
  const Future<> sent = ours->send_file(file.fd(), 0, file.text().size());
  run_until([&] { return sent.done(); });
  EXPECT_TRUE(failure<StreamClosedError>(sent));
}

}  // namespace
}  // namespace eddy
