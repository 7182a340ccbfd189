// that_is_all_client: what it says and prints, and its exit code.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "../support/demo_server.h"

namespace eddy {
namespace {

using Words = DemoProcess::Words;

struct Outcome {
  int code;
  std::string out;
  std::string err;
};

Outcome run(Words arguments) {
  DemoProcess program(DemoProcess::path_of("that_is_all_client"), std::move(arguments));
  const int code = program.wait();
  return {code, program.out().wait_to_end(), program.err().wait_to_end()};
}

bool is_one_line(const std::string& text) {
  return text.starts_with("that_is_all_client: ") && text.find('\n') == text.size() - 1;
}

TEST(ThatIsAllClient, SaysItsArgumentsAndPrintsEachAnswerOnALine) {
  DemoServer server("that_is_all_server");
  const Outcome outcome = run({"--port", std::to_string(server.port()), "one ", "two\nlines"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out, "one that is all!\ntwo\nlinesthat is all!\n");
  EXPECT_EQ(outcome.err, "");
  EXPECT_TRUE(server.err().wait_for("no more messages"));
}

TEST(ThatIsAllClient, SaysWhatTheArticleSaysWhenNothingElseIsWanted) {
  DemoServer server("that_is_all_server", {"--address", "localhost"});
  const Outcome outcome = run({"--address", "localhost", "--port", std::to_string(server.port())});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "hi dude! that is all!\nwhats up! that is all!\n");
}

TEST(ThatIsAllClient, SpeaksOverAUnixSocket) {
  const std::string path = "@eddy-that-is-all-client-" + std::to_string(::getpid());
  DemoServer server("that_is_all_server", {"--unix", path});
  const Outcome outcome = run({"--unix", path, "one "});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "one that is all!\n");
}

TEST(ThatIsAllClient, FlagsMayStandBehindMessagesAndMessagesBeginWithADashBehindTwo) {
  DemoServer server("that_is_all_server");
  const std::string port = std::to_string(server.port());
  const Outcome outcome = run({"[a,b] ", "--port", port, "[c,d]", "--", "-x", "--help", "--"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out,
            "[a,b] that is all!\n[c,d]that is all!\n-xthat is all!\n--helpthat is all!\n"
            "--that is all!\n");
  EXPECT_NE(run({"hi", "--help"}).out.find("--unix PATH"), std::string::npos);
  EXPECT_NE(run({"hi", "-x"}).err.find("unknown flag -x"), std::string::npos);
}

TEST(ThatIsAllClient, SaysInOneLineThatItsOutputIsFull) {
  DemoServer server("that_is_all_server");
  const UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  DemoProcess program(DemoProcess::path_of("that_is_all_client"),
                      {"--port", std::to_string(server.port())}, {.out = full.get()});
  EXPECT_EQ(program.wait(), 1);
  EXPECT_EQ(program.err().wait_to_end(),
            "that_is_all_client: standard output: No space left on device\n");
}

TEST(ThatIsAllClient, RefusesWhatCannotBeSaidInOneLine) {
  const Words wrong[] = {
      {""},          {" \n"},         {"so that is all! folks"}, {"fine", ""},
      {"--bogus"},   {"--port", "0"}, {"--port", "x"},           {"--address", ""},
      {"--unix", ""}};
  for (const Words& arguments : wrong) {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, 2) << testing::PrintToString(arguments);
    EXPECT_EQ(outcome.out, "");
    EXPECT_TRUE(is_one_line(outcome.err)) << outcome.err;
  }
}

TEST(ThatIsAllClient, SaysInOneLineThatNobodyListens) {
  const std::uint16_t port = [] { return DemoServer("that_is_all_server").port(); }();
  const Outcome outcome = run({"--port", std::to_string(port)});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_TRUE(is_one_line(outcome.err)) << outcome.err;
  EXPECT_NE(outcome.err.find("refused"), std::string::npos) << outcome.err;
}

TEST(ThatIsAllClient, SaysInOneLineThatTheServerLeftEarly) {
  DemoServer server("that_is_all_server", {"--max-message", "20"});
  const Outcome outcome =
      run({"--port", std::to_string(server.port()), "short ", "longer than twenty "});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_EQ(outcome.out, "short that is all!\n");
  EXPECT_TRUE(is_one_line(outcome.err)) << outcome.err;
}

TEST(ThatIsAllClient, HelpAndVersionAnswerOnStandardOutput) {
  for (const char* flag : {"--help", "--version"}) {
    const Outcome outcome = run({flag});
    EXPECT_EQ(outcome.code, 0);
    EXPECT_NE(outcome.out, "");
    EXPECT_EQ(outcome.err, "");
  }
}

}  // namespace
}  // namespace eddy
