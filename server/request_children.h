// RequestChildren: the requests of a RequestServer, each in a child process.
//
// Mirrors socketserver.ForkingMixIn. A child has none of the server's sockets but its client's, a
// loop of its own, where plain code may block, and the signals' usual actions; SIGTERM and SIGINT,
// which a terminal sends to all, let it serve what has arrived and end. It ends without the parent,
// too. Children are held by pidfds: no SIGCHLD is needed, and no zombie stays.
//
//   forking --max_children--> full: the next connections wait unaccepted --one ends--> forking
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "child_process.h"
#include "request_bells.h"
#include "request_place.h"
#include "request_server.h"

namespace eddy {

class RequestChildren final : public RequestPlace {
 public:
  // Throws InvalidStateError in a process that has other threads. `on_room` is called when there
  // is room for a child again.
  RequestChildren(RequestServer& server, const RequestBells& bells, TCPServerOptions options,
                  const InChildren& policy, std::function<void()> on_room);
  ~RequestChildren() override;

  void process(AcceptedRequest request) override;
  bool full() const override { return children_.size() >= policy_.max_children; }
  void close() override;  // kills them
  std::vector<std::string> workers() const override;

 private:
  struct Child {
    ChildProcess process;
    OpenRequests::Ticket ticket;
    std::string client;
  };
  void fork_for(AcceptedRequest request);
  [[noreturn]] void be_child(pid_t parent, AcceptedRequest request) const;
  void ended(pid_t pid);

  RequestServer& server_;
  const RequestBells& bells_;
  const TCPServerOptions options_;
  const InChildren policy_;
  const std::function<void()> on_room_;
  IOLoop& loop_;
  std::map<pid_t, Child> children_;
  std::deque<AcceptedRequest> waiting_;  // taken in when the server began to drain
};

}  // namespace eddy
