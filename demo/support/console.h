// Console: what an operator types while the server runs.
//
// The `while True: cmd = input('>>>')` of the article's servers, on the loop and not on a thread.
// It listens while standard input is a terminal and we are in its foreground: a job in the
// background takes nothing away from the shell, and is not stopped for trying. Of several workers
// only the first, task id 0, has one, and the clients and threads that it lists are its own.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <eddy/loop/io_loop.h>

namespace demo {

// `quit` stops the program, all its workers included, as SIGTERM does. What the other two list is
// asked for when it is wanted; prompt and answers go to stderr.
struct ConsoleCommands {
  std::function<std::vector<std::string>()> clients;
  std::function<std::vector<std::string>()> threads = [] { return std::vector<std::string>(); };
};

class Console {
 public:
  explicit Console(ConsoleCommands commands);  // on the current loop, once it runs
  ~Console();
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

 private:
  void readable(std::uint32_t events);
  void typed(std::string_view bytes);
  std::string answer(const std::string& command) const;
  void pause();
  void stop();

  const ConsoleCommands commands_;
  eddy::IOLoop& loop_ = eddy::IOLoop::current();
  bool listening_ = false;
  eddy::IOLoop::Timeout resume_;
  std::string line_;  // that has begun
};

}  // namespace demo
