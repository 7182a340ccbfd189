// Signals: POSIX signals as callbacks of the loop.
//
// Mirrors what Tornado leaves to signal.set_wakeup_fd and IOLoop.add_callback_from_signal. By
// signalfd, and only for the signals that were asked for: they are blocked in the loop's thread,
// so threads must be started after this, or block them too. A program that is exec'ed inherits the
// blocked mask: whoever forks for that restores outer_mask() in the child.
#pragma once

#include <signal.h>

#include <atomic>
#include <deque>
#include <functional>
#include <map>

#include "poller.h"
#include "unique_fd.h"
#include "waker.h"

namespace eddy {

class Signals : public EventHandler {
 public:
  Signals(Poller& poller, Platform& platform) : poller_(poller), platform_(platform) {}
  ~Signals() override;

  void add(int signal, std::function<void()> handler);  // replaces one that is there
  bool remove(int signal);      // one that came and was not yet handled is dropped
  static sigset_t host_mask();  // the thread's, without what is kept for a handler to come
  sigset_t outer_mask() const;  // nor what has one
  void handle_events(std::uint32_t events) override;

 private:
  struct Handler {
    std::function<void()> function;
    bool was_blocked = true;  // by others: stays so afterwards
  };
  void watch();  // tells the kernel of handlers_
  void unblock(int signal);

  Poller& poller_;
  Platform& platform_;
  UniqueFd fd_;
  std::map<int, Handler> handlers_;
};

// Blocks a signal in this thread for a handler that is to come: it waits for that, and is open once
// the handler is removed, whereas what add() finds blocked otherwise stays so.
void keep_for_handler(int signal);

// Callbacks that a signal handler may ask for: a flag each, and one ring.
class SignalCallbacks : public EventHandler {
 public:
  SignalCallbacks(Poller& poller, Platform& platform);
  ~SignalCallbacks() override { poller_.remove(waker_.fd()); }

  std::size_t add(std::function<void()> callback);
  void request(std::size_t which) noexcept;  // async-signal-safe
  void handle_events(std::uint32_t events) override;

 private:
  static constexpr std::size_t kMost = 64;

  Poller& poller_;
  Waker waker_;
  std::deque<std::function<void()>> callbacks_;
  std::atomic<bool> requested_[kMost] = {};
};

}  // namespace eddy
