// pipes: see pipes.h. Each library watches readiness and the program reads, except with
// asio, whose own way is to be asked for a byte.
#include "pipes.h"

#include <fcntl.h>

#include <cerrno>
#include <system_error>

#include <eddy/loop/io_loop.h>

#include "asio.h"

#if __has_include(<uv.h>)
#include <uv.h>
#endif
#if __has_include(<event2/event.h>)
#include <event2/event.h>
#endif

namespace micro {

Pipes::Pipes() {
  for (Pipe& pipe : pipes_) {
    int ends[2];
    if (::pipe2(ends, O_NONBLOCK | O_CLOEXEC) < 0)
      throw std::system_error(errno, std::generic_category(), "pipe2");
    pipe = {eddy::UniqueFd(ends[0]), eddy::UniqueFd(ends[1])};
  }
}

void Pipes::begin(std::size_t active) {
  left_to_write_ = left_to_read_ = kWrites;
  for (std::size_t i = 0; i < active; ++i) write_one(i * (kPipes / active));
}

void Pipes::write_one(std::size_t pipe) {
  --left_to_write_;
  if (::write(pipes_[pipe].writing.get(), "e", 1) != 1)
    throw std::system_error(errno, std::generic_category(), "write");
}

bool Pipes::readable(std::size_t pipe) {
  char byte = 0;
  if (::read(pipes_[pipe].reading.get(), &byte, 1) != 1)
    throw std::system_error(errno, std::generic_category(), "read");
  return byte_came(pipe);
}

bool Pipes::byte_came(std::size_t pipe) {
  if (left_to_write_ > 0) write_one((pipe + 1) % kPipes);
  return --left_to_read_ == 0;
}

}  // namespace micro

namespace {

using micro::kPipes;
using micro::Pipes;

class Eddy {
 public:
  explicit Eddy(Pipes& pipes) {
    for (std::size_t pipe = 0; pipe < kPipes; ++pipe) {
      readers_[pipe].set(*this, pipes, pipe);
      loop_.add_handler(pipes.reading_end(pipe), eddy::kRead, readers_[pipe]);
    }
  }
  void run() { loop_.start(); }
  void stop() { loop_.stop(); }

 private:
  class Reader : public eddy::EventHandler {
   public:
    void set(Eddy& library, Pipes& pipes, std::size_t pipe) {
      library_ = &library;
      pipes_ = &pipes;
      pipe_ = pipe;
    }
    void handle_events(std::uint32_t) override {
      if (pipes_->readable(pipe_)) library_->stop();
    }

   private:
    Eddy* library_ = nullptr;
    Pipes* pipes_ = nullptr;
    std::size_t pipe_ = 0;
  };

  std::array<Reader, kPipes> readers_;
  eddy::IOLoop loop_;
};
MICRO_PIPES(Eddy, "eddy");

#if __has_include(<uv.h>)

class Libuv {
 public:
  explicit Libuv(Pipes& pipes) : pipes_(pipes) {
    uv_loop_init(&loop_);
    loop_.data = this;
    for (std::size_t pipe = 0; pipe < kPipes; ++pipe) {
      uv_poll_init(&loop_, &polls_[pipe], pipes.reading_end(pipe));
      uv_poll_start(&polls_[pipe], UV_READABLE, readable);
    }
  }
  ~Libuv() {
    for (uv_poll_t& poll : polls_) uv_close(reinterpret_cast<uv_handle_t*>(&poll), nullptr);
    uv_run(&loop_, UV_RUN_DEFAULT);
    uv_loop_close(&loop_);
  }
  void run() { uv_run(&loop_, UV_RUN_DEFAULT); }
  void stop() { uv_stop(&loop_); }

 private:
  static void readable(uv_poll_t* poll, int, int) {
    auto& library = *static_cast<Libuv*>(poll->loop->data);
    if (library.pipes_.readable(static_cast<std::size_t>(poll - library.polls_.data())))
      library.stop();
  }

  Pipes& pipes_;
  uv_loop_t loop_;
  std::array<uv_poll_t, kPipes> polls_;
};
MICRO_PIPES(Libuv, "libuv");

#endif
#if __has_include(<event2/event.h>)

class Libevent {
 public:
  explicit Libevent(Pipes& pipes) {
    for (std::size_t pipe = 0; pipe < kPipes; ++pipe) {
      Reader& reader = readers_[pipe];
      reader = {this, &pipes, pipe,
                event_new(base_, pipes.reading_end(pipe), EV_READ | EV_PERSIST, readable, &reader)};
      event_add(reader.handle, nullptr);
    }
  }
  ~Libevent() {
    for (Reader& reader : readers_) event_free(reader.handle);
    event_base_free(base_);
  }
  void run() { event_base_dispatch(base_); }
  void stop() { event_base_loopbreak(base_); }

 private:
  struct Reader {
    Libevent* library;
    Pipes* pipes;
    std::size_t pipe;
    event* handle;
  };
  static void readable(evutil_socket_t, short, void* argument) {
    const Reader& reader = *static_cast<Reader*>(argument);
    if (reader.pipes->readable(reader.pipe)) reader.library->stop();
  }

  event_base* base_ = event_base_new();
  std::array<Reader, kPipes> readers_;
};
MICRO_PIPES(Libevent, "libevent");

#endif
#if __has_include(<asio.hpp>)

class Asio {
 public:
  explicit Asio(Pipes& pipes) : pipes_(pipes) {
    ends_.reserve(kPipes);
    for (std::size_t pipe = 0; pipe < kPipes; ++pipe) {
      ends_.emplace_back(context_, ::dup(pipes.reading_end(pipe)));
      ask(pipe);
    }
  }
  void run() {
    context_.restart();
    context_.run();
  }
  void stop() { context_.stop(); }

 private:
  using End = asio::posix::basic_stream_descriptor<asio::io_context::executor_type>;

  void ask(std::size_t pipe) {
    ends_[pipe].async_read_some(asio::buffer(&bytes_[pipe], 1),
                                [this, pipe](const asio::error_code& error, std::size_t) {
                                  if (!error) came(pipe);
                                });
  }
  void came(std::size_t pipe) {
    if (pipes_.byte_came(pipe)) stop();
    ask(pipe);
  }

  Pipes& pipes_;
  std::array<char, kPipes> bytes_{};
  asio::io_context context_{1};
  std::vector<End> ends_;
};
MICRO_PIPES(Asio, "asio");

#endif

}  // namespace
