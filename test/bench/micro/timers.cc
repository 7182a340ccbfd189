// timers: see timers.h. What a program keeps of each timer is counted with its bytes.
#include "timers.h"

#include <vector>

#include <eddy/loop/io_loop.h>

#include "asio.h"

#if __has_include(<uv.h>)
#include <uv.h>
#endif
#if __has_include(<event2/event.h>)
#include <event2/event.h>
#include <event2/event_struct.h>
#endif

namespace {

using micro::fired;
using micro::kBatch;
using micro::Milliseconds;
using micro::timers_fired;

class Eddy {
 public:
  explicit Eddy(std::size_t size) : timers_(size) {}

  void start(std::size_t number, Milliseconds delay) {
    timers_[number] = loop_.call_later(delay, fired);
  }
  void cancel(std::size_t number) { loop_.remove_timeout(timers_[number]); }
  void after_cancelling() {}
  void run_due() {
    while (timers_fired < kBatch) loop_.turn();
  }

 private:
  eddy::IOLoop loop_;
  std::vector<eddy::IOLoop::Timeout> timers_;
};
MICRO_TIMERS(Eddy, "eddy", 100'000);
MICRO_TIMERS(Eddy, "eddy", 1'000'000);
MICRO_TIMERS(Eddy, "eddy", 10'000'000);

#if __has_include(<uv.h>)

class Libuv {
 public:
  explicit Libuv(std::size_t size) : timers_(size) {
    uv_loop_init(&loop_);
    for (uv_timer_t& timer : timers_) uv_timer_init(&loop_, &timer);
  }
  ~Libuv() {
    for (uv_timer_t& timer : timers_) uv_close(reinterpret_cast<uv_handle_t*>(&timer), nullptr);
    uv_run(&loop_, UV_RUN_DEFAULT);
    uv_loop_close(&loop_);
  }

  void start(std::size_t number, Milliseconds delay) {
    uv_timer_start(
        &timers_[number], [](uv_timer_t*) { fired(); }, static_cast<std::uint64_t>(delay.count()),
        0);
  }
  void cancel(std::size_t number) { uv_timer_stop(&timers_[number]); }
  void after_cancelling() {}
  void run_due() {
    while (timers_fired < kBatch) uv_run(&loop_, UV_RUN_NOWAIT);
  }

 private:
  uv_loop_t loop_;
  std::vector<uv_timer_t> timers_;
};
MICRO_TIMERS(Libuv, "libuv", 1'000'000);

#endif
#if __has_include(<event2/event.h>)

class Libevent {
 public:
  explicit Libevent(std::size_t size) : timers_(size) {
    for (event& timer : timers_)
      evtimer_assign(
          &timer, base_, [](evutil_socket_t, short, void*) { fired(); }, nullptr);
  }
  ~Libevent() {
    for (event& timer : timers_) event_del(&timer);
    event_base_free(base_);
  }

  void start(std::size_t number, Milliseconds delay) {
    const timeval after{.tv_sec = delay.count() / 1000, .tv_usec = delay.count() % 1000 * 1000};
    event_add(&timers_[number], &after);
  }
  void cancel(std::size_t number) { event_del(&timers_[number]); }
  void after_cancelling() {}
  void run_due() {
    while (timers_fired < kBatch) event_base_loop(base_, EVLOOP_NONBLOCK);
  }

 private:
  event_base* base_ = event_base_new();
  std::vector<event> timers_;
};
MICRO_TIMERS(Libevent, "libevent", 1'000'000);

#endif
#if __has_include(<asio.hpp>)

class Asio {
 public:
  explicit Asio(std::size_t size) {
    timers_.reserve(size);
    while (timers_.size() < size) timers_.emplace_back(context_);
  }

  void start(std::size_t number, Milliseconds delay) {
    timers_[number].expires_after(delay);
    timers_[number].async_wait([](const asio::error_code& error) {
      if (!error) fired();
    });
  }
  void cancel(std::size_t number) { timers_[number].cancel(); }
  void after_cancelling() { context_.poll(); }  // its handlers are told of it
  void run_due() {
    while (timers_fired < kBatch) context_.poll();
  }

 private:
  using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                           asio::wait_traits<std::chrono::steady_clock>,
                                           asio::io_context::executor_type>;
  asio::io_context context_{1};
  std::vector<Timer> timers_;
};
MICRO_TIMERS(Asio, "asio", 1'000'000);

#endif

}  // namespace
