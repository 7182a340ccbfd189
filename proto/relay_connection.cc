#include "relay_connection.h"

#include <utility>

#include "../loop/await.h"
#include "../loop/counted.h"
#include "../loop/gen.h"
#include "../loop/log.h"
#include "../loop/text.h"
#include "relay_frame.h"

namespace eddy {
namespace {

// How long a viewer whose device is gone may still take the frames that it has not got yet.
constexpr Duration kFarewell = std::chrono::seconds(1);

}  // namespace

// --- A device ------------------------------------------------------------------------------------

Future<> RelayDeviceConnection::shake_hands() {
  peer_.acknowledge(kRelayOk);
  const std::string uuid = co_await peer_.read_string("UUID");
  peer_.acknowledge(kRelayOk);
  const std::string keys = co_await peer_.read_string("key list");
  if (const std::string problem = relay_keys_problem(keys); !problem.empty())
    throw RelayError(problem);
  device_ = server_.hub_.connect(uuid, keys, *this);
  peer_.acknowledge(kRelayOk);
  log::info("device '", printable(uuid), "' feeds from ", peer_.name());
}

Future<> RelayDeviceConnection::feed() {
  for (;;) {
    device_->feed(*this, co_await peer_.read_frames(device_->frame_size()));
    co_await moment;  // the viewers come first, however fast it sends
  }
}

void RelayDeviceConnection::replaced() { peer_.stream().close(); }

RelayDeviceConnection::~RelayDeviceConnection() {
  if (!device_) return;
  log::info("device '", printable(device_->uuid()), "' has left ", peer_.name());
  server_.hub_.disconnect(*device_, *this, peer_.stream().loop().turn_time());
  server_.forget_when_due();
}

// --- A viewer ------------------------------------------------------------------------------------

Future<> RelayViewerConnection::shake_hands() {
  peer_.acknowledge(kRelayOk);
  const std::string uuid = co_await peer_.read_string("UUID");
  const std::shared_ptr<RelayDevice> device = server_.hub_.find(uuid);
  if (!device) {
    peer_.acknowledge(kRelayUnknown);
    throw RelayError("no device '" + printable(uuid) + '\'');
  }
  peer_.acknowledge(kRelayOk);
  peer_.send(format_relay_string(device->keys()));
  meet(device);
  const std::string answer = co_await peer_.read(1);
  if (answer.front() != kRelayOk) throw RelayError("the viewer does not want these keys");
}

Future<> RelayViewerConnection::watch_until_it_leaves() {
  watch();
  server_.leave_incoming(peer_);
  sending_ = send_frames();
  IOStream& stream = peer_.stream();
  for (;;) {
    co_await stream.read_bytes(stream.limits().read_chunk_size, true);  // means nothing
    co_await moment;
  }
}

Future<> RelayViewerConnection::send_frames() {
  try {
    for (;;) {
      co_await send_what_waits();
      if (last_frames_) break;
      news_ = Promise<>("frames");
      co_await news_.future();
    }
    co_await peer_.stream().shutdown_write();
  } catch (const StreamClosedError&) {  // who waits for it to leave hears of it too
  }
  peer_.stream().close();
}

Future<> RelayViewerConnection::send_what_waits() {
  const Counted behind(server_.viewers_behind_);
  for (std::string_view frames = take(); !frames.empty(); frames = take()) {
    static_cast<void>(peer_.stream().write(frames));
    co_await peer_.stream().drain();
  }
  if (std::exchange(losing_, false)) report_losses("a viewer has caught up");
}

void RelayViewerConnection::frames_arrived() {
  if (!losing_ && lost() > losses_reported_) {
    losing_ = true;
    log::info("a viewer is behind by more than max_write_buffer, and loses frames: ", peer_.name());
  }
  wake();
}

void RelayViewerConnection::report_losses(const char* what) {
  log::info("frames lost: ", lost() - std::exchange(losses_reported_, lost()), ", ",
            std::string_view(what), ": ", peer_.name());
}

void RelayViewerConnection::device_gone() {
  last_frames_ = true;
  if (!sending_.state()) return peer_.stream().close();  // still shaking hands
  wake();
  if (!server_.draining_) patience_ = lose_patience();
}

Future<> RelayViewerConnection::lose_patience() {
  co_await sleep(kFarewell);
  peer_.stream().close();
}

void RelayViewerConnection::wake() {
  if (news_) std::exchange(news_, Promise<>(nullptr)).set_result();
}

RelayViewerConnection::~RelayViewerConnection() {
  if (losing_) report_losses("a viewer leaves");
}

}  // namespace eddy
