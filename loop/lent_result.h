// Lent: a Future's result that goes back to where it came from, unless somebody takes it.
//
// Between the moment in which a waiter is served and the one in which it goes on, it may be
// cancelled, and its Future dropped with the result in it. Tornado loses that result. Ours is lent
// only: result(), an await and with_timeout take it, and what nobody took goes back.
#pragma once

#include <utility>

#include "future.h"
#include "list.h"

namespace eddy {

template <class T>
class Lent;

template <class T>
class Lender {
 public:
  Lender() = default;
  Lender(const Lender&) = delete;
  Lender& operator=(const Lender&) = delete;

 protected:
  ~Lender() {  // what is lent stays where it is
    while (!lent_.empty()) lent_.pop_front().give();
  }
  // A done one that nobody holds: to be kept, or destroyed with discard(). Within a destructor.
  virtual void take_back(Lent<T>& lent) noexcept = 0;

 private:
  friend class Lent<T>;
  List<Lent<T>> lent_;
};

template <class T>
class Lent : public FutureStateOf<T>, public ListNode {
 public:
  Lent(Lender<T>& lender, const char* what, Location where)
      : FutureStateOf<T>(what, where), lender_(&lender) {
    lender.lent_.push_back(*this);
  }
  // One that is done, and stays with its lender until it is lent for the first time.
  Lent(Lender<T>& lender, const char* what, T&& value)
      : FutureStateOf<T>(what, Location(), std::in_place, std::move(value)), lender_(&lender) {}

  void give() {  // for good
    this->unlink();
    lender_ = nullptr;
  }
  Future<T> lend(const char* what, Location where) {
    this->begin_again(what, where);
    lender_->lent_.push_back(*this);
    return Future<T>(this);
  }
  void discard() {
    lender_ = nullptr;
    dispose();
  }

 protected:
  virtual ~Lent() = default;
  void dispose() override {
    if (lender_ && this->done() && !this->failed() && !this->taken())
      lender_->take_back(*this);
    else
      delete this;
  }

 private:
  Lender<T>* lender_;  // none: it was given for good
};

}  // namespace eddy
