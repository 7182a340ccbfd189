// The program around the server: its command line, readiness, logs and signals.

#include <signal.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "telnet_rpc_server.h"

namespace eddy {
namespace {

using Words = DemoProcess::Words;

struct Outcome {
  int code;
  std::string out;
  std::string err;
};

Outcome run(const Words& arguments) {
  DemoProcess program(DemoProcess::path_of("telnet_rpc"), arguments);
  const int code = program.wait();
  return {code, program.out().wait_to_end(), program.err().wait_to_end()};
}

std::ptrdiff_t lines(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

TEST(TelnetRpcProgram, SaysWhereItListensAndNothingElse) {
  TelnetRpcServer server;
  const std::string port = std::to_string(server.port());
  EXPECT_EQ(Client(server.port()).ask("math.add 1 2"), "[1] ok 3");
  server.kill(SIGTERM);
  EXPECT_EQ(server.wait(), 0);
  EXPECT_EQ(server.out().wait_to_end(), "listening on 127.0.0.1:" + port + "\n");
}

TEST(TelnetRpcProgram, ListensOnVersionSix) {
  TelnetRpcServer server({"--address", "::1"});
  EXPECT_EQ(server.out().text(), "listening on [::1]:" + std::to_string(server.port()) + "\n");
  Client client(server.port(), {.address = "::1"});
  EXPECT_EQ(client.ask("math.add 1 2"), "[1] ok 3");
}

TEST(TelnetRpcProgram, ListensOnEveryAddressOfAName) {
  TelnetRpcServer server({"--address", "localhost"});
  EXPECT_NE(server.out().text().find("listening on 127.0.0.1:"), std::string::npos);
  EXPECT_TRUE(server.is_healthy());
}

TEST(TelnetRpcProgram, RefusesAnImpossibleCommandLineInOneLine) {
  const Words wrong[] = {{"--bogus"},
                         {"surplus"},
                         {"--", "surplus"},
                         {"-x"},
                         {"--port"},
                         {"--port", "70000"},
                         {"--port", "-1"},
                         {"--port", "abc"},
                         {"--port", "1.5"},
                         {"--port", "0x1F"},
                         {"--port", ""},
                         {"--port", "+1"},
                         {"--port", "1", "--port", "2"},
                         {"--address", ""},
                         {"--max-line", "0"},
                         {"--max-line", "-1"},
                         {"--max-line", "1e3"},
                         {"--max-line", "18446744073709551616"},
                         {"--max-in-flight", "0"},
                         {"--max-write-buffer", "0"},
                         {"--max-connections", "-1"},
                         {"--drain-timeout", "1e3"},
                         {"--drain-timeout", "-1"},
                         {"--drain-timeout", "nan"},
                         {"--drain-timeout", "inf"},
                         {"--drain-timeout", "+1"},
                         {"--drain-timeout", ""},
                         {"--idle-timeout", "0x1"},
                         {"--idle-timeout", "1s"},
                         {"--log-level", "loud"},
                         {"--log-level", "2"}};
  for (const Words& arguments : wrong) {
    const Outcome outcome = run(arguments);
    const std::string what = testing::PrintToString(arguments) + outcome.err;
    EXPECT_EQ(outcome.code, 2) << what;
    EXPECT_EQ(outcome.out, "") << what;
    EXPECT_EQ(lines(outcome.err), 1) << what;
    EXPECT_TRUE(outcome.err.starts_with("telnet_rpc: ")) << what;
  }
}

TEST(TelnetRpcProgram, SaysWhichFlagIsWrongAndWhy) {
  EXPECT_EQ(run({"--port", "70000"}).err,
            "telnet_rpc: --port: '70000' is not a number from 0 to 65535\n");
  EXPECT_EQ(run({"--max-line", "0"}).err,
            "telnet_rpc: --max-line: '0' is not a number from 1 up\n");
  EXPECT_EQ(run({"--idle-timeout", "soon"}).err,
            "telnet_rpc: --idle-timeout: 'soon' is not a number of seconds\n");
  EXPECT_NE(run({"--log-level", "loud"}).err.find("'loud' is none of trace, debug, info"),
            std::string::npos);
}

TEST(TelnetRpcProgram, ANumberMayBeginWithZeros) {
  TelnetRpcServer server({"--max-line", "0020"});
  EXPECT_EQ(Client(server.port()).ask("math.add 1000 10000"), "[1] ok 11000");  // 19 bytes
}

TEST(TelnetRpcProgram, HelpAndVersionAnswerOnStandardOutput) {
  const Outcome help = run({"--help"});
  EXPECT_EQ(help.code, 0);
  EXPECT_EQ(help.err, "");
  for (const char* flag :
       {"--address", "--port", "--log-level", "--drain-timeout", "--max-line", "--max-in-flight",
        "--max-write-buffer", "--idle-timeout", "--max-connections", "--help", "--version"})
    EXPECT_NE(help.out.find(flag), std::string::npos) << flag;
  const Outcome version = run({"--version"});
  EXPECT_EQ(version.code, 0);
  EXPECT_EQ(lines(version.out), 1);
  EXPECT_EQ(version.err, "");
}

TEST(TelnetRpcProgram, SaysInOneLineWhyItCannotListen) {
  TelnetRpcServer first;
  const std::string port = std::to_string(first.port());
  const Words wrong[] = {{"--port", port},
                         {"--port", "0", "--address", "no-such-name.invalid"},
                         {"--port", "0", "--address", "192.0.2.1"}};
  for (const Words& arguments : wrong) {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, 1) << outcome.err;
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(lines(outcome.err), 1) << outcome.err;
    EXPECT_NE(outcome.err.find(arguments.back()), std::string::npos) << outcome.err;
  }
  EXPECT_TRUE(first.is_healthy());
}

TEST(TelnetRpcProgram, SaysInOneLineThatDescriptorsAreTooFew) {
  if (sanitized()) return SUCCEED() << "a sanitizer needs descriptors of its own";
  DemoProcess program(DemoProcess::path_of("telnet_rpc"), {"--port", "0"},
                      {.limits = {{RLIMIT_NOFILE, 4}}});
  EXPECT_EQ(program.wait(), 1);
  EXPECT_EQ(lines(program.err().wait_to_end()), 1) << program.err().text();
}

TEST(TelnetRpcProgram, LogsAsMuchAsItIsAsked) {
  for (const auto& [level, speaks] : {std::pair("info", true), std::pair("warn", false),
                                      std::pair("off", false), std::pair("trace", true)}) {
    TelnetRpcServer server({"--log-level", level});
    server.kill(SIGTERM);
    EXPECT_EQ(server.wait(), 0);
    EXPECT_EQ(!server.err().wait_to_end().empty(), speaks) << level << server.err().text();
  }
}

TEST(TelnetRpcProgram, DumpsPendingWorkWhateverTheLogLevel) {
  TelnetRpcServer server({"--log-level", "off"});
  Client client(server.port());
  client.send("time.sleep 3600\nmath.add 1 2\n");
  client.read_line();
  server.kill(SIGUSR1);
  EXPECT_TRUE(server.err().wait_for("rpc_handlers.cc"));
  EXPECT_NE(server.err().text().find("since"), std::string::npos);
  EXPECT_TRUE(server.is_healthy());
}

TEST(TelnetRpcProgram, TheDumpDoesNotGrowWithTheClients) {
  TelnetRpcServer server({"--log-level", "off"});
  std::vector<std::unique_ptr<Client>> clients;
  for (int at = 0; at < 800; ++at) {
    clients.push_back(std::make_unique<Client>(server.port()));
    EXPECT_EQ(clients.back()->ask("math.add 1 2"), "[1] ok 3");
  }
  server.kill(SIGUSR1);
  ASSERT_TRUE(server.err().wait_for(" s\n"));
  EXPECT_EQ(clients.front()->ask("math.add 2 2"), "[2] ok 4");
  const std::string dump = server.err().text();
  EXPECT_NE(dump.find("pending work:\n800 x coroutine of "), dump.npos) << dump;
  EXPECT_LT(dump.size(), 4096U);
  EXPECT_EQ(dump.find("\n\n"), dump.npos) << dump;
}

TEST(TelnetRpcProgram, TenThousandDumpsBlockNothing) {
  TelnetRpcServer server;
  for (int i = 0; i < 10'000; ++i) server.kill(SIGUSR1);
  EXPECT_TRUE(server.is_healthy());
  EXPECT_TRUE(server.err().wait_for("pending work:"));
  Client waiting(server.port());
  waiting.send("time.sleep 3600\nmath.add 1 2\n");
  waiting.read_line();
  server.kill(SIGUSR1);
  EXPECT_TRUE(server.err().wait_for("rpc_handlers.cc"));  // none is lost after the last one
}

TEST(TelnetRpcProgram, StoppingAndContinuingDisturbsNobody) {
  TelnetRpcServer server;
  Client client(server.port());
  for (int i = 0; i < 300; ++i) {
    client.send("math.add 1 2\n");
    server.kill(i % 2 == 0 ? SIGSTOP : SIGWINCH);
    server.kill(SIGCONT);
    EXPECT_EQ(client.read_line(), "[" + std::to_string(i + 1) + "] ok 3");
  }
}

TEST(TelnetRpcProgram, LivesWithoutStandardStreams) {
  const std::uint16_t port = [] { return TelnetRpcServer().port(); }();  // free a moment ago
  DemoProcess program(DemoProcess::path_of("telnet_rpc"), {"--port", std::to_string(port)},
                      {.close_standard_streams = true});
  const auto connects = [&] {
    try {
      Client probe(port);
      return true;
    } catch (const std::system_error&) {
      return false;
    }
  };
  ASSERT_TRUE(eventually(connects));
  Client client(port);
  client.send("math\nunfinished");
  program.kill(SIGUSR1);  // all this is logged, to nobody
  client.half_close();
  EXPECT_EQ(client.read_to_end(), "");
  EXPECT_EQ(Client(port).ask("math.add 1 2"), "[1] ok 3");
}

}  // namespace
}  // namespace eddy
