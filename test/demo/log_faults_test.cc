// A server's stderr may be a pipe that nobody reads, or whose reader is gone. Clients do not
// notice.

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "telnet_rpc_server.h"

namespace eddy {
namespace {

struct StderrPipe {
  StderrPipe() {
    int both[2];
    if (::pipe2(both, O_CLOEXEC) < 0) ::abort();
    reader = UniqueFd(both[0]);
    writer = UniqueFd(both[1]);
  }
  void fill() const {
    ::fcntl(writer.get(), F_SETFL, O_NONBLOCK);
    while (::write(writer.get(), "x", 1) == 1) continue;
    ::fcntl(writer.get(), F_SETFL, 0);
  }
  void drain() const {
    ::fcntl(reader.get(), F_SETFL, O_NONBLOCK);
    for (char bytes[4096]; ::read(reader.get(), bytes, sizeof bytes) > 0;) continue;
    ::fcntl(reader.get(), F_SETFL, 0);
  }
  // Everything up to `part`, or all there is when the program has ended.
  std::string read_until(const std::string& part) const {
    std::string text;
    char bytes[4096];
    while (text.find(part) == std::string::npos) {
      const ssize_t count = ::read(reader.get(), bytes, sizeof bytes);
      if (count <= 0) break;
      text.append(bytes, static_cast<std::size_t>(count));
    }
    return text;
  }

  UniqueFd reader;
  UniqueFd writer;
};

void send_bad_requests(const TelnetRpcServer& server, int count) {
  for (int at = 0; at < count; ++at)
    ASSERT_EQ(Client(server.port()).ask(std::string(21, 'x')), "error line too long");
}

TEST(LogFaults, AStderrThatNobodyReadsStopsNobodyAndTheLostLinesAreCounted) {
  StderrPipe pipe;
  pipe.fill();
  TelnetRpcServer server({"--max-line", "20"}, {.err = pipe.writer.get()});
  send_bad_requests(server, 2000);
  server.kill(SIGUSR1);
  EXPECT_TRUE(server.is_healthy());
  pipe.writer.reset();
  pipe.drain();
  server.kill(SIGUSR1);
  EXPECT_NE(pipe.read_until(" log lines lost\n").find(" warning "), std::string::npos);
}

TEST(LogFaults, AStderrWhoseReaderIsGoneStopsNobody) {
  StderrPipe pipe;
  TelnetRpcServer server({"--max-line", "20"}, {.err = pipe.writer.get()});
  pipe.reader.reset();
  send_bad_requests(server, 100);
  EXPECT_TRUE(server.is_healthy());
}

TEST(LogFaults, AFullDiskStopsNobody) {
  const UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  TelnetRpcServer server({"--max-line", "20"}, {.err = full.get()});
  send_bad_requests(server, 100);
  EXPECT_TRUE(server.is_healthy());
}

}  // namespace
}  // namespace eddy
