// callbacks: a callback on the loop's own thread that asks to be called once more in the next
// turn; kChains of them stand in the queue at any time.
//
// libuv has no such queue: its programs start an idle handle and stop it when it is called.
#include <vector>

#include <eddy/loop/io_loop.h>

#include "asio.h"
#include "micro.h"

#if __has_include(<uv.h>)
#include <uv.h>
#endif
#if __has_include(<event2/event.h>)
#include <event2/event.h>
#endif

namespace {

using micro::kChains;
using micro::kRounds;

struct EddyChain {
  eddy::IOLoop* loop;
  int left = 0;

  void call() {
    if (--left > 0) loop->add_callback([this] { call(); });
  }
};

void eddy_callbacks(benchmark::State& state) {
  eddy::IOLoop loop;
  std::vector<EddyChain> chains(kChains, EddyChain{&loop});
  micro::Cost cost(state);
  for (auto _ : state) {
    for (EddyChain& chain : chains) {
      chain.left = kRounds;
      loop.add_callback([&chain] { chain.call(); });
    }
    for (int round = 0; round < kRounds; ++round) loop.turn();
  }
  cost.report(micro::kPieces);
}
BENCHMARK(eddy_callbacks)->Name("a callback on the loop's thread/eddy");

#if __has_include(<uv.h>)

struct LibuvChain {
  uv_idle_t handle;
  int left = 0;

  void start() {
    handle.data = this;
    uv_idle_start(&handle, [](uv_idle_t* idle) { static_cast<LibuvChain*>(idle->data)->call(); });
  }
  void call() {
    uv_idle_stop(&handle);
    if (--left > 0) start();
  }
};

void libuv_callbacks(benchmark::State& state) {
  uv_loop_t loop;
  uv_loop_init(&loop);
  std::vector<LibuvChain> chains(kChains);
  for (LibuvChain& chain : chains) uv_idle_init(&loop, &chain.handle);
  micro::Cost cost(state);
  for (auto _ : state) {
    for (LibuvChain& chain : chains) {
      chain.left = kRounds;
      chain.start();
    }
    uv_run(&loop, UV_RUN_DEFAULT);
  }
  cost.report(micro::kPieces);
  for (LibuvChain& chain : chains) uv_close(reinterpret_cast<uv_handle_t*>(&chain.handle), nullptr);
  uv_run(&loop, UV_RUN_DEFAULT);
  uv_loop_close(&loop);
}
BENCHMARK(libuv_callbacks)->Name("a callback on the loop's thread/libuv");

#endif
#if __has_include(<event2/event.h>)

struct LibeventChain {
  event* handle;
  int left = 0;

  static void call(evutil_socket_t, short, void* chain) {
    static_cast<LibeventChain*>(chain)->call();
  }
  void call() {
    if (--left > 0) event_active(handle, EV_TIMEOUT, 0);
  }
};

void libevent_callbacks(benchmark::State& state) {
  event_base* base = event_base_new();
  std::vector<LibeventChain> chains(kChains);
  for (LibeventChain& chain : chains)
    chain.handle = event_new(base, -1, 0, LibeventChain::call, &chain);
  micro::Cost cost(state);
  for (auto _ : state) {
    for (LibeventChain& chain : chains) {
      chain.left = kRounds;
      event_active(chain.handle, EV_TIMEOUT, 0);
    }
    event_base_dispatch(base);
  }
  cost.report(micro::kPieces);
  for (LibeventChain& chain : chains) event_free(chain.handle);
  event_base_free(base);
}
BENCHMARK(libevent_callbacks)->Name("a callback on the loop's thread/libevent");

#endif
#if __has_include(<asio.hpp>)

struct AsioChain {
  asio::io_context* context;
  int left = 0;

  void call() {
    if (--left > 0) asio::post(*context, [this] { call(); });
  }
};

void asio_callbacks(benchmark::State& state) {
  asio::io_context context(1);
  std::vector<AsioChain> chains(kChains, AsioChain{&context});
  micro::Cost cost(state);
  for (auto _ : state) {
    for (AsioChain& chain : chains) {
      chain.left = kRounds;
      asio::post(context, [&chain] { chain.call(); });
    }
    context.run();
    context.restart();
  }
  cost.report(micro::kPieces);
}
BENCHMARK(asio_callbacks)->Name("a callback on the loop's thread/asio");

#endif

}  // namespace
