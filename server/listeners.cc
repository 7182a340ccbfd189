#include "listeners.h"

#include <iterator>

#include "netutil.h"

namespace eddy {

void Listeners::add(std::vector<UniqueFd> sockets) {
  std::vector<Listener> added;
  added.reserve(sockets.size());
  for (UniqueFd& socket : sockets) {
    make_non_blocking(socket.get());
    std::unique_ptr<AcceptHandler> handler = accept_on(socket);
    added.push_back({std::move(socket), std::move(handler)});
  }
  std::move(added.begin(), added.end(), std::back_inserter(listeners_));
}

std::unique_ptr<AcceptHandler> Listeners::accept_on(const UniqueFd& socket) const {
  return std::make_unique<AcceptHandler>(socket.get(), accepted_);
}

std::vector<SocketAddress> Listeners::addresses() const {
  std::vector<SocketAddress> all;
  for (const Listener& listener : listeners_)
    all.push_back(SocketAddress::local_of(listener.socket.get()));
  return all;
}

void Listeners::accept_waiting() {
  resume();
  for (std::size_t at = 0; at < listeners_.size(); ++at)  // a callback may close them
    if (listeners_[at].handler) listeners_[at].handler->accept_waiting();
}

void Listeners::pause() {
  for (Listener& listener : listeners_) listener.handler.reset();
}

void Listeners::resume() {
  for (Listener& listener : listeners_)
    if (!listener.handler) listener.handler = accept_on(listener.socket);
}

}  // namespace eddy
