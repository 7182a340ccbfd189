// that_is_all_client: says each of its arguments to a that_is_all_server, and prints what comes
// back.

#include <eddy/loop/await.h>
#include <eddy/stream/close_gracefully.h>

#include "support/client.h"
#include "support/flags.h"

namespace {

using eddy::Future;

constexpr const char* kProgram = "that_is_all_client";
constexpr std::string_view kDelimiter = "that is all!";

// Why it can't be said, or nothing. The server takes blanks alone for the goodbye.
std::string problem_with(const std::string& message) {
  if (message.find_first_not_of(" \t\r\n") == message.npos) return "an argument is empty or blank";
  if (message.find(kDelimiter) == message.npos) return "";
  return "an argument can't hold `" + std::string(kDelimiter) + "`, which ends each message";
}

Future<> talk(const demo::Endpoint& server, const std::vector<std::string>& messages) {
  const std::unique_ptr<eddy::IOStream> stream = co_await demo::connect(server);
  for (const std::string& message : messages) {
    co_await stream->write(message + std::string(kDelimiter));
    const std::string answer = co_await stream->read_until(kDelimiter);
    demo::print(answer + '\n');
    demo::flush();
  }
  co_await stream->write(kDelimiter);
  co_await close_gracefully(*stream);
}

}  // namespace

int main(int count, char** arguments) {
  demo::Endpoint server;
  server.port = 8000;
  std::vector<std::string> messages;
  demo::Flags flags(kProgram, "Says its arguments to a that_is_all_server.");
  flags.add(server);
  flags.add_words(messages,
                  "that_is_all_client [--address ADDR --port N | --unix PATH] [--] [MESSAGE...]");
  if (const auto exit_code = flags.parse(count, arguments)) return *exit_code;
  if (messages.empty()) messages = {"hi dude! ", "whats up! "};
  for (const std::string& message : messages)
    if (const std::string problem = problem_with(message); !problem.empty())
      return demo::usage_error(kProgram, problem);

  return demo::converse(kProgram, [&] { return talk(server, messages); });
}
