#include "gen.h"

namespace eddy {
namespace {

// Belongs to its timer: it ends with it, when the time has come, or when the loop closes.
class Sleep final : public Producer, public Pooled {
 public:
  static Future<> start(Duration delay, Location where) {
    auto made = std::make_unique<Sleep>(where);
    Sleep& sleep = *made;
    Future<> future = sleep.promise_.future();
    sleep.timer_ =
        sleep.loop_.call_later(delay, [owned = std::move(made)] { owned->promise_.set_result(); });
    return future;
  }

  explicit Sleep(Location where) : loop_(IOLoop::current()), promise_("sleep", where) {
    promise_.state()->set_producer(this);
  }

 private:
  void abandoned(FutureState&) override { loop_.remove_timeout(timer_); }

  IOLoop& loop_;
  Promise<> promise_;
  IOLoop::Timeout timer_;
};

}  // namespace

Future<> sleep_for(Duration delay, Location where) { return Sleep::start(delay, where); }

}  // namespace eddy
