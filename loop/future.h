// Future and Promise: a result that is not there yet, and the duty to bring it.
//
// Mirrors tornado.concurrent.Future. Futures are handles: copies share one result. What a user
// hangs on one runs from the loop's queue, never within the call that sets it. An operation ends
// when nobody holds its Future any more; a Future that fails and is never looked at is logged, with
// the place where it was made. Both belong to the thread that made them.
#pragma once

#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "errors.h"
#include "future_state.h"
#include "location.h"

namespace eddy {

struct Unit {};  // what stands for the result of a Future<void>

template <class T>
class FutureStateOf : public FutureState {
 public:
  using Value = std::conditional_t<std::is_void_v<T>, Unit, T>;
  FutureStateOf(const char* what, Location where) : FutureState(what, where) {}
  // One that is done from the beginning, and that nobody has promised.
  template <class... Args>
  FutureStateOf(const char* what, Location where, std::in_place_t, Args&&... args)
      : FutureState(what, where, Status::result), value_(std::forward<Args>(args)...) {}

  template <class... Args>
  bool set_result(Args&&... args) {  // false: it was cancelled meanwhile
    if (failed_by_cancel()) return false;
    check_pending("set_result");
    std::construct_at(&value_, std::forward<Args>(args)...);
    finish(Status::result);
    return true;
  }
  Value& value() {
    if (!done()) throw InvalidStateError("result: the Future is not done yet");
    rethrow_if_failed();
    mark_taken();
    return value_;
  }
  Value take() {  // moved out, unless somebody else holds the Future and wants it too
    if constexpr (std::is_copy_constructible_v<Value>)
      if (shared()) return value();
    return std::move(value());
  }

 protected:
  ~FutureStateOf() {
    if (done() && !failed()) std::destroy_at(&value_);
  }
  void dispose() override {
    this->FutureStateOf::~FutureStateOf();
    Pooled::release(this);
  }

  union {
    Value value_;  // once it is done, unless it failed
  };
};

template <class T = void>
class [[nodiscard]] Future {
 public:
  using State = FutureStateOf<T>;
  using Result = std::add_lvalue_reference_t<T>;

  Future() = default;  // Future<void>: a done one. Any other: empty, fit only to be assigned to
  explicit Future(State* state) : state_(state) { state_->retain_future(); }
  Future(const Future& other) : state_(other.state_) {
    if (state_) state_->retain_future();
  }
  Future(Future&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  Future& operator=(Future other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~Future() {
    if (state_) state_->release_future();
  }

  bool done() const { return state_ ? state_->done() : std::is_void_v<T>; }

  // The result, or the failure thrown. Never a wait: throws InvalidStateError before it is done.
  Result result() const {
    if (!state_) {
      if constexpr (std::is_void_v<T>)
        return;
      else
        throw InvalidStateError("result: an empty Future");
    }
    if constexpr (std::is_void_v<T>)
      static_cast<void>(state_->value());
    else
      return state_->value();
  }

  // Why it failed; none when it has not. Counts as a look, as do result() and waiting.
  std::exception_ptr exception() const { return state_ ? state_->exception() : nullptr; }

  // Gives the operation up, which then fails with CancelledError. False: it was done already.
  bool cancel() { return state_ && state_->cancel(); }

  // Runs `callback`, which may take the Future, from the loop's queue once it is done. Does not
  // keep the operation going: IOLoop::add_future does.
  // A callback that takes the Future counts as a look; one that takes nothing does not.
  template <class F>
  void add_done_callback(F callback) const;  // in io_loop.h

  State* state() const { return state_; }

 private:
  State* state_ = nullptr;
};

template <class T = void>
class Promise {
 public:
  // `what` says in dumps and logs what the wait is for; a string literal.
  explicit Promise(const char* what = "a promise", Location where = Location::current())
      : state_(new FutureStateOf<T>(what, where)) {}
  explicit Promise(std::nullptr_t) {}                           // nothing is promised yet
  explicit Promise(FutureStateOf<T>* state) : state_(state) {}  // one that is new
  Promise(Promise&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  Promise& operator=(Promise&& other) noexcept {
    Promise dropped(std::move(*this));
    state_ = std::exchange(other.state_, nullptr);
    return *this;
  }
  ~Promise() {  // unset: the Future fails with BrokenPromiseError
    if (state_) state_->release_promise();
  }

  Future<T> future() const { return Future<T>(state_); }
  bool done() const { return state_->done(); }

  // Both throw WrongThreadError on another thread (hand the promise to add_callback there) and
  // InvalidStateError when it was set before. False: the Future was cancelled; nothing is set.
  template <class... Args>
  bool set_result(Args&&... args) {
    // clang's analyzer does not see that a coroutine's promise has been made.
    state_->check_thread("Promise::set_result");  // NOLINT(clang-analyzer-core.CallAndMessage)
    return state_->set_result(std::forward<Args>(args)...);
  }
  void set_exception(std::exception_ptr exception) {
    state_->check_thread("Promise::set_exception");
    state_->set_exception(std::move(exception));
  }
  template <class E>
    requires std::is_base_of_v<std::exception, E>
  void set_exception(const E& error) { set_exception(std::make_exception_ptr(error)); }

  FutureStateOf<T>* state() const { return state_; }
  explicit operator bool() const { return state_ != nullptr; }  // false: nothing is promised

 private:
  FutureStateOf<T>* state_ = nullptr;
};

template <class T>
Future<std::decay_t<T>> make_ready_future(T&& value, Location where = Location::current()) {
  using Ready = Future<std::decay_t<T>>;
  return Ready(
      new typename Ready::State("a ready Future", where, std::in_place, std::forward<T>(value)));
}

template <class T>
Future<T> make_failed_future(std::exception_ptr error, const char* what = "a failed Future",
                             Location where = Location::current()) {
  Promise<T> promise(what, where);
  Future<T> future = promise.future();
  promise.set_exception(std::move(error));
  return future;
}

}  // namespace eddy
