// RpcRegistry: the handlers of a server and their methods, a line each.
//
// Mirrors the handlers of a tornado.web.Application.
//
//   RpcRegistry registry;
//   RpcHandler& math = registry.handler("math");
//   math.method("negate", {"N"}, [](std::int64_t n) { return -n; });
//   math.method("sum", {"A", "B…"}, sum);   // sum(std::int64_t a, std::vector<std::int64_t> more)
//   math.method("fib", {"N"}, fib);         // a coroutine: Future<std::int64_t> fib(std::int64_t
//   n) math.method("count", {"N"}, count);     // Future<> count(RpcCall& call, std::int64_t n)
//
// A method is a function, or anything that can be called, that returns a result or a Future of one:
// nothing, a number, a bool, a std::string, or a std::vector<std::string> of rows. Its parameters
// are of the types that rpc_arguments.h lists; an RpcCall& may come first. Each has a name, for the
// usage; that of a parameter which takes all words that are left ends in `…`. A declaration that is
// wrong in itself throws std::logic_error.
#pragma once

#include <deque>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rpc_method.h"

namespace eddy {

class RpcHandler {
 public:
  explicit RpcHandler(std::string name) : name_(std::move(name)) {}
  RpcHandler(const RpcHandler&) = delete;
  RpcHandler& operator=(const RpcHandler&) = delete;

  template <class F>
  RpcHandler& method(std::string_view name, std::initializer_list<std::string_view> parameters,
                     F function) {
    using Method = detail::RpcMethodFor<F>;
    check(name, parameters, Method::kParameters, Method::kTakesRest);
    methods_.push_back(
        std::make_unique<Method>(std::string(name), usage(name, parameters), std::move(function)));
    return *this;
  }

  const std::string& name() const { return name_; }
  const RpcMethod* find(std::string_view method) const;  // null: see no_method()
  std::string no_method(std::string_view method) const;  // `handler 'math' has no method 'x'`
  std::string help() const;                              // a line for each method: its usage

 private:
  using Names = std::initializer_list<std::string_view>;
  void check(std::string_view method, Names parameters, std::size_t count, bool takes_rest) const;
  std::string usage(std::string_view method, Names parameters) const;

  const std::string name_;
  std::vector<std::unique_ptr<RpcMethod>> methods_;
};

class RpcRegistry {
 public:
  RpcRegistry() = default;
  RpcRegistry(const RpcRegistry&) = delete;
  RpcRegistry& operator=(const RpcRegistry&) = delete;

  RpcHandler& handler(std::string_view name);  // made when it is first asked for

  const RpcHandler* find(std::string_view handler) const;   // null: see no_handler()
  static std::string no_handler(std::string_view handler);  // `unknown handler 'x'`
  std::string help() const;                                 // of all handlers

 private:
  std::deque<RpcHandler> handlers_;  // in the order of their declaration; none ever moves
};

}  // namespace eddy
