// sleep, with_timeout, WaitIterator and, in multi.h, multi: what coroutines are made of.
//
// Mirrors tornado.gen. All give Futures; await them, or hang callbacks on them.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "io_loop.h"
#include "multi.h"
#include "task.h"

namespace eddy {

// Done after the delay. Dropping the Future removes the timer.
Future<> sleep_for(Duration delay, Location where);
template <class Rep, class Period>
Future<> sleep(std::chrono::duration<Rep, Period> delay, Location where = Location::current()) {
  return sleep_for(to_duration(delay), where);
}

// The Future's outcome, or TimeoutError once the deadline has passed. The operation is then let go
// of: it ends, and a read gives its bytes back, unless somebody else still holds its Future. The
// same when the Future that this gives is dropped or cancelled.
template <class T>
Future<T> with_deadline(TimePoint deadline, Future<T> future, Location where = Location::current());
template <class Rep, class Period, class T>
Future<T> with_timeout(std::chrono::duration<Rep, Period> timeout, Future<T> future,
                       Location where = Location::current()) {
  const TimePoint now = IOLoop::current().time();
  return with_deadline(after(now, to_duration(timeout)), std::move(future), where);
}

// Futures in the order in which they are done; those done already, in the order given.
//
//   for (WaitIterator<int> all(std::move(futures)); !all.done();)
//     use(co_await all.next(), all.current_index());
//
// A failure is thrown by the await of its own next() and does not end the iteration.
template <class T>
class WaitIterator {
 public:
  explicit WaitIterator(std::vector<Future<T>> futures);

  bool done() const;                                     // each was given out, or asked for
  Future<T> next(Location where = Location::current());  // one at a time
  std::size_t current_index() const;  // whose outcome the last next() gave, once that is done
  Future<T> current_future() const;

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

// Keeps `from` going and copies what becomes of it into `to`, unless that is done already. Mirrors
// tornado.concurrent.chain_future.
template <class T>
void chain_future(Future<T> from, Promise<T> to);

}  // namespace eddy

#include "gen_inline.h"  // the templates above
