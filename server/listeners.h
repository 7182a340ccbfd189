// Listeners: the sockets where a server takes connections in.
//
// What the server classes have in common before a connection becomes a conversation; mirrors the
// _sockets and _handlers of tornado.tcpserver.TCPServer.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "accept_handler.h"

namespace eddy {

class Listeners {
 public:
  using Accepted = AcceptHandler::Accepted;
  explicit Listeners(Accepted accepted) : accepted_(std::move(accepted)) {}

  // Begins to accept on all of them, or on none: throws std::system_error. One that was made
  // elsewhere is made non-blocking and close-on-exec.
  void add(std::vector<UniqueFd> sockets);
  std::vector<SocketAddress> addresses() const;
  bool empty() const { return listeners_.empty(); }

  // Now, all that the kernel has accepted already: before a graceful stop. `accepted` may drop us.
  void accept_waiting();
  void pause();   // connections wait in the kernel's queue until resume(); both are safe
  void resume();  // within `accepted`, and harmless when repeated
  void close() { listeners_.clear(); }  // who waits in the kernel's queue is dropped

 private:
  struct Listener {
    UniqueFd socket;
    std::shared_ptr<AcceptHandler> handler;  // goes first
  };

  const Accepted accepted_;
  std::vector<Listener> listeners_;
};

}  // namespace eddy
