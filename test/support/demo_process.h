// DemoProcess: a demo program that really runs, seen from the outside.
//
// What it prints is collected on threads, so that it never waits for us. Whatever a test waits for
// is an event with a generous deadline; a deadline that passes throws, and fails the test. A
// program that still runs when its DemoProcess ends is killed.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <eddy/loop/unique_fd.h>

namespace eddy {

using Seconds = std::chrono::duration<double>;
inline constexpr Seconds kPatience{20};

// Asks again and again until it is so; false when it never was.
bool eventually(const std::function<bool()>& condition, Seconds patience = kPatience);

// The bytes that come out of a pipe.
class Outpour {
 public:
  explicit Outpour(UniqueFd reader);
  ~Outpour();
  std::string text() const;
  // Waits until it contains `part`, or until it has ended; gives whether it was found.
  bool wait_for(std::string_view part, Seconds patience = kPatience);
  std::string wait_to_end(Seconds patience = kPatience);

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::string text_;
  bool ended_ = false;
  UniqueFd reader_;
  UniqueFd ends_;  // hung up when we go, whoever else still holds the other end of the pipe
  std::thread thread_;
};

// What a program is born into.
struct Surroundings {
  struct Limit {
    int resource;  // RLIMIT_NOFILE
    rlim_t value;
  };
  std::vector<Limit> limits{};
  bool close_standard_streams = false;
  int terminal = -1;  // its standard input, and its session's own; without one: /dev/null
  int out = -1;       // what its stdout is, instead of what out() reads
  int err = -1;       // and its stderr
};

class DemoProcess {
 public:
  using Words = std::vector<std::string>;

  static std::string path_of(std::string_view demo);  // in EDDY_DEMO_DIR, or build/demo

  DemoProcess(const std::string& path, const Words& arguments, const Surroundings& around = {});
  ~DemoProcess();
  DemoProcess(const DemoProcess&) = delete;
  DemoProcess& operator=(const DemoProcess&) = delete;

  Outpour& out() { return out_; }
  Outpour& err() { return err_; }
  pid_t pid() const { return pid_; }
  void kill(int signal) const;
  int wait(Seconds patience = kPatience);  // the exit code, or minus the signal that ended it

  // What /proc says.
  std::size_t resident_bytes() const;
  std::size_t descriptors() const;
  std::size_t threads() const;
  Seconds cpu_time() const;
  std::size_t context_switches() const;  // voluntary: a thread that sleeps has none
  bool is_stopped() const;
  bool is_asleep() const;  // it waits for something, and not for a core

 private:
  std::string proc(const std::string& file) const;
  char state() const;
  std::size_t entries(const std::string& directory) const;

  pid_t pid_;
  bool reaped_ = false;
  int status_ = 0;
  Outpour out_;
  Outpour err_;

  struct Pipes;
  DemoProcess(Pipes pipes, const std::string& path, const Words& arguments,
              const Surroundings& around);
};

// Makes the kernel answer a running program's system calls with failures: strace's --inject, such
// as `accept4:error=ENFILE:when=1+3`. In force when constructed, and no more when destroyed; the
// program must outlive it.
class Injection {
 public:
  Injection(const DemoProcess& program, const DemoProcess::Words& injections);
  ~Injection();

 private:
  const DemoProcess& program_;
  DemoProcess strace_;
};

}  // namespace eddy
