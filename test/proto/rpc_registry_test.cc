#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <eddy/loop/await.h>
#include <eddy/loop/coroutine.h>
#include <eddy/loop/io_loop.h>
#include <eddy/loop/run_sync.h>
#include <eddy/proto/rpc_message.h>
#include <eddy/proto/rpc_registry.h>

#include <eddy/loop/yield.h>

namespace eddy {
namespace {

using std::string_literals::operator""s;
using testing::ElementsAre;
using Words = std::vector<std::string>;
using Integers = std::vector<std::int64_t>;

// A call whose rows are taken one at a time, when `room` says so.
class FakeCall final : public RpcCall {
 public:
  std::uint64_t number() const override { return 7; }
  const std::string& peer() const override { return peer_; }
  Future<> row(std::string text) override {
    rows.push_back(std::move(text));
    room.emplace("room for a row");
    return room->future();
  }

  std::vector<std::string> rows;
  std::optional<Promise<>> room;

 private:
  const std::string peer_ = "127.0.0.1:40312";
};

class RpcRegistryTest : public testing::Test {
 protected:
  template <class F>
  void declare(std::initializer_list<std::string_view> parameters, F function) {
    handler_.method("it", parameters, std::move(function));
  }

  Future<std::string> call(const Words& words = {}) {
    return handler_.find("it")->call(call_, words);
  }

  std::string result_of(const Words& words = {}) {
    return loop_.run_sync([&] { return call(words); });
  }
  std::string error_of(const Words& words = {}) {
    try {
      return "no error, but: " + result_of(words);
    } catch (const RpcError& error) {
      return error.what();
    }
  }
  void turn() { loop_.turn(); }

  template <class F>
  std::string declaration_error(std::string_view name,
                                std::initializer_list<std::string_view> parameters, F function) {
    try {
      handler_.method(name, parameters, std::move(function));
      return "no error";
    } catch (const std::logic_error& error) {
      return error.what();
    }
  }

  IOLoop loop_;
  FakeCall call_;
  RpcRegistry registry_;
  RpcHandler& handler_ = registry_.handler("do");
};

std::int64_t sum(std::int64_t first, const Integers& more) {
  for (const std::int64_t number : more) first += number;
  return first;
}

// --- Results -------------------------------------------------------------------------------------

TEST_F(RpcRegistryTest, ThePlainFunctionIsAnsweredAtOnce) {
  declare({"A", "B…"}, sum);
  const Future<std::string> answer = call({"1", "2", "3"});
  ASSERT_TRUE(answer.done());
  EXPECT_EQ(answer.result(), "6");
}

TEST_F(RpcRegistryTest, ANumberABoolATextOrNothingIsTheText) {
  handler_.method("negative", {}, [] { return -9'223'372'036'854'775'807 - 1; })
      .method("unsigned", {}, [] { return std::uint64_t{18'446'744'073'709'551'615u}; })
      .method("double", {}, [] { return 0.1; })
      .method("bool", {}, [] { return true; })
      .method("literal", {}, [] { return "pong"; })
      .method("string", {}, [] { return "text"s; })
      .method("nothing", {}, [] {});
  std::vector<std::string> results;
  for (const char* name :
       {"negative", "unsigned", "double", "bool", "literal", "string", "nothing"})
    results.push_back(handler_.find(name)->call(call_, {}).result());
  EXPECT_THAT(results, ElementsAre("-9223372036854775808", "18446744073709551615", "0.1", "true",
                                   "pong", "text", ""));
}

TEST_F(RpcRegistryTest, AVectorIsRowsEvenWhenTheLastOneIsEmpty) {
  Words rows;
  declare({}, [&rows] { return rows; });
  rows = {"a", "b"};
  EXPECT_EQ(format_result(7, result_of()), "[7] | a\r\n[7] | b\r\n[7] ok\r\n");
  rows = {"a", "", ""};
  EXPECT_EQ(format_result(7, result_of()), "[7] | a\r\n[7] |\r\n[7] |\r\n[7] ok\r\n");
  rows = {"one"};
  EXPECT_EQ(format_result(7, result_of()), "[7] ok one\r\n");
  rows = {};
  EXPECT_EQ(format_result(7, result_of()), "[7] ok\r\n");
}

Future<std::int64_t> after_a_turn(std::int64_t number) {
  co_await moment;
  co_return number;
}

class Doubled : public Coroutine<std::int64_t> {
 public:
  explicit Doubled(std::int64_t number) : number_(number) {}

 private:
  void body() override;
  std::int64_t number_;
};

void Doubled::body() {
  CO_BEGIN;
  CO_AWAIT(moment);
  CO_RETURN(2 * number_);
  CO_END;
}

TEST_F(RpcRegistryTest, ACoroutineOfEitherKindIsAMethod) {
  handler_.method("later", {"N"}, after_a_turn);
  declare({"N"}, [](std::int64_t n) { return start_coroutine<Doubled>(n); });
  EXPECT_EQ(result_of({"21"}), "42");
  EXPECT_EQ(loop_.run_sync([&] { return handler_.find("later")->call(call_, Words{"5"}); }), "5");
}

TEST_F(RpcRegistryTest, AFutureOfAnyResultIsWaitedFor) {
  Promise<Words> rows;
  Promise<> nothing;
  Promise<std::string> text;
  handler_.method("rows", {}, [&] { return rows.future(); })
      .method("nothing", {}, [&] { return nothing.future(); })
      .method("text", {}, [&] { return text.future(); });
  const Future<std::string> answers[] = {handler_.find("rows")->call(call_, {}),
                                         handler_.find("nothing")->call(call_, {}),
                                         handler_.find("text")->call(call_, {})};
  for (const auto& answer : answers) EXPECT_FALSE(answer.done());
  rows.set_result(Words{"a", "b"});
  nothing.set_result();
  text.set_result("whole");
  EXPECT_EQ(answers[0].result(), "a\nb\n");
  EXPECT_EQ(answers[1].result(), "");
  EXPECT_EQ(answers[2].result(), "whole");
}

TEST_F(RpcRegistryTest, AFutureThatIsDoneAlreadyIsAnsweredAtOnce) {
  declare({}, [] { return make_ready_future(std::int64_t{5}); });
  handler_.method("nothing", {}, [] { return Future<>(); });
  const Future<std::string> number = call();
  const Future<std::string> nothing = handler_.find("nothing")->call(call_, {});
  ASSERT_TRUE(number.done() && nothing.done());
  EXPECT_EQ(number.result(), "5");
  EXPECT_EQ(nothing.result(), "");
}

TEST_F(RpcRegistryTest, AMethodThatKeepsItsResultCanGiveItAgain) {
  declare({}, [kept = make_ready_future(Words{"a", "b"})] { return Future<Words>(kept); });
  EXPECT_EQ(result_of(), "a\nb\n");
  EXPECT_EQ(result_of(), "a\nb\n");
}

struct Counter {
  Counter() = default;
  Counter(Counter&&) = default;  // and no copy
  int operator()() { return ++count; }
  int count = 0;
};

TEST_F(RpcRegistryTest, AMethodMayOwnWhatCannotBeCopiedAndChangeIt) {
  declare({}, Counter());
  EXPECT_EQ(result_of(), "1");
  EXPECT_EQ(result_of(), "2");
}

// --- Arguments -----------------------------------------------------------------------------------

TEST_F(RpcRegistryTest, AnIntegerIsStrictDecimalOf64Bits) {
  declare({"N"}, [](std::int64_t n) { return n; });
  EXPECT_EQ(result_of({"9223372036854775807"}), "9223372036854775807");
  EXPECT_EQ(result_of({"-9223372036854775808"}), "-9223372036854775808");
  EXPECT_EQ(result_of({"-0"}), "0");
  EXPECT_EQ(result_of({"007"}), "7");
  for (const std::string word :
       {"x", "", "-", "+1", "--1", " 1", "1 ", "1.0", "1e3", "0x10", "1_0"})
    EXPECT_EQ(error_of({word}), "'" + word + "' is not an integer; usage: do.it N");
  for (const std::string word : {"9223372036854775808", "-9223372036854775809"})
    EXPECT_EQ(error_of({word}), "'" + word + "' does not fit in 64 bits; usage: do.it N");
  EXPECT_EQ(error_of({"99999999999999999999x"}),
            "'99999999999999999999x' is not an integer; usage: do.it N");
}

TEST_F(RpcRegistryTest, ARangeHasBounds) {
  declare({"N"}, [](RpcRange<-5, 90> n) { return n + 0; });
  EXPECT_EQ(result_of({"-5"}), "-5");
  EXPECT_EQ(result_of({"90"}), "90");
  for (const std::string word : {"-6", "91"})
    EXPECT_EQ(error_of({word}), "'" + word + "' is not between -5 and 90; usage: do.it N");
  EXPECT_EQ(error_of({"x"}), "'x' is not an integer; usage: do.it N");
}

TEST_F(RpcRegistryTest, SecondsAreDecimalAndKeepTheirText) {
  declare({"S"}, [](const RpcSeconds<3600>& s) {
    return s.text + " " + std::to_string(s.duration.count());
  });
  EXPECT_EQ(result_of({"0"}), "0 0");
  EXPECT_EQ(result_of({"1.5"}), "1.5 1500000000");
  EXPECT_EQ(result_of({"1.50"}), "1.5 1500000000");
  EXPECT_EQ(result_of({"2.0"}), "2 2000000000");
  EXPECT_EQ(result_of({"10"}), "10 10000000000");
  EXPECT_EQ(result_of({"007.25"}), "7.25 7250000000");
  EXPECT_EQ(result_of({"000.0"}), "0 0");
  EXPECT_EQ(result_of({"3600.00"}), "3600 3600000000000");
  EXPECT_EQ(result_of({"0.0000000001"}), "0.0000000001 1") << "rounded up: never early";
  EXPECT_EQ(result_of({"0.999999999" + std::string(20, '9')}),
            "0.999999999" + std::string(20, '9') + " 1000000000");
}

TEST_F(RpcRegistryTest, SecondsHaveNoSignExponentOrNames) {
  declare({"S"}, [](const RpcSeconds<3600>& s) { return s.text; });
  for (const std::string word : {"", "x", ".", "1.", ".5", "-1", "+1", "1e3", "nan", "inf", "1.5s",
                                 "1,5", "1.2.3", " 1", "0x1"})
    EXPECT_EQ(error_of({word}), "'" + word + "' is not a number of seconds; usage: do.it S");
  for (const std::string word : {"3601", "3600.0000000001", "99999999999999999999"})
    EXPECT_EQ(error_of({word}), "'" + word + "' is not between 0 and 3600; usage: do.it S");
}

TEST_F(RpcRegistryTest, AWordIsTakenAsItIs) {
  declare({"A", "B"}, [](const std::string& a, std::string b) { return std::move(b) + "|" + a; });
  EXPECT_EQ(result_of({"two words", ""}), "|two words");
}

TEST_F(RpcRegistryTest, TextIsTheWordsThatAreLeftWithSingleSpaces) {
  declare({"N", "TEXT…"}, [](std::int64_t, const RpcText& text) { return text.value; });
  EXPECT_EQ(result_of({"1", "a", "b c", "", "d"}), "a b c  d");
  EXPECT_EQ(result_of({"1", ""}), "");
  EXPECT_EQ(error_of({"1"}), "too few arguments; usage: do.it N TEXT…");
}

TEST_F(RpcRegistryTest, AVectorIsOneOrMoreOfAnything) {
  handler_.method("words", {"W…"}, [](const Words& words) { return words.size(); });
  declare({"N…"}, [](const std::vector<RpcRange<0, 9>>& digits) {
    std::string text;
    for (const std::int64_t digit : digits) text += std::to_string(digit);
    return text;
  });
  EXPECT_EQ(result_of({"1", "2", "3"}), "123");
  EXPECT_EQ(error_of({"1", "10", "x"}), "'10' is not between 0 and 9; usage: do.it N…");
  EXPECT_EQ(error_of(), "too few arguments; usage: do.it N…");
  EXPECT_EQ(handler_.find("words")->call(call_, Words{"a", ""}).result(), "2");
}

TEST_F(RpcRegistryTest, TheFirstWrongArgumentIsTold) {
  bool called = false;
  declare({"A", "B…"}, [&](std::int64_t, const Integers&) { called = true; });
  EXPECT_EQ(error_of({"x", "y"}), "'x' is not an integer; usage: do.it A B…");
  EXPECT_EQ(error_of({"1", "2", "y", "z"}), "'y' is not an integer; usage: do.it A B…");
  EXPECT_FALSE(called);
}

TEST_F(RpcRegistryTest, AWrongNumberOfArgumentsIsAnErrorWithTheUsage) {
  declare({"A", "B"}, [](std::int64_t, std::int64_t) {});
  handler_.method("none", {}, [] {});
  EXPECT_EQ(error_of({"1"}), "too few arguments; usage: do.it A B");
  EXPECT_EQ(error_of({"1", "2", "3"}), "too many arguments; usage: do.it A B");
  EXPECT_THROW(handler_.find("none")->call(call_, Words{""}).result(), RpcError);
}

TEST_F(RpcRegistryTest, WhatThePeerSentIsCutAndEscapedInErrors) {
  declare({"N"}, [](std::int64_t) {});
  EXPECT_EQ(error_of({"\x1b[2J"}), R"('\x1b[2J' is not an integer; usage: do.it N)");
  EXPECT_EQ(error_of({std::string(65, 'x')}),
            "'" + printable_name(std::string(65, 'x')) + "' is not an integer; usage: do.it N");
  EXPECT_LT(error_of({std::string(10'000, '9')}).size(), 128u);
  EXPECT_LT(error_of({std::string(10'000, '\0')}).size(), 320u);
}

// --- Failures ------------------------------------------------------------------------------------

TEST_F(RpcRegistryTest, WhatAFunctionThrowsArrivesThroughTheFuture) {
  declare({}, []() -> std::string { throw std::runtime_error("no luck"); });
  const Future<std::string> answer = call();
  ASSERT_TRUE(answer.done());
  EXPECT_THROW(answer.result(), std::runtime_error);
}

TEST_F(RpcRegistryTest, WhatIsNoExceptionOfTheLibraryArrivesAsWell) {
  declare({}, [] { throw 42; });
  EXPECT_THROW(call().result(), int);
}

TEST_F(RpcRegistryTest, AFunctionThatThrowsInsteadOfGivingItsFutureIsNoDifferent) {
  declare({}, []() -> Future<std::int64_t> { throw RpcError("not today"); });
  EXPECT_EQ(error_of(), "not today");
}

TEST_F(RpcRegistryTest, AFailedFutureAndAFailingOneKeepTheirError) {
  declare({"LATER"}, [](std::string later) -> Future<std::int64_t> {
    if (later == "yes") co_await moment;
    throw RpcError("as asked");
  });
  EXPECT_EQ(error_of({"no"}), "as asked");
  EXPECT_EQ(error_of({"yes"}), "as asked");
}

TEST_F(RpcRegistryTest, APromiseThatNobodyKeptIsAnError) {
  std::optional<Promise<std::int64_t>> promise(std::in_place);
  declare({}, [&] { return promise->future(); });
  const Future<std::string> answer = call();
  promise.reset();
  EXPECT_THROW(answer.result(), BrokenPromiseError);
}

TEST_F(RpcRegistryTest, AnEmptyFutureIsTheMethodsMistake) {
  declare({}, [] { return Future<std::string>(); });
  handler_.method("number", {}, [] { return Future<std::int64_t>(); });
  EXPECT_THROW(call().result(), InvalidStateError);
  EXPECT_THROW(handler_.find("number")->call(call_, {}).result(), InvalidStateError);
}

// --- The running call ----------------------------------------------------------------------------

struct Running {  // counts the coroutines that hold one
  Running() { ++count; }
  ~Running() { --count; }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  static inline int count = 0;
};

Future<> count_rows(RpcCall& call, std::int64_t n) {
  const Running running;
  for (std::int64_t row = 1; row <= n; ++row) co_await call.row(std::to_string(row));
}

TEST_F(RpcRegistryTest, AMethodKnowsItsCall) {
  declare({}, [](RpcCall& call) { return std::to_string(call.number()) + " " + call.peer(); });
  EXPECT_EQ(result_of(), "7 127.0.0.1:40312");
}

TEST_F(RpcRegistryTest, RowsComeWhenThereIsRoomForThem) {
  declare({"N"}, count_rows);
  const Future<std::string> answer = call({"2"});
  EXPECT_THAT(call_.rows, ElementsAre("1"));
  turn();
  EXPECT_THAT(call_.rows, ElementsAre("1")) << "no room yet";
  call_.room->set_result();
  turn();
  EXPECT_THAT(call_.rows, ElementsAre("1", "2"));
  call_.room->set_result();
  turn();
  ASSERT_TRUE(answer.done());
  EXPECT_EQ(answer.result(), "");
}

TEST_F(RpcRegistryTest, ARowThatCannotBeWrittenEndsTheMethod) {
  declare({"N"}, count_rows);
  const Future<std::string> answer = call({"2"});
  call_.room->set_exception(std::runtime_error("closed"));
  turn();
  EXPECT_EQ(Running::count, 0);
  EXPECT_THROW(answer.result(), std::runtime_error);
}

TEST_F(RpcRegistryTest, DroppingTheAnswerEndsTheCoroutineAtOnce) {
  declare({"N"}, count_rows);
  {
    const Future<std::string> answer = call({"2"});
    EXPECT_EQ(Running::count, 1);
  }
  EXPECT_EQ(Running::count, 0);
  EXPECT_TRUE(loop_.dump_tasks().empty());
}

TEST_F(RpcRegistryTest, CancellingTheAnswerCancelsTheCoroutine) {
  declare({"N"}, count_rows);
  Future<std::string> answer = call({"2"});
  EXPECT_TRUE(answer.cancel());
  turn();
  EXPECT_EQ(Running::count, 0);
  EXPECT_THROW(answer.result(), CancelledError);
}

TEST_F(RpcRegistryTest, CancellingTheAnswerCancelsAFutureThatIsNoCoroutines) {
  Promise<std::int64_t> promise;
  declare({}, [&] { return promise.future(); });
  Future<std::string> answer = call();
  EXPECT_TRUE(answer.cancel());
  EXPECT_THROW(answer.result(), CancelledError);
  EXPECT_FALSE(promise.set_result(1));
}

TEST_F(RpcRegistryTest, AClosedLoopEndsACallThatRuns) {
  declare({"N"}, count_rows);
  const Future<std::string> answer = call({"2"});
  loop_.close();
  EXPECT_EQ(Running::count, 0);
  EXPECT_THROW(answer.result(), CancelledError);
}

TEST_F(RpcRegistryTest, OnlyTheMethodsOwnCoroutineStandsInADump) {
  declare({"N"}, count_rows);
  const Future<std::string> answer = call({"2"});
  const std::string dump = loop_.dump_tasks();
  EXPECT_EQ(std::count(dump.begin(), dump.end(), '\n'), 1) << dump;
  EXPECT_THAT(dump, testing::HasSubstr("for room for a row"));
}

// --- Handlers ------------------------------------------------------------------------------------

TEST_F(RpcRegistryTest, FindsHandlersAndMethodsByTheirWholeNames) {
  RpcHandler& math = registry_.handler("math");
  math.method("add", {"A", "B…"}, sum);
  EXPECT_EQ(registry_.find("math"), &math);
  EXPECT_EQ(registry_.find("do"), &handler_);
  EXPECT_EQ(math.find("add")->name(), "add");
  EXPECT_EQ(math.find("add")->usage(), "math.add A B…");
  for (const std::string_view name : {"", "mat", "Math", "maths", "math "})
    EXPECT_EQ(registry_.find(name), nullptr) << name;
  for (const std::string_view name : {"", "ad", "ADD", "add "})
    EXPECT_EQ(math.find(name), nullptr) << name;
}

TEST_F(RpcRegistryTest, SaysWhatItDidNotFind) {
  EXPECT_EQ(RpcRegistry::no_handler("x"), "unknown handler 'x'");
  EXPECT_EQ(registry_.handler("math").no_method("x"), "handler 'math' has no method 'x'");
  EXPECT_EQ(RpcRegistry::no_handler("\n"), R"(unknown handler '\x0a')");
  EXPECT_EQ(handler_.no_method(std::string(100, 'x')),
            "handler 'do' has no method '" + printable_name(std::string(100, 'x')) + "'");
  EXPECT_LT(RpcRegistry::no_handler(std::string(10'000, 'x')).size(), 100u);
}

TEST_F(RpcRegistryTest, HelpIsALineForEachMethodInTheOrderOfDeclaration) {
  handler_.method("nothing", {}, [] {}).method("add", {"A", "B…"}, sum);
  RpcHandler& another = registry_.handler("another");
  another.method("say", {"TEXT…"}, [](const RpcText& text) { return text.value; });
  EXPECT_EQ(handler_.help(), "do.nothing\ndo.add A B…\n");
  EXPECT_EQ(another.help(), "another.say TEXT…\n");
  EXPECT_EQ(registry_.help(), "do.nothing\ndo.add A B…\nanother.say TEXT…\n");
}

TEST_F(RpcRegistryTest, AHandlerMayBeDeclaredInSeveralPlaces) {
  EXPECT_EQ(&registry_.handler("do"), &handler_);
  for (int i = 0; i < 100; ++i) registry_.handler("more" + std::to_string(i));
  EXPECT_EQ(&registry_.handler("do"), &handler_) << "and stays where it is";
}

TEST_F(RpcRegistryTest, RefusesNamesThatNobodyCouldCall) {
  const auto nothing = [] {};
  for (const std::string name : {"", "a b", "a\tb", "a.b", "\"a", "größe", "a\n"}) {
    EXPECT_THROW(registry_.handler(name), std::logic_error) << name;
    EXPECT_THROW(handler_.method(name, {}, nothing), std::logic_error) << name;
  }
  for (const std::string name : {"help", "?", "quit"})
    EXPECT_THROW(registry_.handler(name), std::logic_error) << name;
  EXPECT_EQ(declaration_error("a b", {}, nothing),
            "'a b': a name consists of letters, digits, '_' and '-'");
  EXPECT_EQ(declaration_error("help", {}, nothing), "no error");
}

TEST_F(RpcRegistryTest, SaysWhichHandlerNameMeansSomethingElse) {
  try {
    registry_.handler("quit");
    FAIL();
  } catch (const std::logic_error& error) {
    EXPECT_STREQ(error.what(), "'quit': where a handler is named, the word means itself");
  }
}

TEST_F(RpcRegistryTest, RefusesAMethodThatIsDeclaredTwice) {
  declare({}, [] { return 1; });
  EXPECT_EQ(declaration_error("it", {}, [] { return 2; }), "do.it: declared twice");
  EXPECT_EQ(result_of(), "1") << "the first one stays";
}

TEST_F(RpcRegistryTest, RefusesParameterNamesThatDoNotFitTheParameters) {
  const auto one = [](RpcCall&, std::int64_t) {};
  EXPECT_EQ(declaration_error("x", {}, one), "do.x: 0 names for 1 parameters");
  EXPECT_EQ(declaration_error("x", {"A", "B"}, one), "do.x: 2 names for 1 parameters");
  EXPECT_EQ(declaration_error("x", {"A…"}, one), "A…: takes one word, but says that it takes more");
  EXPECT_EQ(declaration_error("x", {"A", "B"}, sum),
            "B: takes all words that are left, so add the '…'");
  EXPECT_EQ(declaration_error("x", {"A…", "B…"}, sum),
            "A…: takes one word, but says that it takes more");
  EXPECT_EQ(declaration_error("x", {"A B"}, one),
            "'A B': a name consists of letters, digits, '_' and '-'");
  EXPECT_EQ(declaration_error("x", {""}, one),
            "'': a name consists of letters, digits, '_' and '-'");
  EXPECT_EQ(declaration_error("x", {"…"}, [](const RpcText&) {}),
            "'': a name consists of letters, digits, '_' and '-'");
  EXPECT_EQ(handler_.find("x"), nullptr);
}

}  // namespace
}  // namespace eddy
