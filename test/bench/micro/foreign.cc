// foreign: see foreign.h. Every library's own way into a loop from another thread.
#include "foreign.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>

#include <eddy/loop/io_loop.h>

#include "asio.h"

#if __has_include(<uv.h>)
#include <uv.h>
#endif
#if __has_include(<event2/event.h>)
#include <event2/event.h>
#endif

namespace {

// The loop writes to nothing but its own waker here.
class CountingPlatform : public eddy::Platform {
 public:
  ssize_t write(int fd, const void* data, std::size_t size) override {
    ++writes_;
    return eddy::Platform::write(fd, data, size);
  }
  std::int64_t writes() const { return writes_; }

 private:
  std::atomic<std::int64_t> writes_{0};
};

class Eddy {
 public:
  template <class F>
  void post(F callback) {
    loop_.add_callback(callback);
  }
  void run() { loop_.start(); }
  void stop() { loop_.stop(); }
  std::int64_t wake_ups() const { return platform_.writes(); }

 private:
  CountingPlatform platform_;
  const eddy::ScopedPlatform scoped_{platform_};
  eddy::IOLoop loop_;
};
MICRO_FOREIGN(Eddy, "eddy");

#if __has_include(<uv.h>)

class Libuv {
 public:
  Libuv() {
    uv_loop_init(&loop_);
    uv_async_init(&loop_, &ring_,
                  [](uv_async_t* ring) { static_cast<Libuv*>(ring->data)->mailbox_.run_all(); });
    ring_.data = this;
  }
  ~Libuv() {
    uv_close(reinterpret_cast<uv_handle_t*>(&ring_), nullptr);
    uv_run(&loop_, UV_RUN_DEFAULT);
    uv_loop_close(&loop_);
  }
  template <class F>
  void post(F callback) {
    if (mailbox_.put(callback)) uv_async_send(&ring_);
  }
  void run() { uv_run(&loop_, UV_RUN_DEFAULT); }
  void stop() { uv_stop(&loop_); }
  std::int64_t wake_ups() const { return mailbox_.rings(); }

 private:
  uv_loop_t loop_;
  uv_async_t ring_;
  micro::Mailbox mailbox_;
};
MICRO_FOREIGN(Libuv, "libuv");

#endif
#if __has_include(<event2/event.h>)

class Libevent {
 public:
  Libevent() { event_add(ring_, nullptr); }
  ~Libevent() {
    event_free(ring_);
    event_base_free(base_);
    ::close(fd_);
  }
  template <class F>
  void post(F callback) {
    if (mailbox_.put(callback)) eventfd_write(fd_, 1);
  }
  void run() { event_base_dispatch(base_); }
  void stop() { event_base_loopbreak(base_); }
  std::int64_t wake_ups() const { return mailbox_.rings(); }

 private:
  static void heard(evutil_socket_t fd, short, void* self) {
    eventfd_t rings = 0;
    eventfd_read(fd, &rings);
    static_cast<Libevent*>(self)->mailbox_.run_all();
  }

  event_base* base_ = event_base_new();
  int fd_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  event* ring_ = event_new(base_, fd_, EV_READ | EV_PERSIST, heard, this);
  micro::Mailbox mailbox_;
};
MICRO_FOREIGN(Libevent, "libevent");

#endif
#if __has_include(<asio.hpp>)

class Asio {
 public:
  template <class F>
  void post(F callback) {
    asio::post(context_, callback);
  }
  void run() {
    context_.restart();
    context_.run();
  }
  void stop() { context_.stop(); }

 private:
  asio::io_context context_{1};
  const asio::executor_work_guard<asio::io_context::executor_type> work_{context_.get_executor()};
};
MICRO_FOREIGN(Asio, "asio");

#endif

}  // namespace
