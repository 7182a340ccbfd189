#include "rpc_request.h"

#include <utility>

#include "rpc_message.h"

namespace eddy {

RpcRequest::Action RpcRequest::on_message(std::string_view line) {
  RpcWords parsed = split_words(line);
  const bool first = std::exchange(first_line_, false);
  if (parsed.words.empty() && parsed.error.empty())
    return first ? Action(Hint{}) : Action(Nothing{});
  const RpcHandler* handler = std::exchange(handler_, nullptr);
  if (!parsed.error.empty()) return Refusal{std::move(parsed.error)};
  if (handler) return call(*handler, std::move(parsed.words));
  return on_handler_line(std::move(parsed.words));
}

RpcRequest::Action RpcRequest::on_handler_line(std::vector<std::string> words) {
  if (words.front() == "help" || words.front() == "?") return help(words);
  if (words.front() == "quit" && words.size() == 1) return Quit{};
  // `math.add 1 2` is `math add 1 2`.
  if (const auto dot = words.front().find('.'); dot != std::string::npos) {
    words.insert(words.begin() + 1, words.front().substr(dot + 1));
    words.front().resize(dot);
  }
  const RpcHandler* handler = registry_.find(words.front());
  if (!handler) return Refusal{RpcRegistry::no_handler(words.front())};
  words.erase(words.begin());
  if (!words.empty()) return call(*handler, std::move(words));
  handler_ = handler;
  return Nothing{};
}

RpcRequest::Action RpcRequest::call(const RpcHandler& handler,
                                    std::vector<std::string> method_and_arguments) {
  const RpcMethod* method = handler.find(method_and_arguments.front());
  if (!method) return Refusal{handler.no_method(method_and_arguments.front())};
  method_and_arguments.erase(method_and_arguments.begin());
  return Call{method, std::move(method_and_arguments)};
}

RpcRequest::Action RpcRequest::help(const std::vector<std::string>& words) const {
  if (words.size() == 1) return Answer{registry_.help()};
  if (words.size() > 2) return Refusal{"usage: help [HANDLER]"};
  const RpcHandler* handler = registry_.find(words[1]);
  if (!handler) return Refusal{RpcRegistry::no_handler(words[1])};
  return Answer{handler->help()};
}

}  // namespace eddy
