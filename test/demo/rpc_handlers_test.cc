#include "../../demo/support/rpc_handlers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include <eddy/loop/io_loop.h>
#include <eddy/loop/platform.h>
#include <eddy/loop/run_sync.h>
#include <eddy/proto/rpc_message.h>

#include "../support/fake_clock.h"

namespace demo {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;

class RecordingCall final : public eddy::RpcCall {
 public:
  explicit RecordingCall(eddy::IOLoop& loop) : loop_(loop), began_(loop.time()) {}

  std::uint64_t number() const override { return 1; }
  const std::string& peer() const override { return peer_; }
  eddy::Future<> row(std::string text) override {
    rows.push_back(std::move(text));
    times.push_back(loop_.time() - began_);
    return {};
  }

  std::vector<std::string> rows;
  std::vector<eddy::Duration> times;  // of the rows, since the call began

 private:
  eddy::IOLoop& loop_;
  const eddy::TimePoint began_;
  const std::string peer_ = "unix:#1";
};

class RpcHandlersTest : public testing::Test {
 protected:
  RpcHandlersTest() {
    declare_rpc_handlers(registry_, [this] { return statistics_; });
  }

  eddy::Future<std::string> start(eddy::RpcCall& call, const std::string& line) {
    const eddy::RpcWords words = eddy::split_words(line);
    const std::size_t dot = words.words.front().find('.');
    const eddy::RpcHandler* handler = registry_.find(words.words.front().substr(0, dot));
    const eddy::RpcMethod* method = handler->find(words.words.front().substr(dot + 1));
    return method->call(call, std::span(words.words).subspan(1));
  }
  std::string ask(const std::string& line) {
    RecordingCall call(loop_);
    try {
      return loop_.run_sync([&] { return start(call, line); });
    } catch (const eddy::RpcError& error) {
      return std::string("error ") + error.what();
    }
  }

  eddy::FakeClock clock_;
  eddy::ScopedPlatform installed_{clock_};
  eddy::IOLoop loop_;
  eddy::RpcRegistry registry_;
  RpcStatistics statistics_;
};

TEST_F(RpcHandlersTest, HelpListsThemAll) {
  EXPECT_EQ(registry_.help(),
            "echo.say TEXT…\necho.upper TEXT…\n"
            "math.add A B…\nmath.mul A B…\nmath.div A B\nmath.fib N\n"
            "time.now\ntime.sleep SECONDS\ntime.count N SECONDS\n"
            "sys.stats\nsys.tasks\n");
}

TEST_F(RpcHandlersTest, EchoSaysTheTextWithSingleSpaces) {
  EXPECT_EQ(ask("echo.say hello   my\tworld"), "hello my world");
  EXPECT_EQ(ask(R"(echo.say "two  spaces" 'x')"), "two  spaces 'x'");
  EXPECT_EQ(ask("echo.say"), "error too few arguments; usage: echo.say TEXT…");
}

TEST_F(RpcHandlersTest, EchoRaisesTheLettersOfAsciiAndBreaksNoOther) {
  EXPECT_EQ(ask("echo.upper az AZ [`{ 09"), "AZ AZ [`{ 09");
  EXPECT_EQ(ask("echo.upper größe 雪 \xff"), "GRößE 雪 \xff");
}

TEST_F(RpcHandlersTest, MathAddsTwoOrMore) {
  EXPECT_EQ(ask("math.add 1 2"), "3");
  EXPECT_EQ(ask("math.add 1 -2 3 -4"), "-2");
  EXPECT_EQ(ask("math.add 9223372036854775806 1"), "9223372036854775807");
  EXPECT_EQ(ask("math.add 1"), "error too few arguments; usage: math.add A B…");
  EXPECT_EQ(ask("math.add 1 x"), "error 'x' is not an integer; usage: math.add A B…");
}

TEST_F(RpcHandlersTest, MathMultipliesTwoOrMore) {
  EXPECT_EQ(ask("math.mul 6 7"), "42");
  EXPECT_EQ(ask("math.mul 2 -3 4"), "-24");
  EXPECT_EQ(ask("math.mul -4611686018427387904 2"), "-9223372036854775808");
}

TEST_F(RpcHandlersTest, MathDividesTowardZero) {
  EXPECT_EQ(ask("math.div 7 2"), "3");
  EXPECT_EQ(ask("math.div -7 2"), "-3");
  EXPECT_EQ(ask("math.div 7 -2"), "-3");
  EXPECT_EQ(ask("math.div 1 0"), "error division by zero");
  EXPECT_EQ(ask("math.div 0 0"), "error division by zero");
  EXPECT_EQ(ask("math.div 1 2 3"), "error too many arguments; usage: math.div A B");
}

TEST_F(RpcHandlersTest, OverflowAtAnyStepIsAnError) {
  for (const std::string line :
       {"math.add 9223372036854775807 1 -1", "math.add -9223372036854775808 -1",
        "math.mul 9223372036854775807 2 0", "math.mul -9223372036854775808 -1",
        "math.div -9223372036854775808 -1"})
    EXPECT_EQ(ask(line), "error 64-bit overflow") << line;
  EXPECT_EQ(ask("math.add 9223372036854775808 0"),
            "error '9223372036854775808' does not fit in 64 bits; usage: math.add A B…");
}

TEST_F(RpcHandlersTest, MathKnowsFibonacciFrom0To90) {
  EXPECT_EQ(ask("math.fib 0"), "0");
  EXPECT_EQ(ask("math.fib 1"), "1");
  EXPECT_EQ(ask("math.fib 2"), "1");
  EXPECT_EQ(ask("math.fib 10"), "55");
  EXPECT_EQ(ask("math.fib 90"), "2880067194370816120");
  EXPECT_EQ(ask("math.fib 91"), "error '91' is not between 0 and 90; usage: math.fib N");
  EXPECT_EQ(ask("math.fib -1"), "error '-1' is not between 0 and 90; usage: math.fib N");
}

TEST_F(RpcHandlersTest, FibonacciGivesTheLoopItsTurnAsItWorks) {
  RecordingCall call(loop_);
  const eddy::Future<std::string> answer = start(call, "math.fib 90");
  int turns = 0;
  while (!answer.done() && turns < 1000) {
    loop_.turn();
    ++turns;
  }
  EXPECT_EQ(turns, 90);
}

TEST_F(RpcHandlersTest, TimeIsRfc3339InUtc) {
  const std::time_t before = std::time(nullptr);
  const std::string text = ask("time.now");
  EXPECT_THAT(text, MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"));
  std::tm utc{};
  ASSERT_NE(::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%SZ", &utc), nullptr);
  const std::time_t told = ::timegm(&utc);
  EXPECT_TRUE(before <= told && told <= std::time(nullptr)) << text;
}

TEST_F(RpcHandlersTest, SleepTakesAsLongAsItIsTold) {
  const eddy::TimePoint began = loop_.time();
  EXPECT_EQ(ask("time.sleep 1.50"), "slept 1.5");
  EXPECT_EQ(loop_.time() - began, 1500ms);
}

TEST_F(RpcHandlersTest, SleepTakesFrom0To3600Seconds) {
  EXPECT_EQ(ask("time.sleep 0"), "slept 0");
  EXPECT_EQ(ask("time.sleep 3600.0"), "slept 3600");
  EXPECT_EQ(ask("time.sleep 3600.1"),
            "error '3600.1' is not between 0 and 3600; usage: time.sleep SECONDS");
  for (const std::string word : {"-1", "1e3", "nan", "inf", "+1", "x"})
    EXPECT_EQ(ask("time.sleep " + word),
              "error '" + word + "' is not a number of seconds; usage: time.sleep SECONDS");
}

TEST_F(RpcHandlersTest, CountGivesTheFirstRowAtOnceThenOneEachSeconds) {
  RecordingCall call(loop_);
  EXPECT_EQ(loop_.run_sync([&] { return start(call, "time.count 3 0.5"); }), "");
  EXPECT_THAT(call.rows, ElementsAre("1", "2", "3"));
  EXPECT_THAT(call.times, ElementsAre(0ms, 500ms, 1000ms));
}

TEST_F(RpcHandlersTest, CountMayBeOfNothingOrWithoutAPause) {
  RecordingCall call(loop_);
  EXPECT_EQ(loop_.run_sync([&] { return start(call, "time.count 0 1"); }), "");
  EXPECT_TRUE(call.rows.empty());
  EXPECT_EQ(loop_.run_sync([&] { return start(call, "time.count 1000 0"); }), "");
  EXPECT_EQ(call.rows.size(), 1000u);
  EXPECT_EQ(call.times.back(), 0ms);
}

TEST_F(RpcHandlersTest, CountGoesUpToAMillion) {
  EXPECT_EQ(ask("time.count 1000001 0"),
            "error '1000001' is not between 0 and 1000000; usage: time.count N SECONDS");
  EXPECT_EQ(ask("time.count -1 0"),
            "error '-1' is not between 0 and 1000000; usage: time.count N SECONDS");
  EXPECT_EQ(ask("time.count 5"), "error too few arguments; usage: time.count N SECONDS");
}

TEST_F(RpcHandlersTest, ADroppedCountStopsWhereItWaits) {
  RecordingCall call(loop_);
  { const eddy::Future<std::string> answer = start(call, "time.count 5 1"); }
  EXPECT_THAT(call.rows, ElementsAre("1"));
  EXPECT_EQ(ask("time.sleep 10"), "slept 10");
  EXPECT_THAT(call.rows, ElementsAre("1"));
}

TEST_F(RpcHandlersTest, StatsAreRowsOfANameAndANumber) {
  statistics_ = {.connections = 3,
                 .calls_served = 42,
                 .in_flight = 1,
                 .uptime = 90'999ms,
                 .resident_bytes = 4096};
  EXPECT_EQ(ask("sys.stats"), "connections 3\ncalls_served 42\nin_flight 1\nuptime 90\nrss 4096\n");
  EXPECT_EQ(ask("sys.stats now"), "error too many arguments; usage: sys.stats");
}

TEST_F(RpcHandlersTest, TheResidentBytesAreThoseOfAProcess) {
  EXPECT_GT(resident_bytes(), 1u << 20);
  EXPECT_LT(resident_bytes(), std::uint64_t{1} << 44);
}

TEST_F(RpcHandlersTest, TasksShowWhatWaits) {
  EXPECT_EQ(ask("sys.tasks"), "");
  RecordingCall call(loop_);
  const eddy::Future<std::string> answer = start(call, "time.sleep 60");
  EXPECT_THAT(ask("sys.tasks"), HasSubstr("for sleep"));
}

}  // namespace
}  // namespace demo
