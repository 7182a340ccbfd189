// The templates of queues.h, which includes this.
#pragma once

#include <memory>
#include <utility>

#include "queues.h"

namespace eddy {
namespace detail {

// In which order items leave. Each has what an Item must bring along, and the container: put() for
// what comes in, put_back() for what was out already, pop() for what leaves next.
struct FirstInFirstOut {
  template <class Item>
  struct Links {};
  template <class Item>
  class Items {
   public:
    void put(Item& item) { list_.push_back(item); }
    void put_back(Item& item) {
      list_.insert_before_first(item,
                                [&](const Item& other) { return other.serial > item.serial; });
    }
    Item& pop() { return list_.pop_front(); }

   private:
    List<Item> list_;
  };
};

struct LastInFirstOut {
  template <class Item>
  struct Links {};
  template <class Item>
  class Items {
   public:
    void put(Item& item) { put_back(item); }
    void put_back(Item& item) {
      list_.insert_before_first(item,
                                [&](const Item& other) { return other.serial < item.serial; });
    }
    Item& pop() { return list_.pop_front(); }

   private:
    List<Item> list_;
  };
};

template <class Less>
struct LowestFirst {
  template <class Item>
  using Links = HeapNode<Item>;
  template <class Item>
  class Items {
   public:
    void put(Item& item) { heap_.push(item); }
    void put_back(Item& item) { heap_.push(item); }
    Item& pop() { return heap_.pop(); }

   private:
    struct Before {
      bool operator()(const Item& one, const Item& other) const {
        const Less less{};
        if (less(one.peek(), other.peek())) return true;
        return !less(other.peek(), one.peek()) && one.serial < other.serial;
      }
    };
    Heap<Item, Before> heap_;
  };
};

}  // namespace detail

// An item in the queue is a Future's state that is done and that nobody holds yet; that of a get
// which waits becomes an item when it is served. So an item that comes back asks for no memory.
template <class T, class Order>
class BasicQueue<T, Order>::Item final : public Lent<T>, public Order::template Links<Item> {
 public:
  Item(BasicQueue& queue, T&& value, std::uint64_t number)
      : Lent<T>(queue, "Queue::get", std::move(value)), serial(number) {}
  Item(BasicQueue& queue, Location where) : Lent<T>(queue, "Queue::get", where) {}

  const T& peek() const { return this->value_; }
  T&& move_out() { return std::move(this->value_); }

  std::uint64_t serial = 0;  // they are counted as they come in
};

template <class T, class Order>
class BasicQueue<T, Order>::Getter final : public WaiterFor<T> {
 public:
  explicit Getter(Item& outcome) : WaiterFor<T>(Promise<T>(&outcome)), outcome_(outcome) {}
  void serve_item(T&& item, std::uint64_t serial) {
    outcome_.serial = serial;
    this->serve(std::move(item));
  }

 private:
  Item& outcome_;
};

template <class T, class Order>
class BasicQueue<T, Order>::Putter final : public WaiterFor<void> {
 public:
  Putter(T&& waiting, Location where)
      : WaiterFor<void>(Promise<>("Queue::put", where)), item(std::move(waiting)) {}
  T item;
};

template <class T, class Order>
BasicQueue<T, Order>::BasicQueue(std::size_t maxsize) : maxsize_(maxsize) {
  check_not_negative(maxsize, "Queue: maxsize");
  finished_.set();
}

template <class T, class Order>
BasicQueue<T, Order>::~BasicQueue() {
  for (; size_ > 0; --size_) items_.pop().discard();
}

template <class T, class Order>
Future<> BasicQueue<T, Order>::put(T item, Until until, Location where) {
  loop_.check_thread("Queue::put");
  if (!full()) {
    add(std::move(item));
    return {};
  }
  if (until.passed()) return fail_as_timed_out<void>("Queue::put", where);
  return putters_.wait(std::make_unique<Putter>(std::move(item), where), until);
}

template <class T, class Order>
void BasicQueue<T, Order>::put_nowait(T item) {
  loop_.check_thread("Queue::put_nowait");
  if (full()) throw QueueFull(maxsize_);
  add(std::move(item));
}

template <class T, class Order>
Future<T> BasicQueue<T, Order>::get(Until until, Location where) {
  loop_.check_thread("Queue::get");
  if (!empty()) return take("Queue::get", where);
  if (until.passed()) return fail_as_timed_out<T>("Queue::get", where);
  return getters_.wait(std::make_unique<Getter>(*new Item(*this, where)), until);
}

template <class T, class Order>
T BasicQueue<T, Order>::get_nowait() {
  loop_.check_thread("Queue::get_nowait");
  if (empty()) throw QueueEmpty();
  const Future<T> item = take("Queue::get_nowait", Location());
  return std::move(item.result());
}

template <class T, class Order>
void BasicQueue<T, Order>::add(T&& item) {
  if (!getters_.empty()) {
    getters_.front().serve_item(std::move(item), ++last_serial_);
  } else {
    items_.put(*new Item(*this, std::move(item), ++last_serial_));
    ++size_;
  }
  ++unfinished_;
  finished_.clear();
}

// The first who waits with an item puts it in before the next one leaves, which may be that very
// item. What came back may have made the queue longer than it should be: then nobody is let in.
template <class T, class Order>
void BasicQueue<T, Order>::admit_putter() {
  if (putters_.empty() || size_ > maxsize_) return;
  Putter& first = putters_.front();
  add(std::move(first.item));
  first.serve();
}

template <class T, class Order>
Future<T> BasicQueue<T, Order>::take(const char* what, Location where) {
  admit_putter();
  Item& next = items_.pop();
  --size_;
  return next.lend(what, where);
}

template <class T, class Order>
void BasicQueue<T, Order>::take_back(Lent<T>& lent) noexcept {
  Item& item = static_cast<Item&>(lent);
  if (getters_.empty()) {
    items_.put_back(item);
    ++size_;
  } else {
    getters_.front().serve_item(item.move_out(), item.serial);
    item.discard();
  }
}

template <class T, class Order>
void BasicQueue<T, Order>::task_done() {
  loop_.check_thread("Queue::task_done");
  if (unfinished_ == 0) throw InvalidStateError("Queue::task_done: more often than items came in");
  if (--unfinished_ == 0) finished_.set();
}

template <class T, class Order>
Future<> BasicQueue<T, Order>::join(Until until, Location where) {
  return finished_.wait(until, "Queue::join", where);
}

}  // namespace eddy
