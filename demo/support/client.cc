#include "client.h"

#include <signal.h>

#include <cerrno>
#include <cstdio>
#include <exception>
#include <system_error>
#include <utility>
#include <vector>

#include <eddy/loop/await.h>
#include <eddy/loop/gen.h>
#include <eddy/loop/run_sync.h>
#include <eddy/loop/text.h>

namespace demo {
namespace {

using eddy::Future;

int failed(const std::string& program, const std::string& why) {
  std::fprintf(stderr, "%s: %s\n", program.c_str(), eddy::printable(why, 1024).c_str());
  return 1;
}

int exit_code_of(const std::string& program, const std::function<void()>& run) {
  try {
    run();
    return 0;
  } catch (const eddy::StreamClosedError& error) {
    return failed(program, std::string("cut off: ") + error.what());
  } catch (const std::exception& error) {
    return failed(program, error.what());
  }
}

[[noreturn]] void output_failed() {
  throw std::system_error(errno, std::generic_category(), "standard output");
}

}  // namespace

eddy::TCPClient::Connection connect(const Endpoint& server) {
  const eddy::TCPClient client;
  return server.unix_path.empty() ? client.connect(server.address, server.port)
                                  : client.connect_unix(server.unix_path);
}

Future<> either(Future<> one, Future<> other) {
  std::vector<Future<>> both;
  both.push_back(std::move(one));
  both.push_back(std::move(other));
  eddy::WaitIterator<void> first(std::move(both));
  co_await first.next();
}

int converse(const std::string& program, const std::function<Future<>()>& conversation) {
  return exit_code_of(program, [&] {
    eddy::IOLoop loop;
    loop.run_sync(conversation);
  });
}

int converse_until_stopped(const std::string& program,
                           const std::function<Future<>()>& conversation) {
  return exit_code_of(program, [&] {
    eddy::IOLoop loop;
    eddy::Promise<> stopped("a signal");
    for (const int signal : {SIGTERM, SIGINT})
      loop.add_signal_handler(signal, [&] {
        if (!stopped.done()) stopped.set_result();
      });
    loop.run_sync([&] { return either(conversation(), stopped.future()); });
  });
}

void print(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) < text.size()) output_failed();
}

void flush() {
  if (std::fflush(stdout) != 0) output_failed();
}

}  // namespace demo
