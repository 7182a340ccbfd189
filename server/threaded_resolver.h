// ThreadedResolver: asks the system's resolver, which blocks, on threads of its own.
//
// Mirrors tornado.netutil.ThreadedResolver. Numeric addresses are answered at once. A name waits
// for one of a few threads, made when they are first needed; what waits for them is bounded.
//
//   waiting for a thread --a thread takes it--> being looked up --its answer--> done
//       \--its Future is dropped--> gone            \--its Future is dropped--> answer not wanted
//
// No thread can be called back from name servers that do not answer. So nobody waits for one: it
// is left behind, by a lookup that is given up, and by the resolver's own end, and goes by itself.
// A resolver that came through a fork makes threads of its own.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "resolver.h"

namespace eddy {

class ThreadedResolver : public Resolver {
 public:
  static constexpr std::size_t kThreads = 4;
  static constexpr std::size_t kMostWaiting = 1024;
  // Runs on the threads, which may still be in it when the resolver is gone.
  using LookUp = std::function<Addresses(const std::string& host, std::uint16_t port, int family)>;

  // Beyond `most_waiting` lookups without a thread, one more fails at once: LimitError.
  explicit ThreadedResolver(std::size_t threads = kThreads, std::size_t most_waiting = kMostWaiting,
                            LookUp look_up = system_look_up);
  ~ThreadedResolver() override;  // lookups that are not done fail
  ThreadedResolver(const ThreadedResolver&) = delete;
  ThreadedResolver& operator=(const ThreadedResolver&) = delete;

  static Addresses system_look_up(const std::string& host, std::uint16_t port, int family) {
    return eddy::look_up(host, port, family);
  }

 private:
  class Lookups;  // shared with the threads
  class Wanted;
  friend std::shared_ptr<Resolver> default_resolver();

  explicit ThreadedResolver(std::shared_ptr<Lookups> lookups);
  Future<Addresses> find(std::string host, std::uint16_t port, int family) override;

  std::shared_ptr<Lookups> lookups_;
};

// The one that this thread's clients share while any of them lives. The threads that it leaves
// behind count for the next one: clients that come and go, and hang, never have more than kThreads.
std::shared_ptr<Resolver> default_resolver();

}  // namespace eddy
