#include "demo_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <system_error>

namespace eddy {
namespace {

struct PipeEnds {
  UniqueFd reader;
  UniqueFd writer;
};

PipeEnds make_pipe() {
  int both[2];
  if (::pipe2(both, O_CLOEXEC) < 0)
    throw std::system_error(errno, std::generic_category(), "pipe2");
  return {UniqueFd(both[0]), UniqueFd(both[1])};
}

// These two in the child, where only what a signal handler may do is allowed.
void take_input(int terminal) {
  if (terminal < 0) return static_cast<void>(::dup2(::open("/dev/null", O_RDONLY | O_CLOEXEC), 0));
  ::setsid();
  ::dup2(terminal, 0);
  ::ioctl(0, TIOCSCTTY, 0);
}

[[noreturn]] void become(char** words, int out, int err, const Surroundings& around) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (const int signal : {SIGPIPE, SIGINT, SIGQUIT}) ::signal(signal, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const Surroundings::Limit& limit : around.limits) {
    const rlimit both{limit.value, limit.value};
    ::setrlimit(static_cast<__rlimit_resource>(limit.resource), &both);
  }
  if (around.close_standard_streams) {
    for (const int fd : {0, 1, 2}) ::close(fd);
  } else {
    take_input(around.terminal);
    ::dup2(around.out < 0 ? out : around.out, 1);
    ::dup2(around.err < 0 ? err : around.err, 2);
  }
  ::execvp(words[0], words);
  ::_exit(127);
}

pid_t start(const std::string& path, const DemoProcess::Words& arguments, int out, int err,
            const Surroundings& around) {
  std::vector<std::string> words = {path};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  const pid_t child = ::fork();
  if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (child == 0) become(pointers.data(), out, err, around);
  return child;
}

}  // namespace

bool eventually(const std::function<bool()>& condition, Seconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));  // between two looks
  }
  return true;
}

Outpour::Outpour(UniqueFd reader) : reader_(std::move(reader)) {
  PipeEnds farewell = make_pipe();
  ends_ = std::move(farewell.writer);
  thread_ = std::thread([this, farewell = std::move(farewell.reader)] {
    char bytes[65536];
    pollfd both[] = {{reader_.get(), POLLIN, 0}, {farewell.get(), POLLIN, 0}};
    for (;;) {
      ::poll(both, 2, -1);
      const ssize_t count = both[0].revents ? ::read(reader_.get(), bytes, sizeof bytes) : 0;
      const std::lock_guard lock(mutex_);
      if (count > 0) text_.append(bytes, static_cast<std::size_t>(count));
      ended_ = count <= 0;
      changed_.notify_all();
      if (ended_) return;
    }
  });
}

Outpour::~Outpour() {
  ends_.reset();
  thread_.join();
}

std::string Outpour::text() const {
  const std::lock_guard lock(mutex_);
  return text_;
}

bool Outpour::wait_for(std::string_view part, Seconds patience) {
  std::unique_lock lock(mutex_);
  const auto found = [&] { return text_.find(part) != std::string::npos; };
  changed_.wait_for(lock, patience, [&] { return ended_ || found(); });
  return found();
}

std::string Outpour::wait_to_end(Seconds patience) {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, patience, [&] { return ended_; }))
    throw std::runtime_error("the program does not end its output: " + text_);
  return text_;
}

struct DemoProcess::Pipes {
  PipeEnds out = make_pipe();
  PipeEnds err = make_pipe();
};

std::string DemoProcess::path_of(std::string_view demo) {
  const char* folder = std::getenv("EDDY_DEMO_DIR");
  return std::string(folder ? folder : "build/demo") + '/' + std::string(demo);
}

DemoProcess::DemoProcess(const std::string& path, const Words& arguments,
                         const Surroundings& around)
    : DemoProcess(Pipes(), path, arguments, around) {}

DemoProcess::DemoProcess(Pipes pipes, const std::string& path, const Words& arguments,
                         const Surroundings& around)
    : pid_(start(path, arguments, pipes.out.writer.get(), pipes.err.writer.get(), around)),
      out_(std::move(pipes.out.reader)),
      err_(std::move(pipes.err.reader)) {}

DemoProcess::~DemoProcess() {
  if (reaped_) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void DemoProcess::kill(int signal) const {
  if (!reaped_) ::kill(pid_, signal);
}

int DemoProcess::wait(Seconds patience) {
  const auto ended = [this] {
    reaped_ = reaped_ || ::waitpid(pid_, &status_, WNOHANG) == pid_;
    return reaped_;
  };
  if (!eventually(ended, patience))
    throw std::runtime_error("the program does not end; it said: " + err_.text());
  return WIFEXITED(status_) ? WEXITSTATUS(status_) : -WTERMSIG(status_);
}

std::string DemoProcess::proc(const std::string& file) const {
  std::ifstream stream("/proc/" + std::to_string(pid_) + '/' + file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::size_t DemoProcess::resident_bytes() const {
  std::istringstream numbers(proc("statm"));
  std::size_t whole = 0;
  std::size_t resident = 0;
  numbers >> whole >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

std::size_t DemoProcess::entries(const std::string& directory) const {
  const std::filesystem::directory_iterator all("/proc/" + std::to_string(pid_) + '/' + directory);
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

std::size_t DemoProcess::descriptors() const { return entries("fd"); }

std::size_t DemoProcess::threads() const { return entries("task"); }

Seconds DemoProcess::cpu_time() const {
  const std::string stat = proc("stat");
  std::istringstream fields(stat.substr(stat.rfind(')') + 1));
  const std::vector<std::string> all{std::istream_iterator<std::string>(fields), {}};
  const double ticks = std::stod(all.at(11)) + std::stod(all.at(12));  // utime and stime
  return Seconds(ticks / static_cast<double>(::sysconf(_SC_CLK_TCK)));
}

std::size_t DemoProcess::context_switches() const {
  constexpr std::string_view kName = "\nvoluntary_ctxt_switches:";
  const std::string status = proc("status");
  return std::stoul(status.substr(status.find(kName) + kName.size()));
}

char DemoProcess::state() const {
  const std::string stat = proc("stat");
  return stat.at(stat.rfind(')') + 2);
}

bool DemoProcess::is_stopped() const { return state() == 'T'; }

bool DemoProcess::is_asleep() const { return state() == 'S'; }

namespace {

constexpr std::string_view kStopped = "--- stopped by SIGSTOP ---";

std::size_t times(std::string_view part, const std::string& text) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++found;
  return found;
}

}  // namespace

Injection::Injection(const DemoProcess& program, const DemoProcess::Words& injections)
    : program_(program), strace_("strace", [&] {
        DemoProcess::Words words = {"-f", "-p", std::to_string(program.pid())};
        for (const std::string& one : injections)
          words.insert(words.end(), {"-e", "inject=" + one});
        return words;
      }()) {
  if (!strace_.err().wait_for(" attached")) throw std::runtime_error(strace_.err().text());
}

// A call that strace has begun to fail when it detaches comes back as ENOSYS, which nobody asked
// for. So the program stands still meanwhile, each of its threads outside of all calls.
Injection::~Injection() {
  program_.kill(SIGSTOP);
  try {
    eventually([&] { return times(kStopped, strace_.err().text()) >= program_.threads(); });
    strace_.kill(SIGINT);  // it detaches
    strace_.wait();
  } catch (const std::runtime_error&) {  // the program has gone, or strace will be killed
  }
  program_.kill(SIGCONT);
}

}  // namespace eddy
