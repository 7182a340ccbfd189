// RequestChildren: the requests of a RequestServer, each in a child process.
//
// Mirrors socketserver.ForkingMixIn. A child has none of the server's sockets but its client's, a
// loop of its own, where plain code may block, and the signals' usual actions; SIGTERM and SIGINT,
// which a terminal sends to all, let it serve what has arrived and end. It ends without the parent,
// too. Children are held by pidfds: no SIGCHLD is needed, and no zombie stays.
//
// A shortage, of processes or descriptors, is waited out like that, too: no client is lost by it.
//
//   forking --max_children--> full: the next connections wait unaccepted --one ends--> forking
//          \--no process to be had--> full --one ends, or time is up--> forking
#pragma once

#include <exception>
#include <functional>
#include <list>
#include <string>
#include <vector>

#include "child_process.h"
#include "request_bells.h"
#include "request_place.h"
#include "request_server.h"

namespace eddy {

class RequestChildren final : public RequestPlace {
 public:
  static constexpr Duration kFirstPause = std::chrono::milliseconds(10);  // in a shortage
  static constexpr Duration kLongestPause = std::chrono::milliseconds(320);

  // Throws InvalidStateError in a process that has other threads. `on_room` is called when there
  // is room for a child again.
  RequestChildren(RequestServer& server, RequestBells& bells, TCPServerOptions options,
                  const InChildren& policy, std::function<void()> on_room);
  ~RequestChildren() override;

  void process(AcceptedRequest request) override;
  bool full() const override { return no_room() || !waiting_.empty(); }
  void close() override;  // kills them
  std::vector<std::string> workers() const override;

 private:
  struct Child {
    AcceptedRequest request;
    ChildProcess process{};  // none: it waits for one
  };
  using Children = std::list<Child>;
  bool no_room() const { return children_.size() >= policy_.max_children; }
  void serve_waiting();
  void fork_for(Children::iterator child);
  [[noreturn]] void be_child(pid_t parent, const Bell& may_begin, AcceptedRequest request) const;
  void wait_out(const std::exception& shortage);
  void ended(Children::iterator child);

  RequestServer& server_;
  RequestBells& bells_;
  const TCPServerOptions options_;
  const InChildren policy_;
  const std::function<void()> on_room_;
  IOLoop& loop_;
  Children children_;
  Children waiting_;  // in a shortage, or taken in when the server began to drain
  IOLoop::Timeout retry_{};
  Duration patience_ = kFirstPause;  // longer while no child can be had
  bool told_ = false;                // of the shortage, until nobody waits
};

}  // namespace eddy
