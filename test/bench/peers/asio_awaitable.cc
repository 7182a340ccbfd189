// asio_awaitable: the benchmark's lines, echo and sink as C++20 coroutines of asio.
#include "asio_serve.h"

namespace {

using asio::use_awaitable;
using bench::tcp;

asio::awaitable<void> lines(tcp::socket socket) {
  std::string input;
  for (;;) {
    const auto size = co_await asio::async_read_until(
        socket, asio::dynamic_buffer(input, bench::kLongestInput), '\n', use_awaitable);
    co_await asio::async_write(socket, asio::buffer(input.data(), size), use_awaitable);
    input.erase(0, size);
  }
}

asio::awaitable<void> echo(tcp::socket socket) {
  std::array<char, bench::kChunk> buffer;
  for (;;) {
    const auto size = co_await socket.async_read_some(asio::buffer(buffer), use_awaitable);
    co_await asio::async_write(socket, asio::buffer(buffer, size), use_awaitable);
  }
}

asio::awaitable<void> sink(tcp::socket socket) {
  std::array<char, bench::kChunk> buffer;
  std::error_code error;
  std::size_t count = 0;
  while (!error)
    count += co_await socket.async_read_some(asio::buffer(buffer),
                                             asio::redirect_error(use_awaitable, error));
  const std::string answer = std::to_string(count) + "\n";
  co_await asio::async_write(socket, asio::buffer(answer), use_awaitable);
}

// What a conversation throws when its peer goes ends it, and nothing else.
template <asio::awaitable<void> (*conversation)(tcp::socket)>
void converse(tcp::socket socket) {
  const auto executor = socket.get_executor();
  asio::co_spawn(executor, conversation(std::move(socket)), asio::detached);
}

}  // namespace

int main(int argc, char** argv) {
  return bench::serve(argc, argv, {converse<lines>, converse<echo>, converse<sink>});
}
