#include "handshake_queue.h"

namespace eddy {

HandshakeQueue::~HandshakeQueue() {
  if (timer_.serial == 0) return;
  if (IOLoop* const loop = IOLoop::current_or_null()) loop->remove_timeout(timer_);
}

void HandshakeQueue::ask(Member& member) {
  if (member.linked() && !member.idle_) return;
  if (member.under_way_)
    stand_in_line(member);
  else if (limit_ == 0 || under_way_ < limit_)
    begin(member);
  else
    beyond_limit_.push_back(member);
  run_later();
}

void HandshakeQueue::begin(Member& member) {
  member.under_way_ = true;
  ++under_way_;
  stand_in_line(member);
}

void HandshakeQueue::stand_in_line(Member& member) {
  member.idle_ = false;
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
  const TimePoint now = IOLoop::current().time();
  for (int steps = 0; steps < kStepsPerTurn && !in_line_.empty(); ++steps)
    step_of(in_line_.front(), now);
  make_room();
  if (!in_line_.empty()) run_later();
}

void HandshakeQueue::step_of(Member& member, TimePoint now) {
  member.idle_ = true;
  member.idle_since_ = now;
  idle_.push_back(member);  // first: the step may be its last
  member.take_step();
}

void HandshakeQueue::make_room() {
  IOLoop& loop = IOLoop::current();
  while (!beyond_limit_.empty() && !idle_.empty() && timer_.serial == 0) {
    const TimePoint patience_ends = idle_.front().idle_since_ + kMostIdle;
    if (loop.time() >= patience_ends)
      idle_.pop_front().give_up(limit_);
    else
      timer_ = loop.call_at(patience_ends, [this] {
        timer_ = {};
        make_room();
      });
  }
}

}  // namespace eddy
