#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>

#include <eddy/loop/log.h>
#include <eddy/loop/log_output.h>
#include <eddy/loop/unique_fd.h>

namespace eddy {
namespace {

struct Ends {
  UniqueFd reader;
  UniqueFd writer;
};

Ends make_pipe() {
  int both[2];
  if (::pipe2(both, O_CLOEXEC) < 0) ::abort();
  ::fcntl(both[1], F_SETPIPE_SZ, 8192);
  return {UniqueFd(both[0]), UniqueFd(both[1])};
}

std::string read_what_is_there(const UniqueFd& reader) {
  std::string all;
  char bytes[4096];
  for (pollfd one{reader.get(), POLLIN, 0}; ::poll(&one, 1, 0) == 1 && (one.revents & POLLIN);) {
    const ssize_t count = ::read(reader.get(), bytes, sizeof bytes);
    if (count <= 0) break;
    all.append(bytes, static_cast<std::size_t>(count));
  }
  return all;
}

const std::string kLine = std::string(99, 'x') + '\n';

// How many lines it takes before one is lost.
int fill(LogOutput& output) {
  int taken = 0;
  while (taken < 1'000'000 && output.write(kLine)) ++taken;
  return taken;
}

void expect_whole_lines(const std::string& text) {
  ASSERT_EQ(text.size() % kLine.size(), 0u);
  for (std::size_t at = 0; at < text.size(); at += kLine.size())
    ASSERT_EQ(text.compare(at, kLine.size(), kLine), 0) << "at " << at;
}

// stderr is another descriptor, for as long as it lives.
class StderrIs {
 public:
  explicit StderrIs(const UniqueFd& fd) : before_(::dup(STDERR_FILENO)) {
    ::dup2(fd.get(), STDERR_FILENO);
  }
  ~StderrIs() { ::dup2(before_.get(), STDERR_FILENO); }

 private:
  UniqueFd before_;
};

TEST(LogOutputTest, APipeThatNobodyReadsTakesWholeLinesUntilItIsFullAndNeverBlocks) {
  const Ends pipe = make_pipe();
  LogOutput output(pipe.writer.get());
  const int taken = fill(output);
  EXPECT_GT(taken, 0);
  for (int at = 0; at < 1000; ++at) EXPECT_FALSE(output.write(kLine));
  const std::string text = read_what_is_there(pipe.reader);
  EXPECT_EQ(text.size(), static_cast<std::size_t>(taken) * kLine.size());
  expect_whole_lines(text);
  EXPECT_TRUE(output.write(kLine)) << "there is room again";
}

TEST(LogOutputTest, ThePipeStaysAsBlockingAsItsOtherOwnersExpect) {
  const Ends pipe = make_pipe();
  LogOutput output(pipe.writer.get());
  fill(output);
  EXPECT_EQ(::fcntl(pipe.writer.get(), F_GETFL) & O_NONBLOCK, 0);
}

TEST(LogOutputTest, APipeWithoutAReaderIsALineLostAndNoSignal) {
  Ends pipe = make_pipe();
  pipe.reader.reset();
  const auto before = ::signal(SIGPIPE, SIG_DFL);  // which would end us
  LogOutput output(pipe.writer.get());
  EXPECT_FALSE(output.write(kLine));
  ::signal(SIGPIPE, before);
}

TEST(LogOutputTest, AFullDiskIsALineLost) {
  const UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  EXPECT_FALSE(LogOutput(full.get()).write(kLine));
}

TEST(LogOutputTest, ADescriptorThatIsClosedIsALineLost) {
  EXPECT_FALSE(LogOutput(-1).write(kLine));
}

TEST(LogOutputTest, ASocketThatNobodyReadsNeverBlocks) {
  int both[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both), 0);
  const Ends pair{UniqueFd(both[0]), UniqueFd(both[1])};
  LogOutput output(pair.writer.get());
  fill(output);
  expect_whole_lines(read_what_is_there(pair.reader));
  EXPECT_TRUE(output.write(kLine));
}

TEST(LogOutputTest, ATerminalThatIsStoppedNeverBlocks) {
  int master = -1;
  int slave = -1;
  ASSERT_EQ(::openpty(&master, &slave, nullptr, nullptr, nullptr), 0);
  const Ends terminal{UniqueFd(master), UniqueFd(slave)};
  LogOutput output(slave);
  EXPECT_TRUE(output.write("before\n"));
  ASSERT_EQ(::tcflow(slave, TCOOFF), 0);
  EXPECT_FALSE(output.write("stopped\n"));
  ASSERT_EQ(::tcflow(slave, TCOON), 0);
  EXPECT_TRUE(output.write("after\n"));
  EXPECT_EQ(read_what_is_there(terminal.reader), "before\r\nafter\r\n");
}

TEST(LogOutputTest, ARegularFileKeepsThePlaceThatItsOwnersShare) {
  char name[] = "/tmp/eddy-log-XXXXXX";
  const UniqueFd file(::mkostemp(name, O_CLOEXEC));
  ::unlink(name);
  LogOutput output(file.get());
  EXPECT_TRUE(output.write("one\n"));
  ASSERT_EQ(::write(file.get(), "two\n", 4), 4);
  EXPECT_TRUE(output.write("three\n"));
  char bytes[64];
  const ssize_t count = ::pread(file.get(), bytes, sizeof bytes, 0);
  EXPECT_EQ(std::string(bytes, static_cast<std::size_t>(count)), "one\ntwo\nthree\n");
}

TEST(LogOutputTest, AVeryLongLineThatLosesItsEndIsEndedBeforeTheNext) {
  const Ends pipe = make_pipe();
  LogOutput output(pipe.writer.get());
  EXPECT_FALSE(output.write(std::string(50'000, 'l') + '\n'));
  const std::string torn = read_what_is_there(pipe.reader);
  EXPECT_EQ(torn, std::string(torn.size(), 'l'));
  EXPECT_TRUE(output.write("next\n"));
  EXPECT_TRUE(output.write("and next\n"));
  EXPECT_EQ(read_what_is_there(pipe.reader), "... cut\nnext\nand next\n");
}

TEST(LogOutputTest, WithoutADescriptorToSpareItIsAskedForRoomFirst) {
  const Ends pipe = make_pipe();
  LogOutput output(pipe.writer.get());
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  const rlimit none{1, before.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &none);
  const int taken = fill(output);
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_GT(taken, 0);
  expect_whole_lines(read_what_is_there(pipe.reader));
}

TEST(LogStderr, HowManyLinesWereLostIsToldOnceThereIsRoomAgain) {
  const Ends pipe = make_pipe();
  std::string taken;
  std::string after;
  {
    const StderrIs ours(pipe.writer);
    for (int at = 0; at < 1000; ++at) log::always("line");
    taken = read_what_is_there(pipe.reader);
    log::always("first");
    log::always("second");
    after = read_what_is_there(pipe.reader);
  }
  const auto lines = [](const std::string& text) {
    return std::count(text.begin(), text.end(), '\n');
  };
  const std::string told = " warning " + std::to_string(1000 - lines(taken)) + " log lines lost\n";
  EXPECT_GT(lines(taken), 10);
  EXPECT_EQ(lines(after), 3);
  EXPECT_NE(after.find(told), std::string::npos) << after;
  EXPECT_LT(after.find(told), after.find(" error first\n"));
}

TEST(LogStderr, WhatTheParentLostIsNotToldByItsChildToo) {
  const Ends pipe = make_pipe();
  const StderrIs ours(pipe.writer);
  for (int at = 0; at < 1000; ++at) log::always("line");
  read_what_is_there(pipe.reader);
  const pid_t child = ::fork();
  if (child == 0) {
    log::always("child");
    ::_exit(0);
  }
  ::waitpid(child, nullptr, 0);
  const std::string told = read_what_is_there(pipe.reader);
  EXPECT_NE(told.find(" error child\n"), std::string::npos);
  EXPECT_EQ(told.find("lost"), std::string::npos) << told;
  log::always("parent");
  EXPECT_NE(read_what_is_there(pipe.reader).find(" log lines lost\n"), std::string::npos);
}

}  // namespace
}  // namespace eddy
