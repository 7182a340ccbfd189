#include <gtest/gtest.h>

#include <string>
#include <variant>
#include <vector>

#include <eddy/proto/rpc_request.h>

namespace eddy {
namespace {

using Words = std::vector<std::string>;

class RpcRequestTest : public testing::Test {
 protected:
  RpcRequestTest() {
    registry_.handler("math").method("add", {"A", "B"}, [](int64_t a, int64_t b) { return a + b; });
    registry_.handler("echo").method("say", {"TEXT…"}, [](RpcText text) { return text.value; });
  }

  // What a line asks for, in words: `call math.add A B [1 2]`.
  std::string say(std::string_view line) {
    RpcRequest::Action action = request_.on_message(line);
    if (const auto* call = std::get_if<RpcRequest::Call>(&action)) {
      std::string text = "call " + call->method->usage() + " [";
      for (const std::string& word : call->arguments) text += word + '|';
      return text + ']';
    }
    if (const auto* refusal = std::get_if<RpcRequest::Refusal>(&action))
      return "refusal " + refusal->error;
    if (const auto* answer = std::get_if<RpcRequest::Answer>(&action))
      return "answer " + answer->text;
    if (std::holds_alternative<RpcRequest::Hint>(action)) return "hint";
    return std::holds_alternative<RpcRequest::Quit>(action) ? "quit" : "nothing";
  }

  RpcRegistry registry_;
  RpcRequest request_{registry_};
};

TEST_F(RpcRequestTest, ACallIsTwoLines) {
  EXPECT_EQ(say("math"), "nothing");
  EXPECT_TRUE(request_.waits_for_method());
  EXPECT_EQ(say("add 1 2"), "call math.add A B [1|2|]");
  EXPECT_FALSE(request_.waits_for_method());
}

TEST_F(RpcRequestTest, OrOne) {
  EXPECT_EQ(say("math.add 1 2"), "call math.add A B [1|2|]");
  EXPECT_EQ(say("math add 1 2"), "call math.add A B [1|2|]");
  EXPECT_EQ(say("  echo\tsay \"a  b\" c"), "call echo.say TEXT… [a  b|c|]");
}

TEST_F(RpcRequestTest, DoesNotJudgeTheArguments) {
  EXPECT_EQ(say("math.add"), "call math.add A B []");
}

TEST_F(RpcRequestTest, HintsOnceAtMostAndOnlyOnTheFirstLine) {
  EXPECT_EQ(say(""), "hint");
  EXPECT_EQ(say(""), "nothing");
  RpcRequest other(registry_);
  other.on_message("math");
  EXPECT_TRUE(std::holds_alternative<RpcRequest::Nothing>(other.on_message("")));
  EXPECT_TRUE(other.waits_for_method());  // a blank line changes nothing
}

TEST_F(RpcRequestTest, AnUnknownHandlerIsOverAtOnce) {
  EXPECT_EQ(say("nobody"), "refusal unknown handler 'nobody'");
  EXPECT_EQ(say("nobody.add 1"), "refusal unknown handler 'nobody'");
  EXPECT_EQ(say(".add"), "refusal unknown handler ''");
  EXPECT_EQ(say("math"), "nothing");
}

TEST_F(RpcRequestTest, AnUnknownMethodIsOverToo) {
  say("math");
  EXPECT_EQ(say("what"), "refusal handler 'math' has no method 'what'");
  EXPECT_FALSE(request_.waits_for_method());
  EXPECT_EQ(say("math."), "refusal handler 'math' has no method ''");
  EXPECT_EQ(say("math.add.more"), "refusal handler 'math' has no method 'add.more'");
}

TEST_F(RpcRequestTest, HelpAndQuitAreWordsOnlyWhereAHandlerIsExpected) {
  EXPECT_EQ(say("help"), "answer math.add A B\necho.say TEXT…\n");
  EXPECT_EQ(say("?"), say("help"));
  EXPECT_EQ(say("help echo"), "answer echo.say TEXT…\n");
  EXPECT_EQ(say("help nobody"), "refusal unknown handler 'nobody'");
  EXPECT_EQ(say("help math add"), "refusal usage: help [HANDLER]");
  EXPECT_EQ(say("quit"), "quit");
  EXPECT_EQ(say("quit now"), "refusal unknown handler 'quit'");
  for (const char* word : {"help", "?", "quit"}) {
    say("math");
    EXPECT_EQ(say(word), "refusal handler 'math' has no method '" + std::string(word) + "'");
  }
}

TEST_F(RpcRequestTest, AnOpenQuoteEndsTheCall) {
  say("math");
  EXPECT_EQ(say("add \"1"), "refusal a quote is not closed");
  EXPECT_FALSE(request_.waits_for_method());
}

TEST_F(RpcRequestTest, AnInterruptDropsTheHandlersLine) {
  say("math");
  request_.interrupt();
  EXPECT_EQ(say("echo.say x"), "call echo.say TEXT… [x|]");
}

}  // namespace
}  // namespace eddy
