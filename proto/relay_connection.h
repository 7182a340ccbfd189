// RelayDeviceConnection, RelayViewerConnection: one client of a RelayServer, of either kind.
//
// The article's handle_iphonex_stream and handle_ue4_stream. Both shake hands first; then a device
// is read for ever, and a viewer is written to by one coroutine while another waits for it to
// leave.
#pragma once

#include <cstdint>

#include "relay_device.h"
#include "relay_peer.h"
#include "relay_server.h"

namespace eddy {

class RelayDeviceConnection : private RelaySource {
 public:
  RelayDeviceConnection(RelayServer& server, RelayPeer& peer) : server_(server), peer_(peer) {}
  ~RelayDeviceConnection();
  RelayDeviceConnection(const RelayDeviceConnection&) = delete;
  RelayDeviceConnection& operator=(const RelayDeviceConnection&) = delete;

  Future<> shake_hands();
  Future<> feed();  // until the device leaves, which is a failure

 private:
  void replaced() override;

  RelayServer& server_;
  RelayPeer& peer_;
  std::shared_ptr<RelayDevice> device_;
};

class RelayViewerConnection : private RelayViewer {
 public:
  RelayViewerConnection(RelayServer& server, RelayPeer& peer) : server_(server), peer_(peer) {}
  ~RelayViewerConnection();
  RelayViewerConnection(const RelayViewerConnection&) = delete;
  RelayViewerConnection& operator=(const RelayViewerConnection&) = delete;

  Future<> shake_hands();
  Future<> watch_until_it_leaves();  // which is a failure

 private:
  Future<> send_frames();
  Future<> send_what_waits();
  void frames_arrived() override;
  void device_gone() override;
  Future<> lose_patience();
  void wake();
  void report_losses(const char* what);

  RelayServer& server_;
  RelayPeer& peer_;
  Future<> sending_;
  Future<> patience_;
  Promise<> news_{nullptr};            // sending_ waits for it
  std::uint64_t losses_reported_ = 0;  // frames
  bool losing_ = false;
  bool last_frames_ = false;  // after which it ends
};

}  // namespace eddy
