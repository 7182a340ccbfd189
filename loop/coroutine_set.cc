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
  if (!state.done()) members_.push_back(*new Member(*this, state));
  ++size_;
  if (state.done()) finished(state);
}

void CoroutineSet::finished(const FutureState& state) {
  --size_;
  try {
    state.rethrow_if_failed();
  } catch (const CancelledError&) {  // somebody wanted it so
  } catch (...) {
    run_logged("Exception after a failure: ", [this] { on_failure_(std::current_exception()); });
  }
  if (size_ == 0 && drained_) std::exchange(drained_, std::nullopt)->set_result();
}

Future<> CoroutineSet::drain(Location where) {
  if (empty()) return {};
  if (!drained_) drained_.emplace("drain", where);
  return drained_->future();
}

void CoroutineSet::clear() {
  while (!members_.empty()) {
    --size_;
    delete static_cast<Member*>(&members_.pop_front());
  }
  if (drained_) std::exchange(drained_, std::nullopt)->set_result();
}

}  // namespace eddy
