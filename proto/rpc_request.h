// RpcRequest: what a line of a connection asks for, given the lines before it.
//
// The request role of the article's server: one for each connection, which gets every message.
// Mirrors tornado.httputil.HTTPMessageDelegate. A call is two lines, the handler's name and the
// method's with its arguments, or one with both. Pure: it does not call, it says what to call.
//
//   handler --a handler's name--> method --a line--> handler      (a line with both: handler again)
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "rpc_registry.h"

namespace eddy {

class RpcRequest {
 public:
  struct Nothing {};
  struct Hint {};  // a person seems to be lost
  struct Quit {};
  struct Answer {  // to be numbered like a call
    std::string text;
  };
  struct Refusal {
    std::string error;
  };
  struct Call {
    const RpcMethod* method;
    std::vector<std::string> arguments;
  };
  using Action = std::variant<Nothing, Hint, Quit, Answer, Refusal, Call>;

  explicit RpcRequest(const RpcRegistry& registry) : registry_(registry) {}

  Action on_message(std::string_view line);
  void interrupt() { handler_ = nullptr; }  // drops a handler's line that waits for its method
  bool waits_for_method() const { return handler_ != nullptr; }

 private:
  Action on_handler_line(std::vector<std::string> words);
  Action call(const RpcHandler& handler, std::vector<std::string> method_and_arguments);
  Action help(const std::vector<std::string>& words) const;

  const RpcRegistry& registry_;
  const RpcHandler* handler_ = nullptr;  // named by the line before
  bool first_line_ = true;
};

}  // namespace eddy
