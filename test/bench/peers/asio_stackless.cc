// asio_stackless: the benchmark's lines, echo and sink as asio's stackless coroutines.
//
// A coroutine is copied into each handler, so what it works with stands apart.
#include "asio_serve.h"

namespace {

using bench::tcp;

class Lines : asio::coroutine {
 public:
  explicit Lines(tcp::socket socket) : state_(std::make_shared<State>(std::move(socket))) {}

  void operator()(std::error_code error = {}, std::size_t count = 0) {
    if (error) return;
    State& state = *state_;
    ASIO_CORO_REENTER(this) {
      for (;;) {
        ASIO_CORO_YIELD asio::async_read_until(
            state.socket, asio::dynamic_buffer(state.input, bench::kLongestInput), '\n', *this);
        ASIO_CORO_YIELD asio::async_write(state.socket, asio::buffer(state.input.data(), count),
                                          *this);
        state.input.erase(0, count);
      }
    }
  }

 private:
  struct State {
    explicit State(tcp::socket connected) : socket(std::move(connected)) {}
    tcp::socket socket;
    std::string input;
  };
  std::shared_ptr<State> state_;
};

class Echo : asio::coroutine {
 public:
  explicit Echo(tcp::socket socket) : state_(std::make_shared<State>(std::move(socket))) {}

  void operator()(std::error_code error = {}, std::size_t count = 0) {
    if (error) return;
    State& state = *state_;
    ASIO_CORO_REENTER(this) {
      for (;;) {
        ASIO_CORO_YIELD state.socket.async_read_some(asio::buffer(state.buffer), *this);
        ASIO_CORO_YIELD asio::async_write(state.socket, asio::buffer(state.buffer, count), *this);
      }
    }
  }

 private:
  struct State {
    explicit State(tcp::socket connected) : socket(std::move(connected)) {}
    tcp::socket socket;
    std::array<char, bench::kChunk> buffer;
  };
  std::shared_ptr<State> state_;
};

class Sink : asio::coroutine {
 public:
  explicit Sink(tcp::socket socket) : state_(std::make_shared<State>(std::move(socket))) {}

  void operator()(std::error_code error = {}, std::size_t count = 0) {
    State& state = *state_;
    ASIO_CORO_REENTER(this) {
      while (!error) {
        ASIO_CORO_YIELD state.socket.async_read_some(asio::buffer(state.buffer), *this);
        state.count += count;
      }
      state.answer = std::to_string(state.count) + "\n";
      ASIO_CORO_YIELD asio::async_write(state.socket, asio::buffer(state.answer), *this);
    }
  }

 private:
  struct State {
    explicit State(tcp::socket connected) : socket(std::move(connected)) {}
    tcp::socket socket;
    std::array<char, bench::kChunk> buffer;
    std::size_t count = 0;
    std::string answer;
  };
  std::shared_ptr<State> state_;
};

template <class Conversation>
void converse(tcp::socket socket) {
  Conversation conversation(std::move(socket));
  conversation();
}

}  // namespace

int main(int argc, char** argv) {
  return bench::serve(argc, argv, {converse<Lines>, converse<Echo>, converse<Sink>});
}
