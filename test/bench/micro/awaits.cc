// awaits: a coroutine awaits a Future that is done, one that is set later, and a child.
//
// asio's awaitables stand for a child or for an operation that is still to come, never for a value
// that is there already: it takes no part in the first. Its others are in awaits_asio.cc.
#include <vector>

#include <eddy/loop/await.h>
#include <eddy/loop/coroutine.h>
#include <eddy/loop/coroutine_set.h>
#include <eddy/loop/io_loop.h>
#include <eddy/loop/run_sync.h>

#include "micro.h"

#include <eddy/loop/yield.h>

namespace {

using eddy::Future;
using eddy::Promise;
using micro::kBatch;
using micro::kChains;
using micro::kRounds;

// --- Done already --------------------------------------------------------------------------------

Future<> await_done(benchmark::State& state) {
  const Future<int> done = eddy::make_ready_future(1);
  while (state.KeepRunningBatch(kBatch))
    for (int i = 0; i < kBatch; ++i) benchmark::DoNotOptimize(co_await done);
}

class AwaitDone : public eddy::Coroutine<> {
 public:
  explicit AwaitDone(benchmark::State& state) : state_of_benchmark_(state) {}

 private:
  void body() override {
    CO_BEGIN;
    while (state_of_benchmark_.KeepRunningBatch(kBatch)) {
      for (i_ = 0; i_ < kBatch; ++i_) {
        CO_AWAIT(done_);
        benchmark::DoNotOptimize(done_.result());
      }
    }
    CO_END;
  }
  benchmark::State& state_of_benchmark_;
  const Future<int> done_ = eddy::make_ready_future(1);
  int i_ = 0;
};

template <class Start>
void eddy_in_one_coroutine(benchmark::State& state, Start start) {
  eddy::IOLoop loop;
  micro::Cost cost(state);
  loop.run_sync([&] { return start(state); });
  cost.report(1);
}

void co_await_done(benchmark::State& state) { eddy_in_one_coroutine(state, await_done); }
BENCHMARK(co_await_done)->Name("await a Future that is done/eddy");

void macro_done(benchmark::State& state) {
  eddy_in_one_coroutine(state, eddy::start_coroutine<AwaitDone, benchmark::State&>);
}
BENCHMARK(macro_done)->Name("await a Future that is done/eddy, macro");

// --- Set later: kChains coroutines wait, all are served, and each makes the next promise ---------

Future<> await_later(Promise<int>& promise) {
  for (int round = 0; round < kRounds; ++round) {
    promise = Promise<int>();
    benchmark::DoNotOptimize(co_await promise.future());
  }
}

class AwaitLater : public eddy::Coroutine<> {
 public:
  explicit AwaitLater(Promise<int>& promise) : next_(promise) {}

 private:
  void body() override {
    CO_BEGIN;
    for (; round_ < kRounds; ++round_) {
      next_ = Promise<int>();
      CO_AWAIT(later_ = next_.future());
      benchmark::DoNotOptimize(later_.result());
    }
    CO_END;
  }
  Promise<int>& next_;
  Future<int> later_;
  int round_ = 0;
};

template <class Start>
void eddy_later(benchmark::State& state, Start start) {
  eddy::IOLoop loop;
  eddy::CoroutineSet waiting;
  std::vector<Promise<int>> promises(kChains);
  micro::Cost cost(state);
  for (auto _ : state) {
    for (Promise<int>& promise : promises) waiting.add(start(promise));
    while (!waiting.empty()) {
      for (Promise<int>& promise : promises) promise.set_result(1);
      loop.turn();
    }
  }
  cost.report(micro::kPieces);
}

void co_await_later(benchmark::State& state) { eddy_later(state, await_later); }
BENCHMARK(co_await_later)->Name("await a Future that is set later/eddy");

void macro_later(benchmark::State& state) {
  eddy_later(state, eddy::start_coroutine<AwaitLater, Promise<int>&>);
}
BENCHMARK(macro_later)->Name("await a Future that is set later/eddy, macro");

// --- A child -------------------------------------------------------------------------------------

Future<int> child(int value) { co_return value; }

Future<> await_children(benchmark::State& state) {
  while (state.KeepRunningBatch(kBatch))
    for (int i = 0; i < kBatch; ++i) benchmark::DoNotOptimize(co_await child(i));
}

class Child : public eddy::Coroutine<int> {
 public:
  explicit Child(int value) : value_(value) {}

 private:
  void body() override {
    CO_BEGIN;
    CO_RETURN(value_);
    CO_END;
  }
  int value_;
};

class AwaitChildren : public eddy::Coroutine<> {
 public:
  explicit AwaitChildren(benchmark::State& state) : state_of_benchmark_(state) {}

 private:
  void body() override {
    CO_BEGIN;
    while (state_of_benchmark_.KeepRunningBatch(kBatch)) {
      for (i_ = 0; i_ < kBatch; ++i_) {
        CO_AWAIT(child_ = eddy::start_coroutine<Child>(i_));
        benchmark::DoNotOptimize(child_.result());
      }
    }
    CO_END;
  }
  benchmark::State& state_of_benchmark_;
  Future<int> child_;
  int i_ = 0;
};

void co_await_children(benchmark::State& state) { eddy_in_one_coroutine(state, await_children); }
BENCHMARK(co_await_children)->Name("a child coroutine/eddy");

void macro_children(benchmark::State& state) {
  eddy_in_one_coroutine(state, eddy::start_coroutine<AwaitChildren, benchmark::State&>);
}
BENCHMARK(macro_children)->Name("a child coroutine/eddy, macro");

}  // namespace
