// The templates of gen.h, which includes this.
#pragma once

#include <string>

#include "gen.h"

namespace eddy {
namespace detail {

// Copies or moves the outcome of one to the other, unless that is done already. Never throws: a
// result that cannot be copied fails the other.
template <class T>
void pass_on(FutureStateOf<T>& from, Promise<T>& to) noexcept {
  if (to.done()) return;
  if (from.failed()) return to.set_exception(from.exception());
  try {
    to.set_result(from.take());
  } catch (...) {
    to.set_exception(std::current_exception());
  }
}

// Stands between an operation and the one who waits for it, with an eye on the clock. Belongs to
// its timer, which is removed when the operation is done or nobody waits any more.
template <class T>
class Deadline final : public FutureWaiter, public Producer, public Pooled {
 public:
  static Future<T> start(TimePoint when, Future<T> inner, Location where) {
    auto made = std::make_unique<Deadline>(std::move(inner), where);
    Deadline& deadline = *made;
    Future<T> outer = deadline.promise_.future();
    deadline.timer_ =
        deadline.loop_.call_at(when, [owned = std::move(made)] { owned->time_is_up(); });
    deadline.inner_.state()->add_waiter(deadline);
    return outer;
  }

  Deadline(Future<T> inner, Location where)
      : loop_(IOLoop::current()),
        inner_(std::move(inner)),
        promise_(inner_.state()->what(), where) {
    promise_.state()->set_producer(this);
  }

 private:
  void future_done() override {
    pass_on(*inner_.state(), promise_);
    end();
  }
  void time_is_up() {
    promise_.set_exception(
        TimeoutError(std::string("timed out waiting for ") + inner_.state()->what()));
  }
  void awaited(FutureState&) override { inner_.state()->begin_wait(); }
  void abandoned(FutureState&) override { end(); }
  void end() { loop_.remove_timeout(timer_); }

  IOLoop& loop_;
  Future<T> inner_;
  Promise<T> promise_;
  IOLoop::Timeout timer_;
};

}  // namespace detail

template <class T>
Future<T> with_deadline(TimePoint deadline, Future<T> future, Location where) {
  if (future.done() || !future.state()) return future;
  return detail::Deadline<T>::start(deadline, std::move(future), where);
}

// While a next() is pending it keeps itself, and with it the Futures; a next() that is given up
// has taken nothing.
template <class T>
struct WaitIterator<T>::Shared final : Producer {
  std::vector<Future<T>> futures;
  std::vector<std::size_t> finished;  // in that order
  std::size_t given_out = 0;          // how many of them
  std::size_t current = SIZE_MAX;
  std::optional<Promise<T>> asked;
  std::shared_ptr<Shared> self;

  void add_finished(std::size_t index) {
    finished.push_back(index);
    give_out();
  }

  void give_out() {
    if (!asked || given_out == finished.size()) return;
    current = finished[given_out++];
    const Future<T> future = futures[current];  // a second one, so that the result stays in it
    Promise<T> promise = std::move(*asked);
    const std::shared_ptr<Shared> kept = std::move(self);
    asked.reset();
    if (future.state())
      detail::pass_on(*future.state(), promise);
    else if constexpr (std::is_void_v<T>)
      promise.set_result();
  }

  void abandoned(FutureState&) override {
    const std::shared_ptr<Shared> kept = std::move(self);
    asked.reset();
  }
};

template <class T>
WaitIterator<T>::WaitIterator(std::vector<Future<T>> futures) : shared_(new Shared) {
  shared_->futures = std::move(futures);
  shared_->finished.reserve(shared_->futures.size());
  for (std::size_t index = 0; index < shared_->futures.size(); ++index) {
    const Future<T>& future = shared_->futures[index];
    if (future.done() || !future.state()) {
      shared_->add_finished(index);
      continue;
    }
    future.add_done_callback([weak = std::weak_ptr<Shared>(shared_), index] {
      if (const auto shared = weak.lock()) shared->add_finished(index);
    });
  }
}

template <class T>
bool WaitIterator<T>::done() const {
  return shared_->given_out + (shared_->asked ? 1 : 0) == shared_->futures.size();
}

template <class T>
std::size_t WaitIterator<T>::current_index() const {
  return shared_->current;
}

template <class T>
Future<T> WaitIterator<T>::current_future() const {
  return shared_->futures.at(shared_->current);
}

template <class T>
Future<T> WaitIterator<T>::next(Location where) {
  if (shared_->asked) throw InvalidStateError("WaitIterator::next: the last one is not done yet");
  if (done()) throw InvalidStateError("WaitIterator::next: nothing is left");
  shared_->current = SIZE_MAX;
  shared_->asked.emplace("WaitIterator::next", where);
  Future<T> future = shared_->asked->future();
  shared_->self = shared_;
  shared_->asked->state()->set_producer(shared_.get());
  shared_->give_out();
  return future;
}

template <class T>
void chain_future(Future<T> from, Promise<T> to) {
  IOLoop::current().add_future(std::move(from),
                               [to = std::move(to)](const Future<T>& done) mutable {
                                 if (done.state())
                                   detail::pass_on(*done.state(), to);
                                 else if constexpr (std::is_void_v<T>)
                                   to.set_result();
                               });
}

}  // namespace eddy
