#include "gen.h"

#include "log.h"

namespace eddy {
namespace {

class Sleep final : public Producer, public Pooled {
 public:
  static Future<> start(Duration delay, Location where) {
    auto* sleep = new Sleep(where);
    Future<> future = sleep->promise_.future();
    sleep->timer_ = sleep->loop_.call_later(delay, [sleep] { sleep->wake(); });
    return future;
  }

 private:
  explicit Sleep(Location where) : loop_(IOLoop::current()), promise_("sleep", where) {
    promise_.state()->set_producer(this);
  }

  void wake() {
    promise_.set_result();
    delete this;
  }
  void abandoned(FutureState&) override {
    loop_.remove_timeout(timer_);
    delete this;
  }

  IOLoop& loop_;
  Promise<> promise_;
  IOLoop::Timeout timer_;
};

}  // namespace

Future<> sleep_for(Duration delay, Location where) { return Sleep::start(delay, where); }

namespace detail {

class AllDone::One final : public FutureWaiter {
 public:
  explicit One(AllDone& all) : all_(all) {}
  void future_done() override {
    if (--all_.left_ == 0) all_.all_done();
  }

 private:
  AllDone& all_;
};

AllDone::AllDone() = default;
AllDone::~AllDone() = default;

void AllDone::wait_for(const std::vector<FutureState*>& states) {
  left_ = 1;  // ours, so that nothing ends before all are counted
  for (FutureState* state : states) {
    if (!state->done()) state->begin_wait();
    if (state->done()) continue;
    waiting_.push_back(std::make_unique<One>(*this));
    ++left_;
    state->add_waiter(*waiting_.back());
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

}  // namespace detail

}  // namespace eddy
