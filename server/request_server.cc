#include "request_server.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <system_error>
#include <utility>

#include "../loop/await.h"
#include "../loop/gen.h"
#include "../loop/log.h"
#include "../loop/periodic_callback.h"
#include "listeners.h"
#include "request_children.h"
#include "request_datagrams.h"
#include "request_runner.h"
#include "request_threads.h"

namespace eddy {
namespace {

// OnLoop: they run where they were accepted.
class RequestsOnLoop final : public RequestPlace {
 public:
  RequestsOnLoop(RequestServer& server, const RequestBells& bells, const TCPServerOptions& options)
      : runner_(server, bells, options, false) {}
  void process(AcceptedRequest request) override { runner_.start(std::move(request)); }
  void close() override { runner_.clear(); }
  RequestRunner* for_datagrams() override { return &runner_; }

 private:
  RequestRunner runner_;
};

bool has_datagrams(const UniqueFd& socket) {
  int type = 0;
  socklen_t size = sizeof type;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_TYPE, &type, &size) < 0)
    throw std::system_error(errno, std::generic_category(), "add_sockets");
  return type == SOCK_DGRAM;
}

}  // namespace

RequestServer::RequestServer(MakeHandler make_handler, const RequestPolicy& policy,
                             TCPServerOptions options, const UDPServerOptions& datagram_options)
    : loop_(IOLoop::current()),
      make_handler_(std::move(make_handler)),
      options_(std::move(options)),
      open_(std::make_shared<OpenRequests>()),
      bells_(std::make_unique<RequestBells>()),
      listeners_(std::make_unique<Listeners>([this](UniqueFd socket, const SocketAddress& client) {
        accepted(std::move(socket), client);
      })),
      place_(make_place(policy)),
      datagram_options_(datagram_options) {}

RequestServer::~RequestServer() { server_close(); }

std::unique_ptr<RequestPlace> RequestServer::make_place(const RequestPolicy& policy) {
  if (const auto* threads = std::get_if<OnThreads>(&policy))
    return std::make_unique<RequestThreads>(*this, *open_, *bells_, options_, *threads);
  if (const auto* children = std::get_if<InChildren>(&policy))
    return std::make_unique<RequestChildren>(*this, *bells_, options_, *children,
                                             [this] { listeners_->resume(); });
  return std::make_unique<RequestsOnLoop>(*this, *bells_, options_);
}

// --- Accepting

void RequestServer::listen(std::uint16_t port, const std::string& address) {
  add_sockets(bind_sockets(port, address, options_.bind));
}

void RequestServer::add_sockets(std::vector<UniqueFd> sockets) {
  const auto streams = std::stable_partition(
      sockets.begin(), sockets.end(), [](const UniqueFd& socket) { return has_datagrams(socket); });
  std::vector<UniqueFd> listeners(std::make_move_iterator(streams),
                                  std::make_move_iterator(sockets.end()));
  sockets.erase(streams, sockets.end());
  if (!sockets.empty()) datagrams().add_sockets(std::move(sockets));
  listeners_->add(std::move(listeners));
}

RequestDatagrams& RequestServer::datagrams() {
  RequestRunner* const runner = place_->for_datagrams();
  if (!runner) throw InvalidStateError("RequestServer: datagrams are served OnLoop only");
  if (!datagrams_)
    datagrams_ = std::make_unique<RequestDatagrams>(*this, *runner, datagram_options_);
  return *datagrams_;
}

void RequestServer::add_socket(UniqueFd socket) {
  std::vector<UniqueFd> one;
  one.push_back(std::move(socket));
  add_sockets(std::move(one));
}

std::vector<SocketAddress> RequestServer::addresses() const {
  std::vector<SocketAddress> all = listeners_->addresses();
  if (datagrams_)
    for (const SocketAddress& address : datagrams_->addresses()) all.push_back(address);
  return all;
}

void RequestServer::accepted(UniqueFd socket, const SocketAddress& client) {
  try {
    process_request(std::move(socket), client);
  } catch (const LimitError& limit) {
    ++refused_;
    log::info("refused, ", std::string_view(limit.what()), ": ", client.to_string());
  }
  if (place_->full() && !bells_->draining.rung()) listeners_->pause();
}

void RequestServer::process_request(UniqueFd socket, const SocketAddress& client) {
  const std::size_t most = options_.max_connections;
  if (most != 0 && connections() >= most)
    throw LimitError("max_connections = " + std::to_string(most));
  std::optional<AcceptedRequest> request = admit(std::move(socket), client);
  if (request) place_->process(std::move(*request));
}

std::optional<AcceptedRequest> RequestServer::admit(UniqueFd socket, const SocketAddress& client) {
  if (!verify_request(client)) {
    ++refused_;
    return std::nullopt;
  }
  std::string name = client_name(client);
  OpenRequests::Ticket ticket = open_->add(name);
  return AcceptedRequest{std::move(ticket), std::move(name), client, std::move(socket)};
}

void RequestServer::handle_error(const std::string& client, const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const StreamClosedError& closed) {  // that a client goes is how most requests end
    log::debug("request ended: ", client, ": ", std::string_view(closed.what()));
  } catch (const CancelledError&) {  // the server closes
  } catch (...) {
    log::error("Exception in the request of ", client, ": ", error);
  }
}

// --- Running and ending

void RequestServer::serve_forever(Duration poll_interval) {
  PeriodicCallback actions(poll_interval, [this] { service_actions(); });
  actions.start();
  loop_.start();
}

void RequestServer::shutdown() { loop_.stop(); }

void RequestServer::stop() {
  listeners_->close();
  if (datagrams_) datagrams_->stop();
}

Future<std::size_t> RequestServer::drain(Duration patience) {
  const std::shared_ptr<OpenRequests> open = open_;  // the server may be dropped meanwhile
  const TimePoint deadline = after(loop_.time(), patience);
  bells_->draining.ring();
  listeners_->accept_waiting();
  listeners_->close();
  if (datagrams_) co_await datagrams_->drain(patience);
  try {
    co_await with_deadline(deadline, open->over());
  } catch (const TimeoutError&) {
  }
  co_return open->size();
}

void RequestServer::server_close() {
  stop();
  if (datagrams_) datagrams_->end_all_handlers();
  place_->close();
}

std::size_t RequestServer::connections() const { return open_->size(); }
std::vector<std::string> RequestServer::clients() const { return open_->clients(); }
std::vector<std::string> RequestServer::workers() const { return place_->workers(); }

}  // namespace eddy
