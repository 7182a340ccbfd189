#include "supervisor.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <system_error>
#include <utility>

#include "../loop/log.h"
#include "../loop/platform.h"
#include "../loop/run_logged.h"
#include "../loop/signals.h"
#include "forked_child.h"

namespace eddy {
namespace {

constexpr int kPassedOn[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2};

TimePoint now() { return Platform::current().now(); }

sigset_t set_of(const auto& signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  return set;
}

int exit_code_of(const std::optional<int>& status) {  // as a shell would say it
  if (!status) return 0;
  return *status < 0 ? 128 - *status : *status;
}

std::string how_it_ended(const std::optional<int>& status) {
  if (!status) return "ended, nobody knows how (is SIGCHLD ignored?)";
  return *status < 0 ? "was ended by " + describe_signal(-*status)
                     : "ended with exit code " + std::to_string(*status);
}

}  // namespace

PassedSignals::PassedSignals() {
  const sigset_t passed_on = set_of(kPassedOn);
  fd_ = above_standard_streams(UniqueFd(::signalfd(-1, &passed_on, SFD_NONBLOCK | SFD_CLOEXEC)));
  if (!fd_) throw std::system_error(errno, std::generic_category(), "signalfd");
  ::pthread_sigmask(SIG_BLOCK, &passed_on, &before_);
}

PassedSignals::~PassedSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

std::optional<signalfd_siginfo> PassedSignals::next() {
  signalfd_siginfo arrived;
  if (::read(fd_.get(), &arrived, sizeof arrived) != sizeof arrived) return std::nullopt;
  return arrived;
}

bool PassedSignals::waits(int signal) {
  sigset_t waiting;
  return ::sigpending(&waiting) == 0 && sigismember(&waiting, signal) == 1;
}

void PassedSignals::leave_blocked(const std::vector<int>& signals) {
  for (const int signal : signals) {
    if (sigismember(&before_, signal) == 0) keep_for_handler(signal);
    sigaddset(&before_, signal);
  }
}

Supervisor::Supervisor(int processes, const ForkOptions& options)
    : options_(options), workers_(static_cast<std::size_t>(processes)) {
  for (Worker& worker : workers_) worker.due = now();
}

Supervisor::~Supervisor() {
  send_to_all(SIGKILL);
  for (Worker& worker : workers_)
    if (worker.process) worker.process.reap();
}

Forked Supervisor::run() {
  if (const std::optional<int> id = start_due()) return {.task_id = id, .exit_code = 0};
  started_ = true;
  if (options_.on_started) options_.on_started();
  while (!over()) {
    wait();
    if (const std::optional<int> id = start_due()) return {.task_id = id, .exit_code = 0};
  }
  return {.task_id = std::nullopt, .exit_code = exit_code_};
}

std::optional<int> Supervisor::start_due() {
  for (Worker& worker : workers_) {
    if (!worker.due || *worker.due > now() || !start(worker)) continue;
    const int id = worker_id(worker);
    workers_.clear();  // they are our parent's
    signals_.leave_blocked(options_.handled_signals);
    return id;
  }
  return std::nullopt;
}

// What fails at the beginning is the caller's to know; later it is one more crash, tried again.
bool Supervisor::start(Worker& worker) try {
  worker.began = now();
  worker.due.reset();
  const pid_t parent = ::getpid();
  const pid_t child = Platform::current().fork();
  if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (child == 0) {
    end_with(parent);
    return true;
  }
  worker.missed_interrupt = PassedSignals::waits(SIGINT);
  worker.process = ChildProcess(child);
  if (worker.process.fd() < 0) ended(worker);
  return false;
} catch (const std::system_error& error) {
  if (!started_) throw;
  log::error("cannot start a worker: ", std::string_view(error.what()));
  crashed(worker);
  return false;
}

bool Supervisor::over() const {
  return std::none_of(workers_.begin(), workers_.end(),
                      [](const Worker& worker) { return worker.process || worker.due; });
}

// Sleeps until something happens or is due, and deals with what happened.
void Supervisor::wait() {
  std::vector<pollfd> watched{{signals_.fd(), POLLIN, 0}};
  for (const Worker& worker : workers_) watched.push_back({worker.process.fd(), POLLIN, 0});
  const auto longest = std::chrono::ceil<std::chrono::milliseconds>(time_to_wait()).count();
  ::poll(watched.data(), watched.size(), static_cast<int>(std::min<long>(longest, INT_MAX)));
  while (const auto arrived = signals_.next()) pass_on(*arrived);
  for (std::size_t id = 0; id < workers_.size(); ++id)
    if (watched[id + 1].revents != 0) ended(workers_[id]);
  if (!kill_at_ || *kill_at_ > now()) return;
  kill_at_.reset();
  send_to_all(SIGKILL);
}

Duration Supervisor::time_to_wait() const {
  std::optional<TimePoint> next = kill_at_;
  for (const Worker& worker : workers_)
    if (worker.due && (!next || *worker.due < *next)) next = worker.due;
  return next ? std::max(*next - now(), Duration::zero()) : Duration::max();
}

void Supervisor::pass_on(const signalfd_siginfo& arrived) {
  const int signal = static_cast<int>(arrived.ssi_signo);
  if (signal == SIGTERM || signal == SIGINT) {
    if (asked_to_stop_) return end_at_once(signal);
    asked_to_stop_ = signal;
    stop();
  }
  passed_on_.insert(signal);
  // A terminal's Ctrl-C has reached the whole group, as it was then.
  const bool had_by_all = signal == SIGINT && arrived.ssi_code == SI_KERNEL;
  for (const Worker& worker : workers_)
    if (worker.process && (!had_by_all || worker.missed_interrupt))
      worker.process.send_signal(signal);
}

// The workers need not count signals, which reach them also from others: a service manager may send
// SIGTERM to each process of a service.
void Supervisor::end_at_once(int signal) {
  gave_up_ = true;
  exit_code_ = 128 + signal;
  send_to_all(SIGKILL);
}

void Supervisor::send_to_all(int signal) {
  for (const Worker& worker : workers_)
    if (worker.process) worker.process.send_signal(signal);
}

void Supervisor::stop() {
  for (Worker& worker : workers_) worker.due.reset();
  if (std::exchange(stopping_, true) || !options_.on_stopping) return;
  run_logged("Exception in on_stopping: ", options_.on_stopping);
}

void Supervisor::ended(Worker& worker) {
  const pid_t pid = worker.process.pid();
  const std::optional<int> status = worker.process.reap();
  if (gave_up_ || status == 0 || as_asked(status)) return;
  log::error("worker ", worker_id(worker), " (process ", pid, ") ", how_it_ended(status));
  if (asked_to_stop_)
    exit_code_ = std::max(exit_code_, exit_code_of(status));
  else if (by_passed_signal(status))
    end_unhandled(-*status);
  else
    crashed(worker);
}

// One that has no handler for the signal just ends by it.
bool Supervisor::as_asked(const std::optional<int>& status) const {
  return status && asked_to_stop_ && *status == -*asked_to_stop_;
}

bool Supervisor::by_passed_signal(const std::optional<int>& status) const {
  return status && *status < 0 && passed_on_.contains(-*status);
}

void Supervisor::crashed(Worker& worker) {
  const TimePoint at = now();
  crashes_.push_back(at);
  while (at - crashes_.front() > options_.crash_window) crashes_.pop_front();
  if (crashes_.size() >= static_cast<std::size_t>(std::max(options_.max_crashes, 1)))
    return give_up();
  if (at - worker.began > options_.crash_window) worker.pause = Duration::zero();
  worker.due = after(at, worker.pause);
  worker.pause = std::clamp(2 * worker.pause, kFirstPause, kLongestPause);
}

void Supervisor::give_up() {
  const auto window = std::chrono::ceil<std::chrono::seconds>(options_.crash_window).count();
  log::error("giving up: ", crashes_.size(), " workers crashed within ", window,
             " s (max_crashes, crash_window)");
  end_all(1);
}

// A terminal that closes, for one, sends SIGHUP: what would end one process ends a group of them.
void Supervisor::end_unhandled(int signal) {
  log::error("ending: the workers do not handle ", describe_signal(signal));
  asked_to_stop_ = signal;
  end_all(128 + signal);
}

void Supervisor::end_all(int exit_code) {
  gave_up_ = true;
  exit_code_ = exit_code;
  stop();
  send_to_all(SIGTERM);
  kill_at_ = after(now(), options_.grace);
}

int Supervisor::worker_id(const Worker& worker) const {
  return static_cast<int>(&worker - workers_.data());
}

}  // namespace eddy
