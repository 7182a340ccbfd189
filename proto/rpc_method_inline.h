// How a function becomes an RpcMethod: the second half of rpc_method.h, which includes this.
#pragma once

#include <functional>
#include <tuple>
#include <type_traits>

#include "../loop/io_loop.h"
#include "rpc_method.h"

namespace eddy::detail {

// Stands between a method's result, which is not there yet, and the one who waits for its text.
// Owns itself, until the result is there or nobody waits any more.
template <class T>
class RpcPendingText final : public FutureWaiter, public Producer, public Pooled {
 public:
  static Future<std::string> start(Future<T> result) {
    auto* pending = new RpcPendingText(std::move(result));
    Future<std::string> text = pending->text_.future();
    pending->result_.state()->add_waiter(*pending);
    return text;
  }

 private:
  explicit RpcPendingText(Future<T> result)
      : result_(std::move(result)), text_(result_.state()->what(), result_.state()->where()) {
    text_.state()->set_producer(this);
  }

  void future_done() override {
    if (const std::exception_ptr error = result_.exception())
      text_.set_exception(error);
    else if constexpr (std::is_void_v<T>)
      text_.set_result();
    else
      text_.set_result(to_text(result_.result()));
    delete this;
  }
  void awaited(FutureState&) override { result_.state()->begin_wait(); }
  void abandoned(FutureState&) override { delete this; }
  bool cancelled(FutureState&) override {
    Future<T> result = result_;  // this may end meanwhile
    return result.cancel();
  }

  Future<T> result_;
  Promise<std::string> text_;
};

// A method's result as its answer, now or later.
template <class T>
Future<std::string> to_answer(Future<T> result) {
  if constexpr (std::is_same_v<T, std::string>)
    if (result.state()) return result;
  if (result.state() && !result.done()) return RpcPendingText<T>::start(std::move(result));
  if constexpr (std::is_void_v<T>) {
    result.result();
    return make_ready_future(std::string());
  } else {
    return make_ready_future(to_text(result.result()));
  }
}

template <class T>
Future<std::string> to_answer(T result) {
  return make_ready_future(to_text(std::move(result)));
}

template <class F, bool kWithCall, class Result, class... Parameters>
class RpcMethodOf final : public RpcMethod {
 public:
  static constexpr std::size_t kParameters = sizeof...(Parameters);
  static constexpr bool kTakesRest = (takes_rest<std::decay_t<Parameters>> || ...);

  RpcMethodOf(std::string name, std::string usage, F function)
      : RpcMethod(std::move(name), std::move(usage), kParameters, kTakesRest),
        function_(std::move(function)) {}

 private:
  using Arguments = std::tuple<std::decay_t<Parameters>...>;

  static constexpr bool only_last_takes_rest() {
    std::size_t left = kParameters;
    return ((--left == 0 || !takes_rest<std::decay_t<Parameters>>)&&...);
  }

  Future<std::string> invoke(RpcCall& call, std::span<const std::string> words) const override {
    static_assert(only_last_takes_rest(), "only the last one can take all words that are left");
    static_assert(!is_future<Result> || !(std::is_reference_v<Parameters> || ...),
                  "a coroutine outlives what it was called with: it takes arguments by value");
    return read_and_run(call, words, std::index_sequence_for<Parameters...>());
  }

  template <std::size_t... kIndex>
  Future<std::string> read_and_run(RpcCall& call, std::span<const std::string> words,
                                   std::index_sequence<kIndex...>) const {
    Arguments values;
    std::string problem;
    static_cast<void>((
        (problem = read_argument(words.subspan(kIndex), std::get<kIndex>(values))).empty() && ...));
    if (!problem.empty()) return refuse(problem);
    return run(call, std::move(std::get<kIndex>(values))...);
  }

  template <class... Values>
  Future<std::string> run(RpcCall& call, Values&&... values) const {
    if constexpr (kWithCall) {
      return answer([&] { return function_(call, std::move(values)...); });
    } else {
      return answer([&] { return function_(std::move(values)...); });
    }
  }

  template <class Bound>
  static Future<std::string> answer(Bound bound) {
    if constexpr (std::is_void_v<Result>) {
      bound();
      return make_ready_future(std::string());
    } else {
      return to_answer(bound());
    }
  }

  mutable F function_;
};

template <class F, class Result, class... Parameters>
RpcMethodOf<F, false, Result, Parameters...> method_type(std::function<Result(Parameters...)>);
template <class F, class Result, class... Parameters>
RpcMethodOf<F, true, Result, Parameters...> method_type(
    std::function<Result(RpcCall&, Parameters...)>);

// The method that a function makes; std::function knows how to read its signature.
template <class F>
using RpcMethodFor = decltype(method_type<F>(std::function(std::declval<F>())));

}  // namespace eddy::detail
