// rpc_call: one call of a telnet_rpc server, from the shell.
//
//   rpc_call [--timeout SECONDS] HOST:PORT handler.method [ARG…]
//   rpc_call [--timeout SECONDS] --unix PATH handler.method [ARG…]

#include <cstdio>
#include <string_view>
#include <system_error>

#include <eddy/loop/await.h>
#include <eddy/loop/run_sync.h>
#include <eddy/proto/rpc_arguments.h>
#include <eddy/proto/rpc_client.h>

#include "support/client.h"
#include "support/flags.h"

namespace {

using eddy::Future;

// kError: that was the answer, or standard output does not take it.
enum ExitCode { kOk = 0, kError = 1, kUsage = 2, kUnreachable = 3 };

// `127.0.0.1:8888`, `[::1]:8888`, `localhost:8888`.
std::optional<demo::Endpoint> parse_endpoint(std::string_view text) {
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
  demo::Endpoint server;
  server.address = host;
  server.port = static_cast<std::uint16_t>(std::stoul(std::string(port)));
  return server;
}

int print(const std::string& answer) try {
  demo::print(answer);
  if (!answer.empty() && !answer.ends_with('\n')) demo::print("\n");
  demo::flush();
  return kOk;
} catch (const std::system_error& error) {
  std::fprintf(stderr, "rpc_call: %s\n", error.what());
  return kError;
}

struct Call {
  std::string handler;
  std::string method;
  std::vector<std::string> arguments;
};

Future<int> call(const demo::Endpoint& server, const Call& wanted) {
  eddy::RPCClient client(co_await demo::connect(server));
  try {
    const std::string answer =
        co_await client.call(wanted.handler, wanted.method, wanted.arguments);
    co_return print(answer);
  } catch (const eddy::RpcError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    co_return kError;
  } catch (const eddy::StreamClosedError&) {
    if (client.last_notice().empty()) throw;
    throw std::runtime_error("the server says: " + client.last_notice());
  }
}

int unreachable(const char* why) {
  std::fprintf(stderr, "rpc_call: %s\n", why);
  return kUnreachable;
}

// `handler.method [ARG…]`.
std::optional<Call> parse_call(const std::vector<std::string>& words) {
  const std::string& name = words.front();
  const std::size_t dot = name.find('.');
  if (dot == std::string::npos || dot == 0 || dot + 1 == name.size()) return std::nullopt;
  return Call{name.substr(0, dot), name.substr(dot + 1), {words.begin() + 1, words.end()}};
}

int usage_error(const std::string& problem) { return demo::usage_error("rpc_call", problem); }

}  // namespace

int main(int count, char** arguments) {
  demo::Endpoint server;
  eddy::Duration timeout{};
  std::vector<std::string> words;
  demo::Flags flags("rpc_call", "Calls one method of a telnet_rpc server and prints its answer.");
  flags.add_seconds("--timeout", timeout, "for the whole call; 0: none");
  flags.add_unix_path(server.unix_path, "the server's Unix socket, instead of HOST:PORT");
  flags.add_command(words, "rpc_call [--timeout SECONDS] HOST:PORT handler.method [ARG...]");
  if (const auto exit_code = flags.parse(count, arguments)) return *exit_code;
  if (words.size() < (server.unix_path.empty() ? 2U : 1U))
    return usage_error("want HOST:PORT, or --unix PATH, and handler.method [ARG...]");
  for (const std::string& word : words)
    if (word.find_first_of("\r\n") != std::string::npos)
      return usage_error("an argument can't hold a line end");
  if (server.unix_path.empty()) {
    const auto named = parse_endpoint(words.front());
    if (!named) return usage_error("'" + words.front() + "' is not HOST:PORT");
    server = *named;
    words.erase(words.begin());
  }
  const auto wanted = parse_call(words);
  if (!wanted) return usage_error("'" + words.front() + "' is not handler.method");

  eddy::IOLoop loop;
  try {
    return loop.run_sync([&] { return call(server, *wanted); },
                         timeout > eddy::Duration::zero() ? timeout : eddy::Duration::max());
  } catch (const eddy::TimeoutError&) {
    return unreachable("no answer within --timeout");
  } catch (const std::exception& error) {
    return unreachable(error.what());
  }
}
