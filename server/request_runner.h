// RequestRunner: runs requests on the loop of its thread.
//
// The inner part of socketserver.BaseServer: finish_request, shutdown_request and handle_error. A
// server has one, and each of its threads and children one of its own.
#pragma once

#include "../loop/coroutine_set.h"
#include "../loop/list.h"
#include "request_bells.h"
#include "request_handler.h"
#include "request_place.h"
#include "tcp_server.h"

namespace eddy {

class RequestRunner {
 public:
  // `may_block`: plain code may block this thread, one of `shares` that have the options' limit on
  // memory in common.
  RequestRunner(RequestServer& server, const RequestBells& bells, const TCPServerOptions& options,
                bool may_block, std::size_t shares = 1);
  ~RequestRunner();
  RequestRunner(const RequestRunner&) = delete;
  RequestRunner& operator=(const RequestRunner&) = delete;

  void start(AcceptedRequest request);
  Future<> run(AcceptedRequest request);  // setup, handle, finish, and the connection's end
  Future<> run(AcceptedRequest request, std::string datagram, Request::Reply reply);
  void clear() { running_.clear(); }  // ends them all now

 private:
  void drain();  // serves what has arrived, then ends
  void stop_listening();
  Future<> converse(IOStream& stream, const AcceptedRequest& accepted);
  Future<> answer(Request& request, const AcceptedRequest& accepted);
  Future<> finish_request(Request& request, const AcceptedRequest& accepted);

  RequestServer& server_;
  const RequestBells& bells_;
  const TCPServerOptions options_;
  const SharedLimits limits_;
  HandshakeQueue handshakes_;
  const bool may_block_;
  IOLoop& loop_;
  bool draining_ = false;
  List<Request> open_;  // not owned
  CoroutineSet running_;
};

}  // namespace eddy
