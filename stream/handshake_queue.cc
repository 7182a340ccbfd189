#include "handshake_queue.h"

namespace eddy {

HandshakeQueue::~HandshakeQueue() {
  if (timer_.serial == 0) return;
  if (IOLoop* const loop = IOLoop::current_or_null()) loop->remove_timeout(timer_);
}

void HandshakeQueue::come(Member& member) {
  member.idle_ = true;
  silent_.push_back(member);
}

void HandshakeQueue::ask(Member& member) {
  if (member.linked() && !member.idle_) return;
  member.idle_ = false;
  if (member.under_way_)
    in_line_.push_back(member);
  else if (limit_ == 0 || under_way_ < limit_)
    begin(member);
  else
    beyond_limit_.push_back(member);
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

// Who leaves lets another in from beyond the limit: those come first.
void HandshakeQueue::drain() {
  for (List<Member>* const members : {&beyond_limit_, &silent_, &in_line_, &idle_}) hurry(*members);
}

void HandshakeQueue::hurry(List<Member>& members) {
  List<Member> all;
  all.take_all(members);
  while (!all.empty()) {
    Member& member = all.pop_front();
    members.push_back(member);
    member.hurry();
  }
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
