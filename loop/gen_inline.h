// The templates of gen.h, which includes this.
#pragma once

#include <string>

#include "gen.h"

namespace eddy {
namespace detail {

template <class T>
void pass_on(FutureStateOf<T>& from, Promise<T>& to) {
  if (to.done()) return;
  if (from.failed())
    to.set_exception(from.exception());
  else if constexpr (!std::is_copy_constructible_v<typename FutureStateOf<T>::Value>)
    to.set_result(std::move(from.value()));
  else if (from.shared())
    to.set_result(from.value());
  else
    to.set_result(std::move(from.value()));
}

// Stands between an operation and the one who waits for it, with an eye on the clock. Owns itself,
// until the operation is done, the time is up, or nobody waits any more.
template <class T>
class Deadline final : public FutureWaiter, public Producer, public Pooled {
 public:
  static Future<T> start(TimePoint when, Future<T> inner, Location where) {
    auto* deadline = new Deadline(std::move(inner), where);
    Future<T> outer = deadline->promise_.future();
    deadline->timer_ =
        deadline->loop_.call_at(when, [deadline] { deadline->time_is_up(); });
    deadline->inner_.state()->add_waiter(*deadline);
    return outer;
  }

 private:
  Deadline(Future<T> inner, Location where)
      : loop_(IOLoop::current()),
        inner_(std::move(inner)),
        promise_(inner_.state()->what(), where) {
    promise_.state()->set_producer(this);
  }
  ~Deadline() { loop_.remove_timeout(timer_); }

  void future_done() override {
    pass_on(*inner_.state(), promise_);
    delete this;
  }
  void time_is_up() {
    promise_.set_exception(
        TimeoutError(std::string("timed out waiting for ") + inner_.state()->what()));
    delete this;
  }
  void awaited(FutureState&) override { inner_.state()->begin_wait(); }
  void abandoned(FutureState&) override { delete this; }

  IOLoop& loop_;
  Future<T> inner_;
  Promise<T> promise_;
  IOLoop::Timeout timer_;
};

// Waits for a number of states, and then for nobody.
class AllDone : public Producer {
 public:
  AllDone();
  virtual ~AllDone();

 protected:
  void wait_for(const std::vector<FutureState*>& states);  // all of them pending or done
  virtual void all_done() = 0;                             // deletes this

 private:
  class One;
  std::vector<std::unique_ptr<One>> waiting_;
  std::size_t left_ = 0;
};

// The first failure in order, if there is one; the others are logged, or not looked at further.
std::exception_ptr first_failure(const std::vector<FutureState*>& states, bool quiet);

template <class Futures, class Result>
class Multi final : public AllDone {
 public:
  static Future<Result> start(Futures futures, bool quiet, Location where) {
    auto* multi = new Multi(std::move(futures), quiet, where);
    Future<Result> all = multi->promise_.future();
    multi->wait_for(multi->states());
    return all;
  }

 private:
  Multi(Futures futures, bool quiet, Location where)
      : futures_(std::move(futures)), promise_("multi", where), quiet_(quiet) {
    promise_.state()->set_producer(this);
  }

  template <class T>
  static const Future<T>& future_of(const Future<T>& future) {
    return future;
  }
  template <class Key, class T>
  static const Future<T>& future_of(const std::pair<const Key, Future<T>>& entry) {
    return entry.second;
  }

  std::vector<FutureState*> states() const {
    std::vector<FutureState*> all;
    for (const auto& entry : futures_)
      if (auto* state = future_of(entry).state()) all.push_back(state);
    return all;
  }
  void all_done() override {
    if (const std::exception_ptr failure = first_failure(states(), quiet_))
      promise_.set_exception(failure);
    else if constexpr (std::is_void_v<Result>)
      promise_.set_result();
    else
      promise_.set_result(results());
    delete this;
  }
  Result results() const {
    Result all;
    for (const auto& entry : futures_) add(all, entry);
    return all;
  }
  template <class T>
  static void add(std::vector<T>& all, const Future<T>& future) {
    all.push_back(future.result());
  }
  template <class Key, class T>
  static void add(std::map<Key, T>& all, const std::pair<const Key, Future<T>>& entry) {
    all.emplace(entry.first, entry.second.result());
  }
  void abandoned(FutureState&) override { delete this; }

  Futures futures_;
  Promise<Result> promise_;
  bool quiet_;
};

}  // namespace detail

template <class T>
Future<T> with_deadline(TimePoint deadline, Future<T> future, Location where) {
  if (future.done()) return future;
  return detail::Deadline<T>::start(deadline, std::move(future), where);
}

template <class T>
Future<MultiResult<T>> multi(std::vector<Future<T>> futures, bool quiet, Location where) {
  using All = detail::Multi<std::vector<Future<T>>, MultiResult<T>>;
  return All::start(std::move(futures), quiet, where);
}

template <class Key, class T>
Future<std::map<Key, T>> multi(std::map<Key, Future<T>> futures, bool quiet, Location where) {
  using All = detail::Multi<std::map<Key, Future<T>>, std::map<Key, T>>;
  return All::start(std::move(futures), quiet, where);
}

template <class T>
struct WaitIterator<T>::Shared {
  std::vector<Future<T>> futures;
  std::deque<std::size_t> finished;
  std::optional<Promise<T>> asked;
  std::size_t given_out = 0;
  std::size_t current = SIZE_MAX;

  void give_out() {
    if (!asked || finished.empty()) return;
    current = finished.front();
    finished.pop_front();
    Promise<T> promise = std::move(*asked);
    asked.reset();
    if (auto* state = futures[current].state())
      detail::pass_on(*state, promise);
    else if constexpr (std::is_void_v<T>)
      promise.set_result();
  }
};

template <class T>
WaitIterator<T>::WaitIterator(std::vector<Future<T>> futures) : shared_(new Shared) {
  shared_->futures = std::move(futures);
  for (std::size_t index = 0; index < shared_->futures.size(); ++index) {
    const Future<T>& future = shared_->futures[index];
    if (future.done()) {
      shared_->finished.push_back(index);
      continue;
    }
    future.add_done_callback([weak = std::weak_ptr<Shared>(shared_), index] {
      if (const auto shared = weak.lock()) {
        shared->finished.push_back(index);
        shared->give_out();
      }
    });
  }
}

template <class T>
Future<T> WaitIterator<T>::next(Location where) {
  if (shared_->asked) throw InvalidStateError("WaitIterator::next: the last one is not done yet");
  if (done()) throw InvalidStateError("WaitIterator::next: nothing is left");
  ++shared_->given_out;
  shared_->current = SIZE_MAX;
  shared_->asked.emplace("WaitIterator::next", where);
  Future<T> future = shared_->asked->future();
  shared_->give_out();
  return future;
}

template <class T>
void chain_future(Future<T> from, Promise<T> to) {
  from.add_done_callback([to = std::move(to)](const Future<T>& done) mutable {
    if (done.state())
      detail::pass_on(*done.state(), to);
    else if constexpr (std::is_void_v<T>)
      to.set_result();
  });
}

}  // namespace eddy
