// Coroutine: the stackless face of a coroutine, a class whose locals are members.
//
// Mirrors tornado.gen.coroutine and its generators. The body stands between CO_BEGIN and CO_END of
// yield.h and its place in it is one integer; a switch leads back there:
//
//   class EchoSession : public Coroutine<> {
//    public:
//     explicit EchoSession(std::unique_ptr<IOStream> stream) : stream_(std::move(stream)) {}
//    private:
//     void body() override;
//     std::unique_ptr<IOStream> stream_;
//     Future<std::string> line_;  // locals do not outlive a CO_AWAIT: members do
//   };
//   Future<void> done = start_coroutine<EchoSession>(std::move(stream));
//
// It lives on the heap, starts at once, and destroys itself at its end, or when nobody holds its
// Future any more.
#pragma once

#include <utility>

#include "future.h"
#include "task.h"

namespace eddy {

template <class T = void>
class Coroutine : public TaskOf<T> {
 public:
  using ResultType = T;

 protected:
  explicit Coroutine(Location where = Location::current()) : TaskOf<T>(where) {}
  virtual ~Coroutine() {
    if (awaited_) awaited_->release_future();
  }
  virtual void body() = 0;  // in yield.h's words

  // What the words stand for.
  static constexpr int kFinished = -1;
  int state_ = 0;

  enum class OnFailure { go_on, fail };

  // True: stop here, resumed() comes later. False: go on.
  template <OnFailure kOnFailure, class U>
  bool suspends(const Future<U>& future, Location where = Location::current()) {
    FutureState* const awaited = future.state();
    if (Task::goes_straight_on(awaited)) {
      if (awaited && kOnFailure == OnFailure::fail) awaited->rethrow_if_failed();
      return false;
    }
    this->set_place(where);
    if ((awaited_ = awaited)) awaited->retain_future();
    if (this->wait(awaited)) return true;
    resumed<kOnFailure>();
    return false;
  }
  template <OnFailure>
  bool suspends(Moment, Location where = Location::current()) {
    this->set_place(where);
    return this->wait_a_turn();
  }
  template <OnFailure kOnFailure>
  void resumed() {  // the wait is over
    if (!awaited_) return Task::check_cancelled();
    FutureState* const awaited = std::exchange(awaited_, nullptr);
    const Released released{awaited};
    Task::check_awaited(awaited);
    if (kOnFailure == OnFailure::fail) awaited->rethrow_if_failed();
  }

  template <class... Args>
  void finish(Args&&... result) {
    state_ = kFinished;
    this->promise_.set_result(std::forward<Args>(result)...);
  }
  void fall_off_the_end() {
    if constexpr (std::is_void_v<T>)
      finish();
    else
      throw InvalidStateError("a coroutine with a result ended without CO_RETURN");
  }

 private:
  struct Released {
    FutureState* state;
    ~Released() { state->release_future(); }
  };

  template <class C, class... Args>
  friend Future<typename C::ResultType> start_coroutine(Args&&... args);

  void resume() override {
    try {
      body();
    } catch (...) {
      state_ = kFinished;
      this->promise_.set_exception(std::current_exception());
    }
    if (state_ == kFinished || this->ended()) destroy();
  }
  void destroy() override { delete this; }

  FutureState* awaited_ = nullptr;
};

// Makes a C from `args` and runs it up to its first wait.
template <class C, class... Args>
Future<typename C::ResultType> start_coroutine(Args&&... args) {
  using Base = Coroutine<typename C::ResultType>;
  Base* coroutine = new C(std::forward<Args>(args)...);
  Future<typename C::ResultType> future = coroutine->promise_.future();
  coroutine->resume();
  return future;
}

}  // namespace eddy
