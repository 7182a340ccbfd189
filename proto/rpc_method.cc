#include "rpc_method.h"

namespace eddy {

// Trail 9: the registry's method turns the words into arguments and calls your handler.
Future<std::string> RpcMethod::call(RpcCall& call, std::span<const std::string> words) const {
  if (words.size() < parameters_) return refuse("too few arguments");
  if (words.size() > parameters_ && !takes_rest_) return refuse("too many arguments");
  try {
    return invoke(call, words);
  } catch (...) {
    return make_failed_future<std::string>(std::current_exception(), "an RPC method");
  }
}

Future<std::string> RpcMethod::refuse(const std::string& problem) const {
  const RpcError error(problem + "; usage: " + usage_);
  return make_failed_future<std::string>(std::make_exception_ptr(error), "an RPC method");
}

}  // namespace eddy
