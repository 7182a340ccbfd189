// Supervisor: the parent's part of fork_processes.
//
// Mirrors the second half of tornado.process.fork_processes. It has no loop: it waits for its
// children and for signals, and has nothing else to do.
//
//   running --SIGTERM, SIGINT--> stopping --all have ended, or a second one kills them--> over
//      \--too many crashes--> giving up --all have ended, some of them killed--> over
//      \--a signal that no worker handles--> giving up
#pragma once

#include <signal.h>
#include <sys/signalfd.h>

#include <cstddef>
#include <deque>
#include <optional>
#include <set>
#include <vector>

#include "child_process.h"
#include "process.h"

namespace eddy {

// The signals that a parent passes on are blocked while this lives, and waiting in fd().
class PassedSignals {
 public:
  PassedSignals();
  ~PassedSignals();
  PassedSignals(const PassedSignals&) = delete;
  PassedSignals& operator=(const PassedSignals&) = delete;

  int fd() const { return fd_.get(); }
  std::optional<signalfd_siginfo> next();
  static bool waits(int signal);                        // next() will give it
  void leave_blocked(const std::vector<int>& signals);  // when this goes, until a loop handles them

 private:
  sigset_t before_;
  UniqueFd fd_;
};

class Supervisor {
 public:
  static constexpr Duration kFirstPause = std::chrono::milliseconds(10);  // of the second restart
  static constexpr Duration kLongestPause = std::chrono::seconds(1);

  Supervisor(int processes, const ForkOptions& options);
  ~Supervisor();  // when something was thrown: kills the children
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  Forked run();  // in a child, and in the parent

 private:
  struct Worker {
    ChildProcess process;  // none: it has ended
    TimePoint began{};
    bool missed_interrupt = false;      // a terminal's, which came before it was forked
    std::optional<TimePoint> due{};     // when it is to be started
    Duration pause = Duration::zero();  // before the next restart, unless it lives for long
  };

  std::optional<int> start_due();  // in a new child, its id
  bool start(Worker& worker);      // true: we are the child
  bool over() const;
  void wait();
  Duration time_to_wait() const;
  void pass_on(const signalfd_siginfo& arrived);
  void send_to_all(int signal);
  void stop();  // starting new ones
  void end_at_once(int signal);
  void ended(Worker& worker);
  bool as_asked(const std::optional<int>& status) const;
  bool by_passed_signal(const std::optional<int>& status) const;
  void crashed(Worker& worker);
  void give_up();
  void end_unhandled(int signal);
  void end_all(int exit_code);
  int worker_id(const Worker& worker) const;

  const ForkOptions& options_;
  PassedSignals signals_;
  std::vector<Worker> workers_;         // by task id
  std::deque<TimePoint> crashes_;       // within the window
  std::optional<int> asked_to_stop_{};  // by this signal
  std::set<int> passed_on_;             // signals that all workers were sent
  std::optional<TimePoint> kill_at_{};
  bool started_ = false;  // all have been forked once
  bool stopping_ = false;
  bool gave_up_ = false;
  int exit_code_ = 0;
};

}  // namespace eddy
