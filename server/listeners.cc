#include "listeners.h"

#include <iterator>

#include "netutil.h"

namespace eddy {

void Listeners::add(std::vector<UniqueFd> sockets) {
  std::vector<Listener> added;
  added.reserve(sockets.size());
  for (UniqueFd& socket : sockets) {
    make_non_blocking(socket.get());
    auto handler = std::make_shared<AcceptHandler>(socket.get(), accepted_);
    added.push_back({std::move(socket), std::move(handler)});
  }
  std::move(added.begin(), added.end(), std::back_inserter(listeners_));
}

std::vector<SocketAddress> Listeners::addresses() const {
  std::vector<SocketAddress> all;
  for (const Listener& listener : listeners_)
    all.push_back(SocketAddress::local_of(listener.socket.get()));
  return all;
}

void Listeners::accept_waiting() {
  resume();
  std::vector<std::weak_ptr<AcceptHandler>> handlers;
  for (const Listener& listener : listeners_) handlers.emplace_back(listener.handler);
  for (const std::weak_ptr<AcceptHandler>& each : handlers)  // a callback may drop them, and us
    if (AcceptHandler* handler = each.lock().get()) handler->accept_waiting();
}

void Listeners::pause() {
  for (const Listener& listener : listeners_) listener.handler->suspend();
}

void Listeners::resume() {
  for (const Listener& listener : listeners_) listener.handler->resume();
}

}  // namespace eddy
