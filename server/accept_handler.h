// AcceptHandler: takes in what connects to one listening socket.
//
// Mirrors tornado.netutil.add_accept_handler. Destroying it is what Tornado's remover does: nothing
// is accepted from then on, not even the rest of a batch, so the callback may destroy it.
//
// A connection that was gone before it was taken is passed over. When descriptors or memory run
// out, the pending connection would be reported, and refused, in each turn: instead the handler
// pauses, longer and longer, says so once, and comes back by itself.
//
//   accepting --out of resources--> paused --time is up--> accepting
//
// The children of fork_processes share a listener evenly. The kernel wakes one for a connection,
// the first of those who wait for it: whoever has taken some stands behind the others from then on,
// and stands aside for a moment when there are more, so that those whom it has woken come to their
// turn.
#pragma once

#include <functional>
#include <memory>

#include "../loop/io_loop.h"
#include "../loop/unique_fd.h"
#include "../stream/socket_address.h"

namespace eddy {

class AcceptHandler {
 public:
  // An exception is logged, and the next connection taken.
  using Accepted = std::function<void(UniqueFd socket, const SocketAddress& peer)>;

  static constexpr int kAcceptsPerTurn = 128;       // then others have their turn
  static constexpr int kAcceptsPerTurnOfMany = 16;  // in a child of fork_processes
  static constexpr Duration kStandingAside = std::chrono::milliseconds(1);
  static constexpr int kMostWaiting = 4096;  // as many as a kernel lets wait
  static constexpr Duration kFirstPause = std::chrono::milliseconds(10);
  static constexpr Duration kLongestPause = std::chrono::milliseconds(320);

  AcceptHandler(int listener, Accepted accepted);  // the non-blocking listener stays the caller's
  ~AcceptHandler();
  AcceptHandler(const AcceptHandler&) = delete;
  AcceptHandler& operator=(const AcceptHandler&) = delete;

  void accept_waiting();  // now, all that the kernel has accepted already: before a graceful stop
  void suspend();         // connections wait in the kernel's queue until resume(), which never
  void resume();          // fails; both are safe within the callback, and harmless when repeated
  bool paused() const;

 private:
  class Acceptor;
  std::shared_ptr<Acceptor> acceptor_;
};

// Tornado's word for it: const AcceptHandler accepting = add_accept_handler(listener, callback);
[[nodiscard]] inline AcceptHandler add_accept_handler(int listener,
                                                      AcceptHandler::Accepted accepted) {
  return {listener, std::move(accepted)};
}

}  // namespace eddy
