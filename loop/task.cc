#include "task.h"

#include <algorithm>
#include <chrono>
#include <unordered_map>
#include <utility>
#include <vector>

#include "coroutine_set.h"
#include "errors.h"
#include "io_loop.h"

namespace eddy {
namespace {

// Those of this thread.
List<TaskList>& task_lists() {
  static thread_local List<TaskList> all;
  return all;
}

std::string seconds(Duration duration) {
  const auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(duration).count();
  std::string fraction = std::to_string(milliseconds % 1000);
  fraction.insert(0, 3 - fraction.size(), '0');
  return std::to_string(milliseconds / 1000) + '.' + fraction + " s";
}

std::string text(Location where) {
  return std::string(where.file()) + ':' + std::to_string(where.line());
}

}  // namespace

thread_local constinit int Task::inline_budget_ = Task::kInlineResumptions;

thread_local constinit Task* Task::resumed_ = nullptr;

thread_local constinit TaskList* TaskList::of_nobody_ = nullptr;

TaskList& TaskList::make_of_nobody() {
  static thread_local TaskList tasks;
  return *(of_nobody_ = &tasks);
}

TaskList::TaskList() { task_lists().push_back(*this); }

Task* TaskList::first_at_rest() {
  Task* found = nullptr;
  for_each([&](Task& task) {
    if (!found && task.place_ != Task::Place::running) found = &task;
  });
  return found;
}

void Task::join_set(CoroutineSet& set, TaskList& its_tasks) {
  set_ = &set;
  its_tasks.add(*this);
}

void Task::part_from_set() {
  set_ = nullptr;
  TaskList::of_nobody().add(*this);
}

void Task::leave_set(FutureState& outcome) {
  std::exchange(set_, nullptr)->finished(outcome);
  outcome.release_future();
}

void Task::future_done() { enqueue(IOLoop::current()); }

void Task::enqueue(IOLoop& loop) {
  place_ = Place::queued;
  loop.queue().add(*this);
}

void Task::run() {
  place_ = Place::running;
  inline_budget_ = kInlineResumptions;
  resumed_ = this;
  resume();  // Trail 7: the next turn resumes the conversation
}

bool Task::wait(FutureState* state) {
  const IOLoop& loop = IOLoop::current();  // throws where there is none: nobody would ever wake us
  if (!state || state->done()) return wait_a_turn();
  state->check_thread("await");
  state->begin_wait();
  if (state->done()) return false;
  if (cancel_requested_) {
    resumed_ = this;
    return false;
  }
  state->add_waiter(*this);
  place_ = Place::waiting;
  return stop(loop, state->what());
}

bool Task::wait_a_turn() {
  IOLoop& loop = IOLoop::current();
  enqueue(loop);
  return stop(loop, nullptr);
}

bool Task::stop(const IOLoop& loop, const char* what) {
  what_ = what;
  since_ = loop.turn_time();
  return true;
}

void Task::throw_cancelled() {
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
  if (place_ == Place::waiting) enqueue(IOLoop::current());
  return true;
}

std::string Task::describe_place() {
  const std::string line = "coroutine of " + text(outcome().where());
  if (place_ == Place::running) return line + " runs";
  return line + " waits at " + text(where_) + " for " + (what_ ? what_ : "its next turn");
}

Duration Task::waiting_time(TimePoint now) const {
  return place_ == Place::running ? Duration::zero() : std::max(now - since_, Duration::zero());
}

// Those that do the same at the same place: a server has thousands of conversations, and few places
// where they wait.
struct Task::Crowd {
  std::string place;
  std::size_t count = 0;
  bool waits = false;
  Duration longest{};

  void join(const Task& task, TimePoint now) {
    ++count;
    waits = task.place_ != Place::running;
    longest = std::max(longest, task.waiting_time(now));
  }
  std::string line() const {
    const bool alone = count == 1;
    std::string who = alone ? place : std::to_string(count) + " x " + place;
    if (!waits) return who;
    return who.append(alone ? " since " : ", longest since ").append(seconds(longest));
  }
};

std::string Task::dump(TimePoint now) {
  std::vector<Crowd> crowds;  // in the order of the first of each
  std::unordered_map<std::string, std::size_t> index;
  task_lists().for_each([&](TaskList& list) {
    list.for_each([&](Task& task) {
      const auto [found, is_new] = index.try_emplace(task.describe_place(), crowds.size());
      if (is_new) crowds.push_back({.place = found->first});
      crowds[found->second].join(task, now);
    });
  });
  std::string lines;
  for (const Crowd& crowd : crowds) lines += crowd.line() + '\n';
  return lines;
}

// One that runs, such as the one that closes the loop, ends when it comes to its next await. The
// tasks of a loop that follows do not begin with what is left of the budget.
void Task::end_all() {
  inline_budget_ = kInlineResumptions;
  List<TaskList> ended;
  while (!task_lists().empty()) {
    TaskList& list = task_lists().front();
    if (Task* task = list.first_at_rest()) {
      task->destroy();  // and perhaps the list with it
      continue;
    }
    list.for_each([](Task& running) { running.ended_ = true; });
    ended.push_back(list);
  }
  task_lists().take_all(ended);
}

}  // namespace eddy
