// micro_awaits_asio: what micro_awaits does, by asio's awaitables.
#if __has_include(<asio.hpp>)
#define ASIO_STANDALONE
#include <asio.hpp>
#include <optional>
#include <vector>

#include "micro.h"

namespace {

using micro::kBatch;
using micro::kChains;
using micro::kRounds;

// The loop's own executor, where asio's default is one of any kind, which costs more.
using Executor = asio::io_context::executor_type;
using Await = asio::use_awaitable_t<Executor>;
constexpr Await kAwaitable;

// What completes an operation. It is completed from the queue, as asio asks of every operation.
using Handler = asio::async_result<Await, void(int)>::handler_type;
using Pending = std::optional<Handler>;

asio::awaitable<void, Executor> await_later(Pending& pending) {
  for (int round = 0; round < kRounds; ++round) {
    const int value = co_await asio::async_initiate<const Await&, void(int)>(
        [&pending](Handler handler) { pending.emplace(std::move(handler)); }, kAwaitable);
    benchmark::DoNotOptimize(value);
  }
}

void complete(asio::io_context& context, Pending& pending) {
  asio::post(context, [handler = std::move(*pending)]() mutable { handler(1); });
}

void asio_later(benchmark::State& state) {
  asio::io_context context(1);
  std::vector<Pending> pending(kChains);
  micro::Cost cost(state);
  for (auto _ : state) {
    for (Pending& one : pending) asio::co_spawn(context, await_later(one), asio::detached);
    context.poll();
    while (!context.stopped()) {
      for (Pending& one : pending) complete(context, one);
      context.poll();
    }
    context.restart();
  }
  cost.report(micro::kPieces);
}
BENCHMARK(asio_later)->Name("await a Future that is set later/asio");

asio::awaitable<int, Executor> child(int value) { co_return value; }

asio::awaitable<void, Executor> await_children(benchmark::State& state) {
  while (state.KeepRunningBatch(kBatch))
    for (int i = 0; i < kBatch; ++i) benchmark::DoNotOptimize(co_await child(i));
}

void asio_children(benchmark::State& state) {
  asio::io_context context(1);
  micro::Cost cost(state);
  asio::co_spawn(context, await_children(state), asio::detached);
  context.run();
  cost.report(1);
}
BENCHMARK(asio_children)->Name("a child coroutine/asio");

}  // namespace

#endif
