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
  explicit Place(std::shared_ptr<Places> places) : places_(std::move(places)) { ++places_->taken; }
  Place(Place&&) = default;
  Place& operator=(Place&&) = delete;
  ~Place() {
    if (places_) leave();
  }

 private:
  void leave() const {
    --places_->taken;
    if (places_->room) std::exchange(places_->room, Promise<>(nullptr)).set_result();
    if (places_->taken == 0) places_->stopped.clear();
  }

  std::shared_ptr<Places> places_;
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

// There is room before one is asked for, and again before it is handled: other sockets ask, too.
Future<> UDPServer::receive_all(DatagramSocket& socket, Weak receivers) {
  while (!receivers.expired()) {  // a handler may have stopped or dropped the server
    while (full()) co_await room();
    try {
      Datagram datagram = co_await socket.receive();
      while (full()) co_await room();
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
  return options_.max_handlers != 0 && handlers() >= options_.max_handlers;
}

Future<> UDPServer::room() {
  Promise<>& room = places_->room;
  if (!room || room.done()) room = Promise<>("room for a handler");
  return room.future();
}

void UDPServer::handle(Datagram datagram, DatagramSocket& socket) {
  ++received_;
  truncated_ += datagram.truncated ? 1 : 0;
  Place place(places_);
  const Weak handlers = handlers_;
  Future<> handling = begin(std::move(datagram), socket);
  const auto alive = handlers.lock();
  if (!alive) return;
  alive->add(handling.done() ? std::move(handling)
                             : until_done(std::move(place), std::move(handling)));
}

Future<> UDPServer::begin(Datagram datagram, DatagramSocket& socket) try {
  return handle_datagram(std::move(datagram), socket);
} catch (...) {  // plain code throws at once what a coroutine puts into its Future
  return make_failed_future<void>(std::current_exception(), "a datagram handler");
}

// The handler uses the socket, which may go with the last place.
Future<> UDPServer::until_done(Place place, Future<> handling) {
  const Place last_to_go = std::move(place);
  const Future<> first_to_go = std::move(handling);
  co_await first_to_go;
}

void UDPServer::stop() {
  receivers_ = std::make_shared<CoroutineSet>();  // the old one's end with it
  if (handlers() > 0)
    std::move(sockets_.begin(), sockets_.end(), std::back_inserter(places_->stopped));
  sockets_.clear();
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
  co_return places_->taken;
}

void UDPServer::end_all_handlers() {
  const Coroutines ended = handlers_;  // the last to end may drop the server
  ended->clear();
}

}  // namespace eddy
