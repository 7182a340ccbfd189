#include "rpc_registry.h"

#include <algorithm>
#include <stdexcept>

#include "rpc_message.h"

namespace eddy {
namespace {

constexpr std::string_view kMore = "…";

std::string quoted(std::string_view name) { return '\'' + printable_name(name) + '\''; }

// Narrow on purpose: a name must be one word, and a dot divides a handler's from a method's.
bool is_name(std::string_view text) {
  constexpr std::string_view kAllowed =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
  return !text.empty() && text.find_first_not_of(kAllowed) == text.npos;
}

void check_name(std::string_view name) {
  if (!is_name(name))
    throw std::logic_error(quoted(name) + ": a name consists of letters, digits, '_' and '-'");
}

void check_handler_name(std::string_view name) {
  check_name(name);
  if (name == "help" || name == "quit")
    throw std::logic_error(quoted(name) + ": where a handler is named, the word means itself");
}

void check_parameter(std::string_view name, bool takes_rest) {
  const bool says_more = name.ends_with(kMore);
  check_name(says_more ? name.substr(0, name.size() - kMore.size()) : name);
  if (says_more && !takes_rest)
    throw std::logic_error(std::string(name) + ": takes one word, but says that it takes more");
  if (takes_rest && !says_more)
    throw std::logic_error(std::string(name) + ": takes all words that are left, so add the '…'");
}

}  // namespace

const RpcMethod* RpcHandler::find(std::string_view method) const {
  for (const auto& one : methods_)
    if (one->name() == method) return one.get();
  return nullptr;
}

std::string RpcHandler::no_method(std::string_view method) const {
  return "handler " + quoted(name_) + " has no method " + quoted(method);
}

std::string RpcHandler::help() const {
  std::string lines;
  for (const auto& one : methods_) lines += one->usage() + '\n';
  return lines;
}

void RpcHandler::check(std::string_view method, Names parameters, std::size_t count,
                       bool takes_rest) const {
  check_name(method);
  const std::string whole = name_ + '.' + std::string(method);
  if (find(method)) throw std::logic_error(whole + ": declared twice");
  if (parameters.size() != count)
    throw std::logic_error(whole + ": " + std::to_string(parameters.size()) + " names for " +
                           std::to_string(count) + " parameters");
  for (const std::string_view& name : parameters)
    check_parameter(name, takes_rest && &name == parameters.end() - 1);
}

std::string RpcHandler::usage(std::string_view method, Names parameters) const {
  std::string text = name_ + '.' + std::string(method);
  for (const std::string_view name : parameters) text.append(" ").append(name);
  return text;
}

RpcHandler& RpcRegistry::handler(std::string_view name) {
  check_handler_name(name);
  const auto it = std::find_if(handlers_.begin(), handlers_.end(),
                               [&](const RpcHandler& one) { return one.name() == name; });
  return it != handlers_.end() ? *it : handlers_.emplace_back(std::string(name));
}

const RpcHandler* RpcRegistry::find(std::string_view handler) const {
  for (const RpcHandler& one : handlers_)
    if (one.name() == handler) return &one;
  return nullptr;
}

std::string RpcRegistry::no_handler(std::string_view handler) {
  return "unknown handler " + quoted(handler);
}

std::string RpcRegistry::help() const {
  std::string lines;
  for (const RpcHandler& one : handlers_) lines += one.help();
  return lines;
}

}  // namespace eddy
