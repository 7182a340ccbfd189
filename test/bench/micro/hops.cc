// hops: a coroutine that lets everybody else have a turn; kChains of them do nothing else.
#include <eddy/loop/await.h>
#include <eddy/loop/coroutine.h>
#include <eddy/loop/coroutine_set.h>
#include <eddy/loop/io_loop.h>

#include "asio.h"
#include "micro.h"

#include <eddy/loop/yield.h>

namespace {

using micro::kChains;
using micro::kRounds;

eddy::Future<> hop() {
  for (int round = 0; round < kRounds; ++round) co_await eddy::moment;
}

class Hopper : public eddy::Coroutine<> {
  void body() override {
    CO_BEGIN;
    for (; round_ < kRounds; ++round_) CO_AWAIT(eddy::moment);
    CO_END;
  }
  int round_ = 0;
};

template <class Start>
void eddy_hops(benchmark::State& state, Start start) {
  eddy::IOLoop loop;
  eddy::CoroutineSet hoppers;
  micro::Cost cost(state);
  for (auto _ : state) {
    for (int chain = 0; chain < kChains; ++chain) hoppers.add(start());
    while (!hoppers.empty()) loop.turn();
  }
  cost.report(micro::kPieces);
}

void co_await_hops(benchmark::State& state) { eddy_hops(state, hop); }
BENCHMARK(co_await_hops)->Name("a hop of a coroutine/eddy");

void macro_hops(benchmark::State& state) { eddy_hops(state, eddy::start_coroutine<Hopper>); }
BENCHMARK(macro_hops)->Name("a hop of a coroutine/eddy, macro");

#if __has_include(<asio.hpp>)

template <class Start>
void asio_hops(benchmark::State& state, Start start) {
  asio::io_context context(1);
  micro::Cost cost(state);
  for (auto _ : state) {
    for (int chain = 0; chain < kChains; ++chain) start(context);
    context.run();
    context.restart();
  }
  cost.report(micro::kPieces);
}

micro::AsioAwaitable<void> asio_hop(asio::io_context& context) {
  for (int round = 0; round < kRounds; ++round) co_await asio::post(context, micro::kAsioAwait);
}

void asio_awaitable_hops(benchmark::State& state) {
  asio_hops(state, [](asio::io_context& context) {
    asio::co_spawn(context, asio_hop(context), asio::detached);
  });
}
BENCHMARK(asio_awaitable_hops)->Name("a hop of a coroutine/asio");

struct AsioHopper : asio::coroutine {
  asio::io_context* context;
  int round = 0;

  void operator()() {
    ASIO_CORO_REENTER(this) {
      for (; round < kRounds; ++round) ASIO_CORO_YIELD asio::post(*context, *this);
    }
  }
};

void asio_stackless_hops(benchmark::State& state) {
  asio_hops(state, [](asio::io_context& context) { AsioHopper{{}, &context}(); });
}
BENCHMARK(asio_stackless_hops)->Name("a hop of a coroutine/asio, stackless");

#endif

}  // namespace
