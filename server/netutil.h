// bind_sockets and add_accept_handler: sockets that listen, and what comes in through them.
//
// Mirrors tornado.netutil.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "../loop/io_loop.h"
#include "../loop/unique_fd.h"
#include "../stream/socket_address.h"

namespace eddy {

struct BindOptions {
  int family = AF_UNSPEC;  // AF_INET or AF_INET6 for one kind only
  int backlog = 128;
  bool reuse_port = false;
};

// One listening socket for each address of the host: a name or a numeric address; empty: every
// interface. Port 0 picks a free one, the same for all of them. Resolves names, so it may block:
// meant for the start of a program. Throws std::system_error, or std::runtime_error when the name
// does not resolve; the text names the address, and nothing stays open.
std::vector<UniqueFd> bind_sockets(std::uint16_t port, const std::string& address = "",
                                   const BindOptions& options = {});

// Accepts on one listening socket for as long as it lives. Mirrors add_accept_handler; destroying
// it is what the remover is in Tornado, and is safe from within the callback.
//
// When the process or the system runs out of descriptors or memory, it pauses with growing
// patience, says so once, and comes back by itself.
class AcceptHandler {
 public:
  using Accepted = std::function<void(UniqueFd socket, const SocketAddress& peer)>;

  static constexpr int kAcceptsPerTurn = 128;
  static constexpr int kMostWaiting = 4096;  // as many as a kernel lets wait

  AcceptHandler(int listener, Accepted accepted);  // the listener stays the caller's
  ~AcceptHandler();
  AcceptHandler(const AcceptHandler&) = delete;
  AcceptHandler& operator=(const AcceptHandler&) = delete;

  void accept_waiting();  // now, all that the kernel has accepted already: before a graceful stop
  bool paused() const;

 private:
  class Acceptor;
  std::shared_ptr<Acceptor> acceptor_;
};

}  // namespace eddy
