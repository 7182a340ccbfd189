#include "program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <system_error>

#include <eddy/loop/log.h>

#include "demo_process.h"

namespace eddy {
namespace {

int run(const Program::Body& body, Program& self) {
  for (const int signal : {SIGINT, SIGQUIT}) ::signal(signal, SIG_DFL);  // ignored in a job of sh's
  try {
    return body(self);
  } catch (const std::exception& error) {
    self.tell(std::string("exception: ") + error.what());
    return 99;
  }
}

}  // namespace

Program::Program(const Body& body) {
  int both[2];
  if (::pipe2(both, O_CLOEXEC) < 0)
    throw std::system_error(errno, std::generic_category(), "pipe2");
  reader_ = UniqueFd(both[0]);
  writer_ = UniqueFd(both[1]);
  std::fflush(nullptr);
  pid_ = ::fork();
  if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (pid_ == 0) ::_exit(run(body, *this));
  writer_.reset();
}

Program::~Program() {
  if (pid_ < 0) return;
  kill(SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void Program::tell(const std::string& line) const {
  const std::string whole = line + '\n';  // less than a pipe takes in one piece
  static_cast<void>(!::write(writer_.get(), whole.data(), whole.size()));
}

void Program::log_to_test() const {
  log::set_sink([this](log::Level, std::string_view line) { tell(std::string(line)); });
}

std::string Program::hear() {
  constexpr int kMilliseconds = 20'000;
  for (;;) {
    if (const std::size_t end = heard_.find('\n'); end != heard_.npos) {
      std::string line = heard_.substr(0, end);
      heard_.erase(0, end + 1);
      return line;
    }
    pollfd ready{reader_.get(), POLLIN, 0};
    if (::poll(&ready, 1, kMilliseconds) == 0) throw std::runtime_error("the program says nothing");
    char bytes[4096];
    const ssize_t count = ::read(reader_.get(), bytes, sizeof bytes);
    if (count == 0) return "";
    if (count > 0) heard_.append(bytes, static_cast<std::size_t>(count));
  }
}

std::set<std::string> Program::hear(std::size_t lines) {
  std::set<std::string> all;
  for (std::size_t heard = 0; heard < lines; ++heard) all.insert(hear());
  return all;
}

std::string Program::hear_until(const std::string& part) {
  for (;;) {
    std::string line = hear();
    if (line.empty() || line.find(part) != line.npos) return line;
  }
}

std::string Program::hear_to_end() {
  std::string all;
  for (std::string line = hear(); !line.empty(); line = hear()) all += line + '\n';
  return all;
}

void Program::kill(int signal) const { ::kill(pid_, signal); }

int Program::wait() {
  int status = 0;
  if (!eventually([&] { return ::waitpid(pid_, &status, WNOHANG) != 0; }))
    throw std::runtime_error("the program does not end");
  pid_ = -1;
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace eddy
