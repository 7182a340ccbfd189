#include "request_runner.h"

#include <algorithm>
#include <utility>

#include "../loop/await.h"
#include "../loop/run_logged.h"
#include "../stream/close_gracefully.h"
#include "../stream/tls_io_stream.h"
#include "request_server.h"

namespace eddy {
namespace {

// Sees to it that finish() is called once, also when the coroutine is ended where it waits.
class Finish {
 public:
  explicit Finish(RequestHandler& handler) : handler_(handler) {}
  ~Finish() {
    if (!called_) run_logged("Exception in finish: ", [this] { const Future<> ended = call(); });
  }
  Finish(const Finish&) = delete;
  Finish& operator=(const Finish&) = delete;

  Future<> call() {
    called_ = true;
    return handler_.finish();
  }

 private:
  RequestHandler& handler_;
  bool called_ = false;
};

// What was written leaves, unless the client is gone.
Future<> shutdown_request(IOStream& stream) {
  try {
    co_await stream.shutdown_write();
  } catch (const StreamClosedError&) {
    co_return;
  }
  if (stream.available() > 0) co_await close_gracefully(stream);
}

}  // namespace

RequestRunner::RequestRunner(RequestServer& server, const RequestBells& bells,
                             const TCPServerOptions& options, bool may_block, std::size_t shares)
    : server_(server),
      bells_(bells),
      options_(options),
      limits_(limits_of_streams(options, shares)),
      handshakes_(options.max_handshakes),
      may_block_(may_block),
      loop_(IOLoop::current()) {
  for (const int fd : {bells_.draining.fd(), bells_.signals.get()})
    if (fd >= 0) loop_.add_handler(fd, kRead, [this](int, std::uint32_t) { drain(); });
}

RequestRunner::~RequestRunner() {
  if (IOLoop::current_or_null()) stop_listening();
}

void RequestRunner::stop_listening() {
  loop_.remove_handler(bells_.draining.fd());
  loop_.remove_handler(bells_.signals.get());
}

void RequestRunner::start(AcceptedRequest request) {
  if (!bells_.closing.rung()) running_.add(run(std::move(request)));
}

void RequestRunner::drain() {
  if (!std::exchange(draining_, true)) stop_listening();
  open_.for_each([](Request& request) { request.drain(); });
  handshakes_.drain();
}

// A handler may block the loop, without which no handshake goes on: it comes first.
Future<> RequestRunner::run(AcceptedRequest accepted) {
  if (!options_.tls) {
    IOStream stream(std::move(accepted.socket), limits_);
    co_await converse(stream, accepted);
    co_return;
  }
  const HandshakeOptions handshake{.timeout = options_.handshake_timeout, .queue = &handshakes_};
  TLSIOStream stream(std::move(accepted.socket), options_.tls, handshake, limits_);
  if (draining_ || bells_.draining.rung()) handshakes_.drain();
  try {
    co_await stream.wait_for_handshake();
    co_await converse(stream, accepted);
  } catch (...) {
    server_.handle_error(accepted.client_name, std::current_exception());
  }
}

Future<> RequestRunner::converse(IOStream& stream, const AcceptedRequest& accepted) {
  stream.set_nodelay(true);
  Request request(stream, accepted.client_name, may_block_ ? &bells_ : nullptr);
  open_.push_back(request);
  if (draining_ || bells_.draining.rung()) request.drain();
  co_await answer(request, accepted);
  co_await shutdown_request(stream);
}

Future<> RequestRunner::run(AcceptedRequest accepted, std::string datagram, Request::Reply reply) {
  Request request(datagram, accepted.client_name, std::move(reply));
  co_await answer(request, accepted);
}

Future<> RequestRunner::answer(Request& request, const AcceptedRequest& accepted) {
  try {
    co_await finish_request(request, accepted);
  } catch (...) {
    server_.handle_error(accepted.client_name, std::current_exception());
  }
}

Future<> RequestRunner::finish_request(Request& request, const AcceptedRequest& accepted) {
  const std::unique_ptr<RequestHandler> handler = server_.make_handler_();
  handler->request_ = &request;
  handler->client_address_ = accepted.client;
  handler->client_name_ = accepted.client_name;
  handler->server_ = &server_;
  co_await handler->setup();
  Finish finish(*handler);
  try {
    co_await handler->handle();
  } catch (...) {
    server_.handle_error(accepted.client_name, std::current_exception());
  }
  co_await finish.call();
}

}  // namespace eddy
