// RelayServer: devices stream numbers, and any number of viewers receive them.
//
// The article's ProxyServer: handle_stream asks what a client is and hands it to one of two
// conversations, of a device or of a viewer. Devices are always read at full rate. What a viewer is
// sent waits in the backlog of its device, which all viewers share, and whole frames are lost to
// those who fall too far behind.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "../server/tcp_server.h"
#include "relay_hub.h"
#include "relay_peer.h"

namespace eddy {

struct RelayOptions {
  RelayHubOptions hub;
  std::shared_ptr<const TLSContext> tls = nullptr;        // as in TCPServerOptions
  Duration handshake_timeout = std::chrono::seconds(10);  // for all of it, TLS's included
};

class RelayServer : public TCPServer {
 public:
  explicit RelayServer(const RelayOptions& options = {});
  ~RelayServer() override;

  static BindOptions bind_options();  // of listen(), and of sockets that are made elsewhere

  const RelayHub& hub() const { return hub_; }
  std::size_t viewers_behind() const { return viewers_behind_; }  // who are being sent frames

 protected:
  Future<> handle_stream(std::unique_ptr<IOStream> stream, SocketAddress address) override;
  // What the logs call a client.
  virtual std::string name_of(const SocketAddress& client) { return client.to_string(); }
  // What has arrived from devices is still fed, then each viewer takes what is left and ends.
  void draining() override;

 private:
  friend class RelayDeviceConnection;
  friend class RelayViewerConnection;
  class Incoming;

  Future<Duration> converse(RelayPeer& peer);
  Future<> serve(RelayPeer& peer);
  void leave_incoming(RelayPeer& peer);
  void forget_when_due();

  const RelayOptions options_;
  RelayHub hub_;
  IOLoop::Timeout expiry_{};
  List<RelayPeer> incoming_;  // who shake hands or feed a device
  std::size_t viewers_behind_ = 0;
  bool draining_ = false;
};

}  // namespace eddy
