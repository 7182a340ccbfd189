#include "console.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <utility>

#include <eddy/loop/text.h>
#include <eddy/server/process.h>

namespace demo {
namespace {

constexpr int kInput = 0;
constexpr std::size_t kLongestLine = 4096;  // as a terminal has it
constexpr eddy::Duration kPause = std::chrono::milliseconds(500);
constexpr std::string_view kPrompt = ">>> ";

bool in_foreground() { return ::tcgetpgrp(kInput) == ::getpgrp(); }

void say(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); }

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r";
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  text.remove_suffix(text.size() - (text.find_last_not_of(kBlanks) + 1));
  return text;
}

void stop_the_program() { ::kill(eddy::task_id() ? ::getppid() : ::getpid(), SIGTERM); }

std::string one_to_a_line(const std::vector<std::string>& names) {
  std::string lines;
  for (const std::string& name : names) lines += name + '\n';
  return lines.empty() ? "none\n" : lines;
}

}  // namespace

Console::Console(ConsoleCommands commands) : commands_(std::move(commands)) {
  if (!::isatty(kInput) || eddy::task_id().value_or(0) != 0) return;
  ::signal(SIGTTIN, SIG_IGN);  // sent to the background between our look and our read: EIO instead
  loop_.add_handler(kInput, eddy::kRead, [this](int, std::uint32_t events) { readable(events); });
  listening_ = true;
  loop_.add_callback([] {
    if (in_foreground()) say(kPrompt);
  });
}

Console::~Console() { stop(); }

// Our standard input is also the shell's, and so it stays blocking: one read for one event.
void Console::readable(std::uint32_t events) {
  if (events & eddy::kError) return stop();  // the terminal is gone
  if (!in_foreground()) return pause();
  char bytes[kLongestLine];
  const ssize_t count = ::read(kInput, bytes, sizeof bytes);
  if (count < 0) return pause();
  typed({bytes, static_cast<std::size_t>(count)});
}

// A line at a time is what a terminal gives, as a rule. Nothing: Ctrl-D.
void Console::typed(std::string_view bytes) {
  line_ += bytes;
  for (std::size_t end = 0; (end = line_.find('\n')) != std::string::npos;) {
    const std::string command(trimmed(std::string_view(line_).substr(0, end)));
    line_.erase(0, end + 1);
    if (command == "quit") return stop_the_program();
    say(answer(command).append(kPrompt));
  }
  if (line_.size() > kLongestLine) line_.clear();
}

std::string Console::answer(const std::string& command) const {
  if (command.empty()) return "";
  if (command == "clients") return one_to_a_line(commands_.clients());
  if (command == "threads") return one_to_a_line(commands_.threads());
  return "unknown command '" + eddy::printable(command) + "': clients, threads or quit\n";
}

// What is typed now is the shell's, until that has changed.
void Console::pause() {
  loop_.update_handler(kInput, eddy::kNone);
  resume_ = loop_.call_later(kPause, [this] { loop_.update_handler(kInput, eddy::kRead); });
}

void Console::stop() {
  loop_.remove_timeout(resume_);
  if (std::exchange(listening_, false)) loop_.remove_handler(kInput);
}

}  // namespace demo
