#include "tcp_server.h"

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <utility>

#include "../loop/await.h"
#include "../loop/gen.h"
#include "../loop/log.h"
#include "../stream/tls_io_stream.h"

namespace eddy {
namespace {

using Weak = std::weak_ptr<CoroutineSet>;

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

Future<> drained(const Weak& conversations) {
  const auto alive = conversations.lock();
  return alive ? alive->drain() : Future<>();
}

}  // namespace

SharedLimits limits_of_streams(const TCPServerOptions& options, std::size_t shares) {
  StreamLimits limits = options.stream;
  if (!limits.budget)
    limits.budget = std::make_shared<BufferBudget>(options.max_total_buffer_size / shares);
  return share(std::move(limits));
}

class TCPServer::Entry : public ListNode {
 public:
  virtual void close_stream() = 0;

 protected:
  ~Entry() = default;
};

template <class Stream>
class TCPServer::Accepted final : public Stream, public Entry {
 public:
  template <class... Arguments>
  explicit Accepted(TCPServer& server, Arguments&&... arguments)
      : Stream(std::forward<Arguments>(arguments)...), server_(server) {
    server_.streams_.push_back(*this);
  }
  void close_stream() override { this->close(); }

 private:
  std::unique_ptr<TLSIOStream> make_successor(UniqueFd socket,
                                              std::shared_ptr<const TLSContext> context,
                                              HandshakeOptions options) override {
    options.queue = &server_.handshakes_;
    return std::make_unique<Accepted<TLSIOStream>>(server_, std::move(socket), std::move(context),
                                                   options, this->shared_limits());
  }

  TCPServer& server_;  // which closes the stream when it goes
};

TCPServer::TCPServer(const TCPServerOptions& options)
    : options_(options),
      limits_(limits_of_streams(options)),
      listeners_([this](UniqueFd socket, const SocketAddress& address) {
        accepted(std::move(socket), address);
      }),
      handshakes_(options.max_handshakes),
      conversations_(std::make_shared<CoroutineSet>(log_unless_closed)),
      refusals_(std::make_shared<CoroutineSet>(log_unless_closed)) {
  if (options_.tls && !options_.tls->is_server())
    throw std::invalid_argument("TCPServerOptions.tls: a context made by for_server() is needed");
}

TCPServer::~TCPServer() {
  stop();
  close_all_connections();
}

void TCPServer::listen(std::uint16_t port, const std::string& address) {
  add_sockets(bind_sockets(port, address, options_.bind));
}

void TCPServer::add_sockets(std::vector<UniqueFd> listeners) {
  listeners_.add(std::move(listeners));
}

void TCPServer::add_socket(UniqueFd listener) {
  std::vector<UniqueFd> only;
  only.push_back(std::move(listener));
  listeners_.add(std::move(only));
}

void TCPServer::bind(std::uint16_t port, const std::string& address) {
  std::vector<UniqueFd> sockets = bind_sockets(port, address, options_.bind);
  if (started_) return add_sockets(std::move(sockets));
  std::move(sockets.begin(), sockets.end(), std::back_inserter(bound_));
}

std::optional<int> TCPServer::start(int processes, const ForkOptions& options) {
  if (started_) throw InvalidStateError("TCPServer::start: it was started already");
  if (processes != 1)
    if (const std::optional<int> code = fork_workers(processes, options)) return code;
  if (!IOLoop::current_or_null()) own_loop_ = std::make_unique<IOLoop>();
  add_sockets(std::exchange(bound_, {}));
  started_ = true;
  return std::nullopt;
}

std::optional<int> TCPServer::fork_workers(int processes, ForkOptions options) {
  options.on_stopping = [this, then = std::move(options.on_stopping)] {
    bound_.clear();  // who comes now finds nobody, instead of waiting for nobody
    if (then) then();
  };
  const Forked forked = fork_processes(processes, options);
  return forked.task_id ? std::nullopt : std::optional(forked.exit_code);
}

std::vector<SocketAddress> TCPServer::addresses() const {
  std::vector<SocketAddress> all = listeners_.addresses();
  for (const UniqueFd& socket : bound_) all.push_back(SocketAddress::local_of(socket.get()));
  return all;
}

void TCPServer::stop() {
  bound_.clear();
  listeners_.close();
}

std::unique_ptr<IOStream> TCPServer::make_stream(UniqueFd socket) {
  if (!options_.tls) return std::make_unique<Accepted<IOStream>>(*this, std::move(socket), limits_);
  const HandshakeOptions handshake{.timeout = options_.handshake_timeout, .queue = &handshakes_};
  return std::make_unique<Accepted<TLSIOStream>>(*this, std::move(socket), options_.tls, handshake,
                                                 limits_);
}

void TCPServer::accepted(UniqueFd socket, const SocketAddress& address) {
  std::unique_ptr<IOStream> stream = make_stream(std::move(socket));
  const bool welcome = options_.max_connections == 0 || connections() < options_.max_connections;
  const std::size_t counted = welcome ? 1 : 0;
  starting_ += counted;
  refused_ += 1 - counted;
  const Weak others = welcome ? conversations_ : refusals_;
  Future<> conversation = converse(welcome, std::move(stream), address);
  const auto alive = others.lock();
  if (!alive) return;
  starting_ -= counted;
  alive->add(std::move(conversation));
}

Future<> TCPServer::converse(bool welcome, std::unique_ptr<IOStream> stream,
                             const SocketAddress& address) try {
  return welcome ? handle_stream(std::move(stream), address)
                 : refuse_stream(std::move(stream), address);
} catch (...) {  // plain code throws at once what a coroutine puts into its Future
  return make_failed_future<void>(std::current_exception(), "a conversation");
}

Future<> TCPServer::refuse_stream(std::unique_ptr<IOStream> stream, SocketAddress address) {
  stream->close();
  log::info("refused, max_connections = ", options_.max_connections, ": ", address.to_string());
  return {};
}

Future<std::size_t> TCPServer::drain(Duration patience) {
  const Weak conversations = conversations_;  // from here on, anybody may drop the server
  const Weak refusals = refusals_;
  const TimePoint deadline = after(IOLoop::current().time(), patience);
  listeners_.accept_waiting();
  if (!conversations.expired()) {
    stop();
    handshakes_.drain();
    draining();
  }
  try {
    co_await with_deadline(deadline, drained(conversations));
    co_await with_deadline(deadline, drained(refusals));
  } catch (const TimeoutError&) {
  }
  const auto alive = conversations.lock();
  if (!alive) throw CancelledError("the server was dropped while it drained");
  co_return alive->size();
}

void TCPServer::close_all_connections() {
  while (!streams_.empty()) streams_.pop_front().close_stream();
  const Conversations ended[] = {conversations_, refusals_};  // the last to end may drop the server
  for (const Conversations& conversations : ended) conversations->clear();
}

}  // namespace eddy
