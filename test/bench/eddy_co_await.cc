// eddy_co_await: the benchmark's conversations as C++20 coroutines.
#include <vector>

#include <eddy/loop/await.h>

#include "eddy_serve.h"

namespace {

using Stream = std::unique_ptr<eddy::IOStream>;

eddy::Future<> echo_lines(Stream stream, bench::Await await) {
  for (;;) {
    const eddy::Future<std::string> line = stream->read_until("\n");
    co_await bench::write_back(*stream, co_await line, await);
  }
}

eddy::Future<> echo(Stream stream, bench::Await await) {
  std::vector<char> memory(bench::kChunk);
  for (;;) {
    const std::size_t count = co_await stream->read_into(memory, true);
    co_await bench::write_back(*stream, {memory.data(), count}, await);
  }
}

eddy::Future<std::size_t> count_to_the_end(eddy::IOStream& stream) {
  std::vector<char> memory(bench::kChunk);
  std::size_t count = 0;
  try {
    for (;;) count += co_await stream.read_into(memory, true);
  } catch (const eddy::StreamClosedError&) {
    co_return count;
  }
}

eddy::Future<> sink(Stream stream, bench::Await) {
  const std::size_t count = co_await count_to_the_end(*stream);
  co_await stream->write(bench::count_line(count));
}

eddy::Future<> take_messages(Stream stream, bench::Await) {
  for (;;) {
    const std::string length = co_await stream->read_until("\n", 32);
    const std::string message = co_await stream->read_bytes(std::stoul(length));
    co_await stream->write(bench::count_line(message.size()));
  }
}

eddy::Future<> take_headers(Stream stream, bench::Await) {
  for (;;) {
    const std::string header = co_await stream->read_until_regex("\r?\n\r?\n");
    co_await stream->write(bench::count_line(header.size()));
  }
}

bench::Converse conversation(bench::Serve serve) {
  switch (serve) {
    case bench::Serve::lines: return echo_lines;
    case bench::Serve::echo: return echo;
    case bench::Serve::sink: return sink;
    case bench::Serve::message: return take_messages;
    case bench::Serve::header: return take_headers;
  }
  return echo_lines;
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Options options = bench::parse_options(argc, argv);
  return bench::serve(options, conversation(options.serve));
}
