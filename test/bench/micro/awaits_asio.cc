// awaits_asio: what awaits.cc does, by asio's awaitables.
#include <optional>
#include <vector>

#include "asio.h"
#include "micro.h"

#if __has_include(<asio.hpp>)

namespace {

using micro::AsioAwait;
using micro::AsioAwaitable;

using micro::kBatch;
using micro::kChains;
using micro::kRounds;

// What completes an operation. It is completed from the queue, as asio asks of every operation.
using Handler = asio::async_result<AsioAwait, void(int)>::handler_type;
using Pending = std::optional<Handler>;

AsioAwaitable<void> await_later(Pending& pending) {
  for (int round = 0; round < kRounds; ++round) {
    const int value = co_await asio::async_initiate<const AsioAwait&, void(int)>(
        [&pending](Handler handler) { pending.emplace(std::move(handler)); }, micro::kAsioAwait);
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

AsioAwaitable<int> child(int value) { co_return value; }

AsioAwaitable<void> await_children(benchmark::State& state) {
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
