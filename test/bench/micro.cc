// micro: what the loop's own steps cost: a callback, a timer, a hop of a coroutine.
//
// Where a turn would drown the step in its system calls, a turn carries a thousand of them.
#include <benchmark/benchmark.h>

#include <chrono>
#include <semaphore>
#include <thread>

#include <eddy/loop/await.h>
#include <eddy/loop/coroutine.h>
#include <eddy/loop/coroutine_set.h>
#include <eddy/loop/io_loop.h>
#include <eddy/loop/run_sync.h>

#include <eddy/loop/yield.h>

namespace {

using eddy::Future;
using eddy::IOLoop;

constexpr int kBatch = 1000;
constexpr int kTimers = 100000;

void count_items(benchmark::State& state, std::int64_t per_iteration) {
  state.SetItemsProcessed(state.iterations() * per_iteration);
}

void add_callback(benchmark::State& state) {
  IOLoop loop;
  std::int64_t ran = 0;
  for (auto _ : state) {
    for (int i = 0; i < kBatch; ++i) loop.add_callback([&ran] { ++ran; });
    loop.turn();
  }
  benchmark::DoNotOptimize(ran);
  count_items(state, kBatch);
}
BENCHMARK(add_callback);

void add_callback_from_another_thread(benchmark::State& state) {
  IOLoop loop;
  int left = 0;
  bool more = true;
  std::binary_semaphore go(0);
  const auto one_of_a_batch = [&] {
    if (--left == 0) loop.stop();
  };
  const std::jthread poster([&] {
    for (go.acquire(); more; go.acquire())
      for (int i = 0; i < kBatch; ++i) loop.add_callback(one_of_a_batch);
  });
  for (auto _ : state) {
    left = kBatch;
    go.release();
    loop.start();
  }
  count_items(state, kBatch);
  more = false;
  go.release();
}
BENCHMARK(add_callback_from_another_thread)->UseRealTime();

// One more timer among kTimers others, far away and at different hours.
void start_and_cancel_a_timer(benchmark::State& state) {
  IOLoop loop;
  for (int i = 0; i < kTimers; ++i) loop.call_later(std::chrono::seconds(60 + i % 600), [] {});
  int hour = 0;
  for (auto _ : state) {
    const IOLoop::Timeout timer = loop.call_later(std::chrono::seconds(60 + hour++ % 600), [] {});
    loop.remove_timeout(timer);
  }
  count_items(state, 1);
}
BENCHMARK(start_and_cancel_a_timer);

void start_timers(benchmark::State& state) {
  for (auto _ : state) {
    IOLoop loop;
    for (int i = 0; i < kTimers; ++i) loop.call_later(std::chrono::seconds(60 + i % 600), [] {});
  }
  count_items(state, kTimers);
}
BENCHMARK(start_timers)->Unit(benchmark::kMillisecond);

void fire_timers(benchmark::State& state) {
  IOLoop loop;
  std::int64_t fired = 0;
  for (auto _ : state) {
    state.PauseTiming();
    const eddy::TimePoint now = loop.time();
    for (int i = 0; i < kTimers; ++i)
      loop.call_at(now - std::chrono::microseconds(i % 600), [&fired] { ++fired; });
    state.ResumeTiming();
    loop.turn();
  }
  benchmark::DoNotOptimize(fired);
  count_items(state, kTimers);
}
BENCHMARK(fire_timers)->Unit(benchmark::kMillisecond);

Future<> hop_for_ever() {
  for (;;) co_await eddy::moment;
}

void hop_co_await(benchmark::State& state) {
  IOLoop loop;
  eddy::CoroutineSet hoppers;
  for (int i = 0; i < kBatch; ++i) hoppers.add(hop_for_ever());
  for (auto _ : state) loop.turn();
  count_items(state, kBatch);
}
BENCHMARK(hop_co_await);

class Hopper : public eddy::Coroutine<> {
  void body() override {
    CO_BEGIN;
    for (;;) CO_AWAIT(eddy::moment);
    CO_END;
  }
};

void hop_macro(benchmark::State& state) {
  IOLoop loop;
  eddy::CoroutineSet hoppers;
  for (int i = 0; i < kBatch; ++i) hoppers.add(eddy::start<Hopper>());
  for (auto _ : state) loop.turn();
  count_items(state, kBatch);
}
BENCHMARK(hop_macro);

Future<> await_ready_futures(benchmark::State& state) {
  const Future<int> ready = eddy::make_ready_future(1);
  for (auto _ : state) {
    Future<int> awaited = ready;
    benchmark::DoNotOptimize(co_await awaited);
  }
}

void await_a_ready_future(benchmark::State& state) {
  IOLoop loop;
  loop.run_sync([&] { return await_ready_futures(state); });
  count_items(state, 1);
}
BENCHMARK(await_a_ready_future);

Future<int> child(int value) { co_return value; }

Future<> await_children(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(co_await child(1));
}

void child_coroutine(benchmark::State& state) {
  IOLoop loop;
  loop.run_sync([&] { return await_children(state); });
  count_items(state, 1);
}
BENCHMARK(child_coroutine);

}  // namespace

BENCHMARK_MAIN();
