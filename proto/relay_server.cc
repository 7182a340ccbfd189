#include "relay_server.h"

#include <sys/socket.h>

#include <utility>

#include "../loop/await.h"
#include "../loop/gen.h"
#include "../loop/log.h"
#include "../stream/close_gracefully.h"
#include "relay_connection.h"
#include "relay_frame.h"

namespace eddy {
namespace {

TCPServerOptions server_options(const RelayOptions& options) {
  TCPServerOptions made;
  made.tls = options.tls;
  made.handshake_timeout = options.handshake_timeout;
  made.bind = RelayServer::bind_options();
  // A device is fed in pieces of what one read brings, also when all that it sent comes at its end.
  made.stream.read_chunk_size = 32 << 10;
  made.stream.max_buffer_size = 2 * made.stream.read_chunk_size;
  // A viewer's stream takes frames only once the kernel has all before them: what still waits in
  // the backlog can be dropped.
  made.stream.high_water_mark = 1;
  return made;
}

}  // namespace

class RelayServer::Incoming {
 public:
  Incoming(RelayServer& server, RelayPeer& peer) : server_(server), peer_(peer) {
    server_.incoming_.push_back(peer_);
  }
  ~Incoming() { server_.leave_incoming(peer_); }
  Incoming(const Incoming&) = delete;
  Incoming& operator=(const Incoming&) = delete;

 private:
  RelayServer& server_;
  RelayPeer& peer_;
};

RelayServer::RelayServer(const RelayOptions& options)
    : TCPServer(server_options(options)), options_(options), hub_(options.hub) {}

BindOptions RelayServer::bind_options() {
  BindOptions options;
  options.backlog = SOMAXCONN;  // a crowd that comes at once is not sent away for a second
  return options;
}

RelayServer::~RelayServer() {
  close_all_connections();  // they know us
  if (IOLoop* const loop = IOLoop::current_or_null()) loop->remove_timeout(expiry_);
}

Future<> RelayServer::handle_stream(std::unique_ptr<IOStream> stream, SocketAddress address) {
  stream->set_nodelay(true);
  RelayPeer peer(std::move(stream), name_of(address));
  const Duration patience = co_await converse(peer);
  co_await close_gracefully(peer.stream(), patience);
}

// Fails when the client leaves. Otherwise we end it: the result is the patience to do so.
Future<Duration> RelayServer::converse(RelayPeer& peer) {
  const Incoming incoming(*this, peer);
  try {
    co_await serve(peer);
  } catch (const CancelledError&) {
    co_return Duration::zero();  // all that had arrived is served
  } catch (const TimeoutError&) {
    log::info("no handshake within handshake_timeout, closing ", peer.name());
  } catch (const RelayError& error) {
    log::info("closing ", peer.name(), ": ", std::string_view(error.what()));
  } catch (const LimitError& error) {
    log::warning("refused, ", std::string_view(error.what()), ": ", peer.name());
  }
  co_return kReadAway;
}

Future<> RelayServer::serve(RelayPeer& peer) {
  const TimePoint deadline = after(peer.stream().loop().time(), options_.handshake_timeout);
  const std::string kind = co_await with_deadline(deadline, peer.read(1));
  if (kind.front() == kRelayDevice) {
    RelayDeviceConnection device(*this, peer);
    co_await with_deadline(deadline, device.shake_hands());
    co_await device.feed();
  } else if (kind.front() == kRelayViewer) {
    RelayViewerConnection viewer(*this, peer);
    co_await with_deadline(deadline, viewer.shake_hands());
    co_await viewer.watch_until_it_leaves();
  } else {
    throw RelayError("neither a device nor a viewer: '" + kind + '\'');
  }
}

void RelayServer::draining() {
  draining_ = true;
  incoming_.for_each([](RelayPeer& peer) { peer.drain(); });
  if (incoming_.empty()) hub_.forget_all();
}

void RelayServer::leave_incoming(RelayPeer& peer) {
  peer.unlink();
  if (draining_ && incoming_.empty()) hub_.forget_all();
}

void RelayServer::forget_when_due() {
  const std::optional<TimePoint> due = hub_.next_expiry();
  if (!due || expiry_.serial != 0) return;
  IOLoop& loop = IOLoop::current();
  expiry_ = loop.call_at(*due, [this, &loop] {
    expiry_ = {};
    hub_.expire(loop.time());
    forget_when_due();
  });
}

}  // namespace eddy
