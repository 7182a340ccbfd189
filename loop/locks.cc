#include "locks.h"

#include "run_logged.h"

namespace eddy {

class Condition::Waiting final : public WaiterFor<bool> {
 public:
  explicit Waiting(Lent<bool>& outcome) : WaiterFor(Promise<bool>(&outcome)), outcome_(outcome) {}
  void notify_for_good() {
    outcome_.give();
    serve(true);
  }

 private:
  void time_is_up() override {
    unlink();
    outcome_.give();
    promise_.set_result(false);
  }

  Lent<bool>& outcome_;
};

Condition::Condition() = default;
Condition::~Condition() = default;

Future<bool> Condition::wait(Until until, Location where) {
  loop_.check_thread("Condition::wait");
  if (until.passed()) return make_ready_future(false, where);
  auto& outcome = *new Lent<bool>(*this, "Condition::wait", where);
  return line_.wait(std::make_unique<Waiting>(outcome), until);
}

void Condition::notify(std::size_t count) {
  loop_.check_thread("Condition::notify");
  for (; count > 0 && !line_.empty(); --count) line_.front().serve(true);
}

void Condition::notify_all() {
  loop_.check_thread("Condition::notify_all");
  WaitLine<Waiting> chosen;  // who comes from now on is not meant
  chosen.take_all(line_);
  while (!chosen.empty()) chosen.front().notify_for_good();
}

void Condition::take_back(Lent<bool>& lent) noexcept {
  lent.discard();
  if (!line_.empty()) line_.front().serve(true);
}

Future<> Event::wait(Until until, Location where) { return wait(until, "Event::wait", where); }

Future<> Event::wait(Until until, const char* what, Location where) {
  loop_.check_thread(what);
  if (set_) return {};
  if (until.passed()) return fail_as_timed_out<void>(what, where);
  return line_.wait(std::make_unique<WaiterFor<void>>(Promise<>(what, where)), until);
}

void Event::set() {
  loop_.check_thread("Event::set");
  set_ = true;
  while (!line_.empty()) line_.front().serve();
}

void Event::clear() {
  loop_.check_thread("Event::clear");
  set_ = false;
}

// While units are free, nobody waits.
class Semaphore::Units : public std::enable_shared_from_this<Units> {
 public:
  Units(std::size_t value, std::size_t most) : free_(value), most_(most) {}

  Future<Guard> acquire(Until until, const char* what, Location where) {
    loop_.check_thread(what);
    if (free_ > 0) return take_free(where);
    if (until.passed()) return fail_as_timed_out<Guard>(what, where);
    return line_.wait(std::make_unique<WaiterFor<Guard>>(Promise<Guard>(what, where)), until);
  }
  void release() {
    loop_.check_thread("Semaphore::release");
    if (free_ >= most_) throw InvalidStateError("Semaphore::release: more often than acquired");
    if (!line_.empty()) return line_.front().serve(weak_from_this());
    ++free_;
  }
  std::size_t free() const { return free_; }

 private:
  Future<Guard> take_free(Location where) {
    --free_;
    Guard guard(weak_from_this());  // releases it if no memory is found
    return make_ready_future(std::move(guard), where);
  }

  IOLoop& loop_ = IOLoop::current();
  std::size_t free_;
  const std::size_t most_;
  WaitLine<WaiterFor<Guard>> line_;
};

void Semaphore::Guard::release() noexcept {
  if (const auto units = std::exchange(units_, {}).lock())
    run_logged("Exception when a guard releases: ", [&] { units->release(); });
}

Semaphore::Semaphore(std::size_t value, std::size_t most) {
  check_not_negative(value, "Semaphore: value");
  units_ = std::make_shared<Units>(value, most);
}

Semaphore::~Semaphore() = default;

Future<Semaphore::Guard> Semaphore::acquire(Until until, Location where) {
  return units_->acquire(until, "Semaphore::acquire", where);
}

Future<Semaphore::Guard> Semaphore::acquire(Until until, const char* what, Location where) {
  return units_->acquire(until, what, where);
}

void Semaphore::release() { units_->release(); }

std::size_t Semaphore::value() const { return units_->free(); }

Future<Lock::Guard> Lock::acquire(Until until, Location where) {
  return block_.Semaphore::acquire(until, "Lock::acquire", where);
}

void Lock::release() {
  if (!locked()) throw InvalidStateError("Lock::release: it is not locked");
  block_.release();
}

}  // namespace eddy
