#include "handshake_queue.h"

#include "../loop/io_loop.h"

namespace eddy {

void HandshakeQueue::ask(Member& member) {
  if (member.linked()) return;
  if (member.under_way_)
    in_line_.push_back(member);
  else if (limit_ == 0 || under_way_ < limit_)
    begin(member);
  else
    return beyond_limit_.push_back(member);
  run_later();
}

void HandshakeQueue::begin(Member& member) {
  member.under_way_ = true;
  ++under_way_;
  in_line_.push_back(member);
}

void HandshakeQueue::leave(Member& member) {
  member.unlink();
  if (!member.under_way_) return;
  member.under_way_ = false;
  --under_way_;
  if (beyond_limit_.empty()) return;
  begin(beyond_limit_.pop_front());
  run_later();
}

void HandshakeQueue::run_later() {
  IOLoop* const loop = IOLoop::current_or_null();  // none: it went before us
  if (loop && !linked()) loop->queue().add(*this);
}

void HandshakeQueue::run() {
  for (int steps = 0; steps < kStepsPerTurn && !in_line_.empty(); ++steps)
    in_line_.pop_front().take_step();
  if (!in_line_.empty()) run_later();
}

}  // namespace eddy
