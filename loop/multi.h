// multi: many Futures become one.
//
// Mirrors tornado.gen.multi; gen.h includes it.
#pragma once

#include <cstddef>
#include <exception>
#include <map>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "future.h"

namespace eddy {

// Waits for all, even when one fails: then the first failure, in the order given, is thrown, and
// the others are logged, unless `quiet`. Results come in the order given.
template <class T>
using MultiResult = std::conditional_t<std::is_void_v<T>, void, std::vector<T>>;
template <class T>
Future<MultiResult<T>> multi(std::vector<Future<T>> futures, bool quiet = false,
                             Location where = Location::current());
template <class Key, class T>
Future<std::map<Key, T>> multi(std::map<Key, Future<T>> futures, bool quiet = false,
                               Location where = Location::current());

namespace detail {

// Waits for a number of states, and then for nobody. Owns itself once it waits.
class AllDone : public Producer {
 public:
  AllDone();
  virtual ~AllDone();

 protected:
  void make_room(std::size_t states);  // what may fail, while somebody still owns it
  void wait_for(const std::vector<FutureState*>& states);
  virtual void all_done() = 0;  // deletes this

 private:
  class One;
  std::unique_ptr<One[]> waiting_;
  std::size_t left_ = 0;
};

// The first failure in order, if there is one; the others are logged, or not looked at further.
std::exception_ptr first_failure(const std::vector<FutureState*>& states, bool quiet);

template <class Futures, class Result>
class Multi final : public AllDone {
 public:
  static Future<Result> start(Futures futures, bool quiet, Location where) {
    auto multi = std::make_unique<Multi>(std::move(futures), quiet, where);
    const std::vector<FutureState*> states = multi->states();
    multi->make_room(states.size());
    Future<Result> all = multi->promise_.future();
    multi.release()->wait_for(states);
    return all;
  }

  Multi(Futures futures, bool quiet, Location where)
      : futures_(std::move(futures)), promise_("multi", where), quiet_(quiet) {
    promise_.state()->set_producer(this);
  }

 private:
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
    try {
      set();
    } catch (...) {
      promise_.set_exception(std::current_exception());
    }
    delete this;
  }
  void set() {
    if (const std::exception_ptr failure = first_failure(states(), quiet_))
      promise_.set_exception(failure);
    else if constexpr (std::is_void_v<Result>)
      promise_.set_result();
    else
      promise_.set_result(results());
  }
  Result results() const {
    Result all;
    for (const auto& entry : futures_) add(all, entry);
    return all;
  }
  template <class T>
  static T taken(const Future<T>& future) {
    if (!future.state()) static_cast<void>(future.result());  // an empty one: throws
    return future.state()->take();
  }
  template <class T>
  static void add(std::vector<T>& all, const Future<T>& future) {
    all.push_back(taken(future));
  }
  template <class Key, class T>
  static void add(std::map<Key, T>& all, const std::pair<const Key, Future<T>>& entry) {
    all.emplace(entry.first, taken(entry.second));
  }
  void abandoned(FutureState&) override { delete this; }

  Futures futures_;
  Promise<Result> promise_;
  bool quiet_;
};

}  // namespace detail

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

}  // namespace eddy
