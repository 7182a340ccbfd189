// Condition, Event, Semaphore, BoundedSemaphore, Lock: how coroutines wait for each other.
//
// Mirrors tornado.locks. None of them blocks the thread, and none is for other threads: they belong
// to the loop in whose thread they are made, and end before it. Whoever waits is served in the
// order of coming. A wait ends early by its Until, by cancel(), or when its Future is dropped, and
// then loses nothing, even if it was served already and has not gone on yet. Destroying a lock
// fails the waits that are pending with BrokenPromiseError.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "future.h"
#include "lent_result.h"
#include "waiter.h"

namespace eddy {

template <class T, class Order>
class BasicQueue;

// Something may have changed: look again. Remembers nothing: with nobody waiting, notify is lost.
//
//   while (!ready) co_await changed.wait();
class Condition final : private Lender<bool> {
 public:
  Condition();
  ~Condition();

  // True: notified. False: the time was up.
  Future<bool> wait(Until until = {}, Location where = Location::current());
  void notify(std::size_t count = 1);  // who goes without having looked passes it on to the next
  void notify_all();

 private:
  class Waiting;
  void take_back(Lent<bool>& lent) noexcept override;

  IOLoop& loop_ = IOLoop::current();
  WaitLine<Waiting> line_;
};

// It has happened, until somebody clears it. Who was woken stays woken.
class Event {
 public:
  Future<> wait(Until until = {}, Location where = Location::current());  // or TimeoutError
  void set();
  void clear();
  bool is_set() const { return set_; }

 private:
  template <class T, class Order>
  friend class BasicQueue;
  Future<> wait(Until until, const char* what, Location where);

  IOLoop& loop_ = IOLoop::current();
  WaitLine<WaiterFor<void>> line_;
  bool set_ = false;
};

// So many at once. A unit that is released goes to the first who waits, and nobody gets in between.
//
//   const auto guard = co_await semaphore.acquire(100ms);  // released at the end of the scope
class Semaphore {
 public:
  class Guard;

  // Throws std::invalid_argument for what was a negative number.
  explicit Semaphore(std::size_t value = 1) : Semaphore(value, SIZE_MAX) {}
  ~Semaphore();
  Semaphore(const Semaphore&) = delete;
  Semaphore& operator=(const Semaphore&) = delete;

  Future<Guard> acquire(Until until = {}, Location where = Location::current());  // TimeoutError
  void release();             // a unit that no guard releases: a detached one, or one more
  std::size_t value() const;  // units that are free

 protected:
  Semaphore(std::size_t value, std::size_t most);

 private:
  friend class Lock;
  class Units;
  Future<Guard> acquire(Until until, const char* what, Location where);
  std::shared_ptr<Units> units_;
};

// Releases its unit when it goes. It may outlive the semaphore.
class [[nodiscard]] Semaphore::Guard {
 public:
  Guard() = default;  // of nothing
  explicit Guard(std::weak_ptr<Units> units) : units_(std::move(units)) {}
  Guard(Guard&&) noexcept = default;
  Guard& operator=(Guard&& other) noexcept {
    const Guard dropped(std::move(*this));
    units_ = std::move(other.units_);
    return *this;
  }
  ~Guard() { release(); }

  void release() noexcept;                    // before its end; twice is harmless
  void detach() noexcept { units_.reset(); }  // Semaphore::release() is somebody else's duty now

 private:
  std::weak_ptr<Units> units_;
};

// One that never has more units than at the start: releasing too often throws InvalidStateError.
class BoundedSemaphore : public Semaphore {
 public:
  explicit BoundedSemaphore(std::size_t value = 1) : Semaphore(value, value) {}
};

// One at a time. It knows no owner: whoever acquires it twice waits for himself.
class Lock {
 public:
  using Guard = Semaphore::Guard;
  Future<Guard> acquire(Until until = {}, Location where = Location::current());  // TimeoutError
  void release();  // what a detached guard has left locked; throws InvalidStateError if nothing is
  bool locked() const { return block_.value() == 0; }

 private:
  BoundedSemaphore block_;
};

}  // namespace eddy
