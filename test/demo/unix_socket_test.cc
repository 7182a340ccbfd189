// --unix: a server demo on a Unix socket.

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

#include "../support/demo_server.h"
#include "../support/temporary_folder.h"

namespace eddy {
namespace {

mode_t mode_of(const std::string& path) {
  struct stat file {};
  return ::lstat(path.c_str(), &file) == 0 ? file.st_mode : 0;
}

std::string error_of(const DemoProcess::Words& flags) {
  DemoProcess program(DemoProcess::path_of("telnet_rpc"), flags);
  EXPECT_EQ(program.wait(), 1);
  EXPECT_EQ(program.out().wait_to_end(), "");
  return program.err().wait_to_end();
}

TEST(UnixSocketFlag, ServesThereAndSaysSo) {
  const TemporaryFolder folder;
  const std::string path = folder.file("rpc.sock");
  DemoServer server("telnet_rpc", {"--unix", path});
  EXPECT_EQ(server.out().text(), "listening on unix:" + path + "\n");
  EXPECT_EQ(Client(0, {.unix_path = path}).ask("math.add 1 2"), "[1] ok 3");
}

TEST(UnixSocketFlag, AnAbstractNameNeedsNoFile) {
  const std::string name = "@eddy-test-" + std::to_string(::getpid());
  const DemoServer server("telnet_rpc", {"--unix", name});
  EXPECT_EQ(Client(0, {.unix_path = name}).ask("math.add 1 2"), "[1] ok 3");
}

TEST(UnixSocketFlag, LogsTellClientsWithoutANameApart) {
  const std::string name = "@eddy-test-names-" + std::to_string(::getpid());
  DemoServer server("telnet_rpc", {"--unix", name});
  for (const char* client : {"unix:#1\n", "unix:#2\n"}) {
    Client leaves(0, {.unix_path = name});
    leaves.send("unfinished");
    leaves.half_close();
    EXPECT_TRUE(server.err().wait_for(std::string("dropped an unfinished call of ") + client));
  }
}

TEST(UnixSocketFlag, TheModeSaysWhoMayConnect) {
  const TemporaryFolder folder;
  const std::string path = folder.file("rpc.sock");
  {
    const DemoServer standard("telnet_rpc", {"--unix", path});
    EXPECT_EQ(mode_of(path), S_IFSOCK | 0600U);
  }
  const DemoServer open("telnet_rpc", {"--unix", path, "--unix-mode", "0666"});
  EXPECT_EQ(mode_of(path), S_IFSOCK | 0666U);
}

TEST(UnixSocketFlag, TheFileIsRemovedAtTheEnd) {
  const TemporaryFolder folder;
  const std::string path = folder.file("rpc.sock");
  DemoServer server("telnet_rpc", {"--unix", path});
  server.kill(SIGTERM);
  EXPECT_EQ(server.wait(), 0);
  EXPECT_EQ(mode_of(path), 0U);
}

TEST(UnixSocketFlag, AFileThatIsNoMoreOursStays) {
  const TemporaryFolder folder;
  const std::string path = folder.file("rpc.sock");
  DemoServer server("telnet_rpc", {"--unix", path});
  std::filesystem::remove(path);
  std::ofstream(path) << "somebody else's";
  server.kill(SIGTERM);
  EXPECT_EQ(server.wait(), 0);
  EXPECT_EQ(mode_of(path) & S_IFMT, static_cast<mode_t>(S_IFREG));
}

TEST(UnixSocketFlag, AStaleSocketIsReplacedAndALiveOneRefused) {
  const TemporaryFolder folder;
  const std::string path = folder.file("rpc.sock");
  DemoServer("telnet_rpc", {"--unix", path}).kill(SIGKILL);
  EXPECT_EQ(mode_of(path) & S_IFMT, static_cast<mode_t>(S_IFSOCK));
  const DemoServer server("telnet_rpc", {"--unix", path});
  EXPECT_EQ(error_of({"--unix", path}),
            "telnet_rpc: listen on unix:" + path + ": Address already in use\n");
  EXPECT_EQ(Client(0, {.unix_path = path}).ask("math.add 1 2"), "[1] ok 3");
}

TEST(UnixSocketFlag, AnyOtherFileIsLeftAlone) {
  const TemporaryFolder folder;
  const std::string path = folder.file("precious");
  std::ofstream(path) << "data";
  EXPECT_NE(error_of({"--unix", path}).find(path), std::string::npos);
  EXPECT_EQ(mode_of(path) & S_IFMT, static_cast<mode_t>(S_IFREG));
}

TEST(UnixSocketFlag, AnImpossibleOneIsAUsageError) {
  const DemoProcess::Words wrong[] = {{"--unix", ""},
                                      {"--unix", std::string(108, 'x')},
                                      {"--unix", "x", "--port", "1"},
                                      {"--unix", "x", "--address", "::1"},
                                      {"--unix-mode", "0600"},
                                      {"--unix", "x", "--unix-mode", "1777"},
                                      {"--unix", "x", "--unix-mode", "rw"}};
  for (const auto& flags : wrong) {
    DemoProcess program(DemoProcess::path_of("telnet_rpc"), flags);
    EXPECT_EQ(program.wait(), 2) << testing::PrintToString(flags);
    EXPECT_NE(program.err().wait_to_end().find("--unix"), std::string::npos);
  }
}

}  // namespace
}  // namespace eddy
