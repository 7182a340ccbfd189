#include "udp_server.h"

#include <algorithm>
#include <iterator>
#include <new>
#include <system_error>
#include <utility>

#include "../loop/await.h"
#include "../loop/gen.h"
#include "../loop/log.h"
#include "../stream/stream_errors.h"

namespace eddy {
namespace {

void log_failure(const std::exception_ptr& failure) {
  log::error("Error in datagram handler: ", failure);
}

Future<> drained(const std::weak_ptr<CoroutineSet>& coroutines) {
  const auto alive = coroutines.lock();
  return alive ? alive->drain() : Future<>();
}

}  // namespace

// A handler's among those under way.
class UDPServer::Place {
 public:
  explicit Place(UDPServer& server) : server_(server) {}
  ~Place() { server_.leave(); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

 private:
  UDPServer& server_;
};

UDPServer::UDPServer(const UDPServerOptions& options)
    : options_(options),
      receivers_(std::make_shared<CoroutineSet>()),
      handlers_(std::make_shared<CoroutineSet>(log_failure)) {}

UDPServer::~UDPServer() {
  stop();
  end_all_handlers();
}

void UDPServer::listen(std::uint16_t port, const std::string& address) {
  add_sockets(bind_datagram_sockets(port, address, options_.bind));
}

void UDPServer::add_sockets(std::vector<UniqueFd> sockets) {
  std::vector<Socket> added;  // all, or none
  added.reserve(sockets.size());
  for (UniqueFd& socket : sockets) added.push_back(make_socket(std::move(socket)));
  for (Socket& socket : added) start_receiving(std::move(socket));
}

void UDPServer::add_socket(UniqueFd socket) { start_receiving(make_socket(std::move(socket))); }

UDPServer::Socket UDPServer::make_socket(UniqueFd socket) const {
  make_non_blocking(socket.get());
  return std::make_unique<DatagramSocket>(std::move(socket), options_.datagrams);
}

void UDPServer::start_receiving(Socket socket) {
  DatagramSocket& receives = *socket;
  sockets_.push_back(std::move(socket));
  receivers_->add(receive_all(receives, receivers_));
}

std::vector<SocketAddress> UDPServer::addresses() const {
  std::vector<SocketAddress> all;
  for (const Socket& socket : sockets_)
    if (!socket->closed()) all.push_back(SocketAddress::local_of(socket->fileno()));
  return all;
}

std::size_t UDPServer::kernel_drops() const {
  std::size_t drops = 0;
  for (const Socket& socket : sockets_) drops += socket->kernel_drops();
  return drops;
}

Future<> UDPServer::receive_all(DatagramSocket& socket, Weak receivers) {
  while (!receivers.expired()) {  // a handler may have stopped or dropped the server
    while (full()) co_await room();
    try {
      Datagram datagram = co_await socket.receive();
      handle(std::move(datagram), socket);
    } catch (const StreamClosedError&) {
      co_return;
    } catch (const std::system_error& error) {
      log::debug("an answer found nobody: ", std::string_view(error.what()));
    } catch (const std::bad_alloc&) {
      log::warning("a datagram is lost: no memory");
    }
  }
}

bool UDPServer::full() const {
  return options_.max_handlers != 0 && handling_ >= options_.max_handlers;
}

Future<> UDPServer::room() {
  if (!room_ || room_.done()) room_ = Promise<>("room for a handler");
  return room_.future();
}

void UDPServer::handle(Datagram datagram, DatagramSocket& socket) {
  ++received_;
  ++handling_;
  truncated_ += datagram.truncated ? 1 : 0;
  const Weak handlers = handlers_;
  Future<> handling = begin(std::move(datagram), socket);
  const auto alive = handlers.lock();
  if (!alive) return;
  const bool done = handling.done();
  alive->add(done ? std::move(handling) : until_done(std::move(handling)));
  if (done) leave();
}

Future<> UDPServer::begin(Datagram datagram, DatagramSocket& socket) try {
  return handle_datagram(std::move(datagram), socket);
} catch (...) {  // plain code throws at once what a coroutine puts into its Future
  return make_failed_future<void>(std::current_exception(), "a datagram handler");
}

Future<> UDPServer::until_done(Future<> handling) {
  const Place place(*this);
  co_await handling;
}

void UDPServer::leave() {
  --handling_;
  if (room_ && !full()) std::exchange(room_, Promise<>(nullptr)).set_result();
  if (handling_ == 0) stopped_.clear();
}

void UDPServer::stop() {
  receivers_ = std::make_shared<CoroutineSet>();  // the old one's end with it
  std::move(sockets_.begin(), sockets_.end(), std::back_inserter(stopped_));
  sockets_.clear();
  if (handling_ == 0) stopped_.clear();
}

Future<std::size_t> UDPServer::drain(Duration patience) {
  const Weak handlers = handlers_;  // from here on, anybody may drop the server
  const Weak receivers = receivers_;
  const TimePoint deadline = after(IOLoop::current().time(), patience);
  for (const Socket& socket : sockets_) socket->end_receiving();
  try {
    co_await with_deadline(deadline, drained(receivers));
    co_await with_deadline(deadline, drained(handlers));
    for (std::size_t at = 0; !handlers.expired() && at < sockets_.size(); ++at)
      co_await with_deadline(deadline, sockets_[at]->drain());
  } catch (const TimeoutError&) {
  }
  const auto alive = handlers.lock();
  if (!alive) throw CancelledError("the server was dropped while it drained");
  stop();
  co_return handling_;
}

void UDPServer::end_all_handlers() {
  const Coroutines ended = handlers_;  // the last to end may drop the server
  ended->clear();
}

}  // namespace eddy
