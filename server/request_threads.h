// RequestThreads: the requests of a RequestServer, each on one of N threads.
//
// Mirrors socketserver.ThreadingMixIn, but bounded: the threads are there from the beginning, each
// with a loop of its own that serves many, and each takes so many at once. A connection goes to
// the one that has least to do. They start with all signals blocked.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "request_bells.h"
#include "request_place.h"
#include "request_server.h"

namespace eddy {

class RequestThreads final : public RequestPlace {
 public:
  RequestThreads(RequestServer& server, const OpenRequests& open, RequestBells& bells,
                 const TCPServerOptions& options, const OnThreads& policy);
  ~RequestThreads() override;

  void process(AcceptedRequest request) override;
  void close() override;  // rings the bell for it, and joins them
  std::vector<std::string> workers() const override;

 private:
  class Worker;

  const OpenRequests& open_;
  const OnThreads policy_;
  RequestBells& bells_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace eddy
