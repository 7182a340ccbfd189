// RequestDatagrams: the datagrams of a RequestServer, each of them a request on its loop.
//
// Mirrors socketserver.UDPServer, and UnixDatagramServer.
#pragma once

#include "request_runner.h"
#include "request_server.h"
#include "udp_server.h"

namespace eddy {

class RequestDatagrams final : public UDPServer {
 public:
  RequestDatagrams(RequestServer& server, RequestRunner& runner, const UDPServerOptions& options)
      : UDPServer(options), server_(server), runner_(runner) {}
  ~RequestDatagrams() override { end_all_handlers(); }

 private:
  Future<> handle_datagram(Datagram datagram, DatagramSocket& socket) override;

  RequestServer& server_;
  RequestRunner& runner_;
};

}  // namespace eddy
