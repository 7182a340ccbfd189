// co_await: the C++20 face of a coroutine.
//
// Mirrors tornado.gen.coroutine as `async def` writes it. A function that returns Future<T> and
// contains co_await is a coroutine; including this header is all it takes:
//
//   Future<void> serve(IOStream& stream) {
//     for (;;) co_await stream.write(co_await stream.read_until("\n"));
//   }
//
// It starts in the call. Its failures go into its Future. It ends when nobody holds that Future:
// keep it, await it, or give it to IOLoop::spawn or a CoroutineSet.
#pragma once

#include <coroutine>
#include <utility>

#include "future.h"
#include "task.h"

namespace eddy {

template <class T>
class CoroutineTask;

// What stands between a coroutine and the Future it awaits; lives in the coroutine's frame.
template <class T, bool kOwned>
class FutureAwaiter {
 public:
  explicit FutureAwaiter(Future<T> future) : future_(std::move(future)) {}

  bool await_ready() { return Task::goes_straight_on(future_.state()); }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> coroutine) {
    return coroutine.promise().suspends(future_.state());
  }
  decltype(auto) await_resume() {
    Task::check_awaited(future_.state());
    if constexpr (std::is_void_v<T>)
      return future_.result();
    else if constexpr (kOwned)
      return take();
    else
      return (future_.result());  // stays in the Future that was awaited
  }

 private:
  T take() {
    if (!future_.state()) static_cast<void>(future_.result());  // an empty one: throws
    return future_.state()->take();
  }

  Future<T> future_;
};

class MomentAwaiter {
 public:
  bool await_ready() const { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> coroutine) {
    return coroutine.promise().suspends_a_turn();
  }
  void await_resume() { Task::check_cancelled(); }
};

// What both kinds of coroutine promise have in common: C++ wants return_void or return_value, not
// both.
template <class T>
class CoroutineTaskBase : public TaskOf<T> {
 public:
  explicit CoroutineTaskBase(Location where) : TaskOf<T>(where) {}

  Future<T> get_return_object() { return this->promise_.future(); }
  std::suspend_never initial_suspend() noexcept { return {}; }
  std::suspend_never final_suspend() noexcept { return {}; }
  void unhandled_exception() { this->promise_.set_exception(std::current_exception()); }

  template <class U>
  auto await_transform(Future<U>&& future, Location where = Location::current()) {
    this->set_place(where);
    return FutureAwaiter<U, true>(std::move(future));
  }
  template <class U>
  auto await_transform(const Future<U>& future, Location where = Location::current()) {
    this->set_place(where);
    return FutureAwaiter<U, false>(future);
  }
  auto await_transform(Moment, Location where = Location::current()) {
    this->set_place(where);
    return MomentAwaiter();
  }

  bool suspends(FutureState* state) { return this->wait(state) && end_or_stay(); }
  bool suspends_a_turn() { return this->wait_a_turn() && end_or_stay(); }

 protected:
  ~CoroutineTaskBase() = default;

 private:
  using Handle = std::coroutine_handle<CoroutineTask<T>>;
  Handle handle() { return Handle::from_promise(static_cast<CoroutineTask<T>&>(*this)); }
  void resume() override { handle().resume(); }
  void destroy() override { handle().destroy(); }

  bool end_or_stay() {
    if (this->ended()) destroy();
    return true;  // suspended, or gone, which looks the same from outside
  }
};

template <class T>
class CoroutineTask final : public CoroutineTaskBase<T> {
 public:
  explicit CoroutineTask(Location where = Location::current()) : CoroutineTaskBase<T>(where) {}
  template <class U>
  void return_value(U&& value) {
    this->promise_.set_result(std::forward<U>(value));
  }
};

template <>
class CoroutineTask<void> final : public CoroutineTaskBase<void> {
 public:
  explicit CoroutineTask(Location where = Location::current()) : CoroutineTaskBase<void>(where) {}
  void return_void() { promise_.set_result(); }
};

}  // namespace eddy

template <class T, class... Args>
struct std::coroutine_traits<eddy::Future<T>, Args...> {
  using promise_type = eddy::CoroutineTask<T>;  // NOLINT(readability-identifier-naming): C++'s word
};
