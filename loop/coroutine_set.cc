#include "coroutine_set.h"

#include "log.h"
#include "run_logged.h"

namespace eddy {

class CoroutineSet::Member final : public FutureWaiter, public Entry, public Pooled {
 public:
  Member(CoroutineSet& set, FutureState& state) : set_(set), state_(state) {
    state_.retain_future();
    state_.add_waiter(*this);
  }
  ~Member() { state_.release_future(); }  // the last one: what is still running ends here
  Member(const Member&) = delete;
  Member& operator=(const Member&) = delete;

  void future_done() override {
    CoroutineSet& set = set_;
    state_.retain_future();
    FutureState& state = state_;
    delete this;
    set.finished(state);
    state.release_future();
  }

 private:
  CoroutineSet& set_;
  FutureState& state_;
};

void CoroutineSet::log_failure(const std::exception_ptr& failure) {
  log::error("Exception in coroutine: ", failure);
}

void CoroutineSet::add_state(FutureState& state) {
  state.check_thread("CoroutineSet::add");
  if (!state.done()) hold(state);
  ++size_;
  if (state.done()) finished(state);
}

void CoroutineSet::hold(FutureState& state) {
  Task* const task = state.producer() ? state.producer()->as_task() : nullptr;
  if (!task || task->owned_by_set()) return members_.push_back(*new Member(*this, state));
  state.retain_future();
  state.forgive();  // we look at its failure
  task->join_set(*this, tasks_);
}

void CoroutineSet::finished(const FutureState& state) {
  --size_;
  try {
    state.rethrow_if_failed();
  } catch (const CancelledError&) {  // somebody wanted it so
  } catch (...) {
    run_logged("Exception after a failure: ", [this] { on_failure_(std::current_exception()); });
  }
  if (size_ == 0) tell_drained();
}

Future<> CoroutineSet::drain(Location where) {
  if (empty()) return {};
  if (!drained_) drained_ = Promise<>("drain", where);
  return drained_.future();
}

void CoroutineSet::tell_drained() {
  if (drained_) std::exchange(drained_, Promise<>(nullptr)).set_result();
}

void CoroutineSet::clear() {
  while (!tasks_.empty()) {
    --size_;
    Task& task = tasks_.pop_front();
    task.part_from_set();
    task.outcome().release_future();  // the last one: it ends here
  }
  while (!members_.empty()) {
    --size_;
    delete static_cast<Member*>(&members_.pop_front());
  }
  tell_drained();
}

}  // namespace eddy
