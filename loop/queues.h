// Queue, PriorityQueue, LifoQueue: items pass from one coroutine to another.
//
// Mirrors tornado.queues. They belong to the loop in whose thread they are made, and end before it;
// they are not for other threads.
//
//   Queue<Job> jobs(100);                      // puts wait while 100 are in it
//   co_await jobs.put(std::move(job));         // one coroutine
//   for (;;) {                                 // another; Tornado's `async for job in jobs`
//     const Job job = co_await jobs.get();
//     work_on(job);
//     jobs.task_done();                        // join() is done when each item that came in was
//   }
//
// No item is lost: what a get has been given, and nobody has taken out of its Future when that is
// dropped, goes back to the place it came from, though the queue be full, or to the next who waits.
// What with_timeout brings counts as taken: give get() itself the time. A put that times out, or is
// dropped while it waits, puts nothing; its item is destroyed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>

#include "heap.h"
#include "lent_result.h"
#include "locks.h"

namespace eddy {

class QueueEmpty : public std::runtime_error {
 public:
  QueueEmpty() : runtime_error("get_nowait: the queue is empty") {}
};

class QueueFull : public LimitError {
 public:
  explicit QueueFull(std::size_t maxsize)
      : LimitError("put_nowait: the queue is full (maxsize = " + std::to_string(maxsize) + ")") {}
};

// T is moved, never copied, and its move may not throw.
template <class T, class Order>
class BasicQueue final : private Lender<T> {
  static_assert(std::is_nothrow_move_constructible_v<T>, "items are moved where nothing may fail");

 public:
  // At most `maxsize` items, or any number with 0. Throws std::invalid_argument for what was a
  // negative number.
  explicit BasicQueue(std::size_t maxsize = 0);
  ~BasicQueue();

  // Both wait in the order of coming, and fail with TimeoutError.
  Future<> put(T item, Until until = {}, Location where = Location::current());
  Future<T> get(Until until = {}, Location where = Location::current());
  void put_nowait(T item);  // throws QueueFull
  T get_nowait();           // throws QueueEmpty

  // Each item that has come in wants one task_done(); one more throws InvalidStateError. join() is
  // done when none wants it any more, or fails with TimeoutError.
  void task_done();
  Future<> join(Until until = {}, Location where = Location::current());

  std::size_t qsize() const { return size_; }
  std::size_t maxsize() const { return maxsize_; }
  bool empty() const { return size_ == 0; }
  bool full() const { return maxsize_ != 0 && size_ >= maxsize_; }

 private:
  class Item;
  class Getter;
  class Putter;
  using Items = typename Order::template Items<Item>;

  void add(T&& item);
  void admit_putter();
  Future<T> take(const char* what, Location where);
  void take_back(Lent<T>& lent) noexcept override;

  IOLoop& loop_ = IOLoop::current();
  const std::size_t maxsize_;
  std::size_t size_ = 0;
  std::size_t unfinished_ = 0;
  std::uint64_t last_serial_ = 0;
  Items items_;
  WaitLine<Getter> getters_;  // only while no item is there
  WaitLine<Putter> putters_;  // only while it is full
  Event finished_;
};

namespace detail {

struct FirstInFirstOut;
struct LastInFirstOut;
template <class Less>
struct LowestFirst;

}  // namespace detail

template <class T>
using Queue = BasicQueue<T, detail::FirstInFirstOut>;

template <class T>
using LifoQueue = BasicQueue<T, detail::LastInFirstOut>;  // the last one in comes out first

// The lowest comes out first; of equal ones, as in no Tornado, the first one in.
template <class T, class Less = std::less<T>>
using PriorityQueue = BasicQueue<T, detail::LowestFirst<Less>>;  // Less may not throw

}  // namespace eddy

#include "queues_inline.h"  // the templates above
