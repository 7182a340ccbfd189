#include "task.h"

#include <algorithm>
#include <chrono>

#include "errors.h"
#include "io_loop.h"

namespace eddy {
namespace {

List<TaskEntry>& tasks() {
  static thread_local List<TaskEntry> of_this_thread;
  return of_this_thread;
}

std::string seconds(Duration duration) {
  const auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(duration).count();
  std::string fraction = std::to_string(milliseconds % 1000);
  fraction.insert(0, 3 - fraction.size(), '0');
  return std::to_string(milliseconds / 1000) + '.' + fraction + " s";
}

std::string text(Location where) {
  return std::string(where.file) + ':' + std::to_string(where.line);
}

}  // namespace

thread_local constinit int Task::inline_budget_ = Task::kInlineResumptions;

Task::Task() { tasks().push_back(*this); }

void Task::future_done() { enqueue(); }

void Task::enqueue() {
  place_ = Place::queued;
  IOLoop::current().queue().add(*this);
}

void Task::run() {
  place_ = Place::running;
  inline_budget_ = kInlineResumptions;
  resume();  // Trail 7: the next turn resumes the conversation
}

bool Task::wait(FutureState* state) {
  IOLoop::current();  // throws where there is none: nobody would ever wake us
  if (!state || state->done()) return wait_a_turn();
  state->check_thread("await");
  state->begin_wait();
  if (state->done() || cancel_requested_) return false;
  state->add_waiter(*this);
  return stop(Place::waiting, state->what());
}

bool Task::wait_a_turn() {
  enqueue();
  return stop(Place::queued, "its next turn");
}

bool Task::stop(Place place, const char* what) {
  place_ = place;
  what_ = what;
  since_ = IOLoop::current().turn_time();
  return true;
}

void Task::check_cancelled(const FutureState* awaited) {
  if (!cancel_requested_ || (awaited && awaited->done())) return;  // what is there is not lost
  cancel_requested_ = false;
  throw CancelledError();
}

void Task::abandoned(FutureState&) {
  if (place_ == Place::running)
    ended_ = true;
  else
    destroy();
}

bool Task::cancelled(FutureState&) {
  cancel_requested_ = true;
  if (place_ == Place::waiting) enqueue();
  return true;
}

std::string Task::describe(TimePoint now) const {
  std::string line = "coroutine of " + text(made_at());
  if (place_ == Place::running) return line + " runs";
  return line + " waits at " + text(where_) + " for " + what_ + " since " +
         seconds(std::max(now - since_, Duration::zero()));
}

std::string Task::dump(TimePoint now) {
  std::string lines;
  tasks().for_each([&](const TaskEntry& entry) {
    lines += static_cast<const Task&>(entry).describe(now) + '\n';
  });
  return lines;
}

void Task::end_all() {
  List<TaskEntry> running;  // such as the one that closes the loop
  while (!tasks().empty()) {
    auto& task = static_cast<Task&>(tasks().pop_front());
    if (task.place_ != Place::running) {
      task.destroy();
    } else {
      task.ended_ = true;
      running.push_back(task);
    }
  }
  tasks().take_all(running);
}

}  // namespace eddy
