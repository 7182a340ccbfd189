// rpc_call: one call of a telnet_rpc server, from the shell.
//
//   rpc_call [--timeout SECONDS] HOST:PORT handler.method [ARG…]

#include <netdb.h>

#include <cstdio>
#include <string_view>

#include <eddy/loop/await.h>
#include <eddy/loop/executor.h>
#include <eddy/loop/gen.h>
#include <eddy/loop/run_sync.h>
#include <eddy/proto/rpc_arguments.h>
#include <eddy/proto/rpc_client.h>

#include "support/flags.h"

namespace {

using eddy::Future;

enum ExitCode { kOk = 0, kErrorAnswer = 1, kUsage = 2, kUnreachable = 3 };

struct Target {
  std::string host;
  std::string port;
};

// `127.0.0.1:8888`, `[::1]:8888`, `localhost:8888`.
std::optional<Target> parse_target(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  if (port.empty() || port.size() > 5 ||
      port.find_first_not_of("0123456789") != std::string_view::npos ||
      std::stoul(std::string(port)) > 65535)
    return std::nullopt;
  if (host.starts_with('[') && host.ends_with(']'))
    host = host.substr(1, host.size() - 2);
  else if (host.find(':') != std::string_view::npos)
    return std::nullopt;
  return Target{std::string(host), std::string(port)};
}

std::vector<eddy::SocketAddress> resolve(const Target& target) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(target.host.c_str(), target.port.c_str(), &hints, &found))
    throw std::runtime_error("cannot resolve '" + target.host + "': " + ::gai_strerror(error));
  std::vector<eddy::SocketAddress> addresses;
  for (const addrinfo* one = found; one; one = one->ai_next)
    addresses.push_back(eddy::SocketAddress::from(one->ai_addr, one->ai_addrlen));
  ::freeaddrinfo(found);
  return addresses;
}

Future<std::unique_ptr<eddy::IOStream>> connect(Target target) {
  // In a statement of its own: g++ 12 miscompiles a closure that is made inside a co_await.
  Future<std::vector<eddy::SocketAddress>> resolving = eddy::IOLoop::current().run_in_executor(
      [target = std::move(target)] { return resolve(target); });
  const auto addresses = co_await std::move(resolving);
  for (std::size_t at = 0;; ++at) {
    auto stream = std::make_unique<eddy::IOStream>(eddy::open_socket(addresses[at].family()));
    try {
      co_await stream->connect(addresses[at]);
      co_return stream;
    } catch (const eddy::StreamClosedError&) {
      if (at + 1 == addresses.size()) throw;
    }
  }
}

struct Call {
  std::string handler;
  std::string method;
  std::vector<std::string> arguments;
};

Future<int> call(Target target, const Call& wanted) {
  eddy::RPCClient client(co_await connect(std::move(target)));
  try {
    const std::string answer =
        co_await client.call(wanted.handler, wanted.method, wanted.arguments);
    std::fwrite(answer.data(), 1, answer.size(), stdout);
    if (!answer.empty() && !answer.ends_with('\n')) std::putchar('\n');
    co_return kOk;
  } catch (const eddy::RpcError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    co_return kErrorAnswer;
  } catch (const eddy::StreamClosedError&) {
    if (client.last_notice().empty()) throw;
    throw std::runtime_error("the server says: " + client.last_notice());
  }
}

int unreachable(const char* why) {
  std::fprintf(stderr, "rpc_call: %s\n", why);
  return kUnreachable;
}

}  // namespace

int main(int count, char** arguments) {
  eddy::Duration timeout{};
  std::vector<std::string> words;
  demo::Flags flags("rpc_call", "Calls one method of a telnet_rpc server and prints its answer.");
  flags.add_seconds("--timeout", timeout, "for the whole call; 0: none");
  flags.add_words(words, "rpc_call [--timeout SECONDS] HOST:PORT handler.method [ARG...]");
  if (const auto exit_code = flags.parse(count, arguments)) return *exit_code;
  if (words.size() < 2)
    return demo::usage_error("rpc_call", "want HOST:PORT handler.method [ARG...]");
  const auto target = parse_target(words[0]);
  if (!target) return demo::usage_error("rpc_call", "'" + words[0] + "' is not HOST:PORT");
  const std::size_t dot = words[1].find('.');
  if (dot == std::string::npos || dot == 0 || dot + 1 == words[1].size())
    return demo::usage_error("rpc_call", "'" + words[1] + "' is not handler.method");
  for (const std::string& word : words)
    if (word.find_first_of("\r\n") != std::string::npos)
      return demo::usage_error("rpc_call", "an argument can't hold a line end");

  const Call wanted{
      words[1].substr(0, dot), words[1].substr(dot + 1), {words.begin() + 2, words.end()}};
  eddy::IOLoop loop;
  try {
    return loop.run_sync([&] { return call(*target, wanted); },
                         timeout > eddy::Duration::zero() ? timeout : eddy::Duration::max());
  } catch (const eddy::TimeoutError&) {
    return unreachable("no answer within --timeout");
  } catch (const std::exception& error) {
    return unreachable(error.what());
  }
}
