#include "tcp_server.h"

#include "../loop/await.h"
#include "../loop/gen.h"
#include "../loop/log.h"

namespace eddy {
namespace {

// That a peer went away is how most conversations end.
void log_unless_closed(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const StreamClosedError& closed) {
    log::debug("conversation ended: ", std::string_view(closed.what()));
  } catch (...) {
    log::error("Error in conversation: ", failure);
  }
}

}  // namespace

TCPServer::TCPServer(const TCPServerOptions& options)
    : options_(options),
      budget_(std::make_shared<BufferBudget>(options.max_total_buffer_size)),
      conversations_(log_unless_closed),
      refusals_(log_unless_closed) {}

TCPServer::~TCPServer() = default;

void TCPServer::listen(std::uint16_t port, const std::string& address) {
  add_sockets(bind_sockets(port, address, options_.bind));
}

void TCPServer::add_sockets(std::vector<UniqueFd> listeners) {
  for (UniqueFd& listener : listeners) add_socket(std::move(listener));
}

void TCPServer::add_socket(UniqueFd listener) {
  auto handler = std::make_unique<AcceptHandler>(
      listener.get(), [this](UniqueFd socket, const SocketAddress& address) {
        accepted(std::move(socket), address);
      });
  listeners_.push_back({std::move(listener), std::move(handler)});
}

std::vector<SocketAddress> TCPServer::addresses() const {
  std::vector<SocketAddress> all;
  for (const Listener& listener : listeners_)
    all.push_back(SocketAddress::local_of(listener.socket.get()));
  return all;
}

void TCPServer::stop() { listeners_.clear(); }

void TCPServer::accepted(UniqueFd socket, const SocketAddress& address) {
  auto stream = std::make_unique<IOStream>(std::move(socket), options_.stream);
  stream->set_budget(budget_);
  if (options_.max_connections == 0 || connections() < options_.max_connections) {
    conversations_.add(handle_stream(std::move(stream), address));
  } else {
    ++refused_;
    refusals_.add(refuse_stream(std::move(stream), address));
  }
}

Future<> TCPServer::refuse_stream(std::unique_ptr<IOStream> stream, SocketAddress address) {
  stream->close();
  log::info("refused, max_connections = ", options_.max_connections, ": ", address.to_string());
  return {};
}

Future<std::size_t> TCPServer::drain(Duration patience) {
  std::list<Listener> last = std::move(listeners_);  // a conversation may call stop()
  for (Listener& listener : last) listener.handler->accept_waiting();
  last.clear();
  draining();
  try {
    co_await with_timeout(patience, conversations_.drain());
  } catch (const TimeoutError&) {
  }
  co_return connections();
}

}  // namespace eddy
