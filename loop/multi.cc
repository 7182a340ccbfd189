#include "multi.h"

#include "log.h"

namespace eddy::detail {

class AllDone::One final : public FutureWaiter {
 public:
  AllDone* all = nullptr;
  void future_done() override {
    if (--all->left_ == 0) all->all_done();
  }
};

AllDone::AllDone() = default;
AllDone::~AllDone() = default;

void AllDone::make_room(std::size_t states) { waiting_ = std::make_unique<One[]>(states); }

void AllDone::wait_for(const std::vector<FutureState*>& states) {
  left_ = 1;  // ours, so that nothing ends before all are counted
  for (std::size_t at = 0; at < states.size(); ++at) {
    FutureState& state = *states[at];
    if (!state.done()) state.begin_wait();
    if (state.done()) continue;
    ++left_;
    waiting_[at].all = this;
    state.add_waiter(waiting_[at]);
  }
  if (--left_ == 0) all_done();
}

std::exception_ptr first_failure(const std::vector<FutureState*>& states, bool quiet) {
  std::exception_ptr first;
  for (const FutureState* state : states) {
    if (!state->failed()) continue;
    const std::exception_ptr failure = state->exception();
    if (!first)
      first = failure;
    else if (!quiet && failure != first)
      log::error("multi: another of its Futures failed: ", failure);
  }
  return first;
}

}  // namespace eddy::detail
