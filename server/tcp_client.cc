#include "tcp_client.h"

#include <algorithm>
#include <cerrno>
#include <exception>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <vector>

#include "../loop/await.h"
#include "../loop/coroutine_set.h"
#include "../loop/gen.h"
#include "../loop/text.h"
#include "threaded_resolver.h"

namespace eddy {
namespace {

using Stream = std::unique_ptr<IOStream>;

// The families take turns, each in its own order, beginning with the first address's.
Addresses in_turns(const Addresses& addresses) {
  Addresses own;
  Addresses other;
  for (const SocketAddress& address : addresses)
    (address.family() == addresses.front().family() ? own : other).push_back(address);
  Addresses mixed;
  for (std::size_t at = 0; at < std::max(own.size(), other.size()); ++at) {
    if (at < own.size()) mixed.push_back(own[at]);
    if (at < other.size()) mixed.push_back(other[at]);
  }
  return mixed;
}

// Where the connection shall come from; nothing: as the kernel likes.
std::optional<SocketAddress> source(const ConnectOptions& options, int family) {
  if (options.source_ip.empty() && options.source_port == 0) return std::nullopt;
  const std::string loopback = family == AF_INET6 ? "::1" : "127.0.0.1";
  const std::string& ip = options.source_ip.empty() ? loopback : options.source_ip;
  const auto address = SocketAddress::parse(ip, options.source_port);
  if (!address) throw std::invalid_argument("source_ip '" + printable(ip) + "' is not numeric");
  return address;
}

void refuse_what_cannot_be(const ConnectOptions& options) {
  static_cast<void>(source(options, AF_INET));
  if (!options.tls) return;
  if (options.tls->is_server())
    throw std::invalid_argument("ConnectOptions.tls: a context made by for_client() is needed");
  if (options.tls->verifies_server() && options.server_hostname.empty())
    throw std::invalid_argument(
        "ConnectOptions.tls: a client that verifies needs the "
        "server_hostname");
}

// Two attempts may come from one port, for they lead to different places.
void bind_to(const SocketAddress& source, int fd) {
  Platform& platform = Platform::current();
  const int on = 1;
  if (source.port() != 0) platform.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (platform.bind(fd, source.get(), source.size()) < 0)
    throw std::system_error(errno, std::generic_category(), "bind to " + source.to_string());
}

int errno_behind(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const StreamClosedError& error) {
    return error.error_number();
  } catch (const std::system_error& error) {
    return error.code().value();
  } catch (...) {
    return ENOMEM;
  }
}

// Tries the addresses of one host side by side. Dropped, it closes what it has opened.
class Connector {
 public:
  Connector(const Addresses& addresses, ConnectOptions options);
  Future<Stream> first_to_answer();

 private:
  struct Failure {
    SocketAddress address;
    int error_number;
  };

  Future<> attempt(SocketAddress address);
  Future<> another_end();
  Future<> another_end_within(Duration delay);
  std::string place(const SocketAddress& address) const;
  std::system_error failure() const;

  const ConnectOptions options_;
  const SharedLimits limits_;
  Addresses addresses_;
  std::size_t left_out_ = 0;
  Stream connected_;
  std::vector<Failure> failures_;
  std::size_t ended_ = 0;  // attempts
  Promise<> told_{nullptr};
  CoroutineSet attempts_;  // goes first, since they use the rest
};

Connector::Connector(const Addresses& addresses, ConnectOptions options)
    : options_(std::move(options)),
      limits_(share(options_.limits)),
      addresses_(in_turns(addresses)) {
  failures_.reserve(addresses_.size());  // an attempt ends, even when no memory is left
  if (addresses_.size() <= TCPClient::kMostAddresses) return;
  left_out_ = addresses_.size() - TCPClient::kMostAddresses;
  addresses_.resize(TCPClient::kMostAddresses);
}

Future<Stream> Connector::first_to_answer() {
  Duration delay = TCPClient::kFirstDelay;
  for (const SocketAddress& address : addresses_) {
    const std::size_t before = ended_;
    attempts_.add(attempt(address));
    if (ended_ == before) co_await another_end_within(delay);
    if (connected_) co_return std::move(connected_);
    delay = TCPClient::kNextDelay;
  }
  while (!connected_ && ended_ < addresses_.size()) co_await another_end();
  if (!connected_) throw failure();
  co_return std::move(connected_);
}

Future<> Connector::attempt(SocketAddress address) {
  try {
    auto stream = std::make_unique<IOStream>(open_socket(address.family()), limits_);
    if (const auto from = source(options_, address.family())) bind_to(*from, stream->fileno());
    co_await stream->connect(address);
    if (!connected_) connected_ = std::move(stream);
  } catch (...) {
    failures_.push_back({address, errno_behind(std::current_exception())});
  }
  ++ended_;
  if (told_ && !told_.done()) told_.set_result();
}

Future<> Connector::another_end() {
  told_ = Promise<>("a connection");
  return told_.future();
}

Future<> Connector::another_end_within(Duration delay) {
  try {
    co_await with_timeout(delay, another_end());
  } catch (const TimeoutError&) {
  }
}

std::string Connector::place(const SocketAddress& address) const {
  const auto from = source(options_, address.family());
  return address.to_string() + (from ? " from " + from->to_string() : "");
}

std::system_error Connector::failure() const {
  std::string text = "connect to ";
  for (const Failure& one : failures_) {
    text += place(one.address);
    if (&one == &failures_.back()) break;
    text += " (" + std::generic_category().message(one.error_number) + "), ";
  }
  if (left_out_ > 0)
    text += ", but not " + std::to_string(left_out_) + " more, for kMostAddresses is " +
            std::to_string(TCPClient::kMostAddresses);
  return {failures_.back().error_number, std::generic_category(), text};
}

Future<Stream> connect_to_first(Addresses addresses, ConnectOptions options) {
  Connector connector(addresses, std::move(options));
  co_return co_await connector.first_to_answer();
}

// A step of what has one deadline for all: it is told at which one time was up.
template <class T>
Future<T> step(TimePoint deadline, std::string what, Future<T> future) {
  try {
    co_return co_await with_deadline(deadline, std::move(future));
  } catch (const TimeoutError&) {
    throw TimeoutError("timed out " + what);
  }
}

// In plain text first, as in Tornado, and then in TLS, if that is asked for.
Future<Stream> open(Addresses addresses, ConnectOptions options, std::string name,
                    TimePoint deadline) {
  Future<Stream> connecting =
      step(deadline, "connecting to " + name, connect_to_first(std::move(addresses), options));
  Stream stream = co_await std::move(connecting);
  if (!options.tls) co_return std::move(stream);
  Future<Stream> securing =
      step(deadline, "in the TLS handshake with " + name,
           stream->start_tls(options.tls, options.server_hostname, options.handshake_timeout));
  co_return co_await std::move(securing);
}

}  // namespace

TCPClient::TCPClient(std::shared_ptr<Resolver> resolver)
    : resolver_(resolver ? std::move(resolver) : default_resolver()) {}

TCPClient::Connection TCPClient::connect(std::string host, std::uint16_t port,
                                         ConnectOptions options) const {
  const TimePoint deadline = after(IOLoop::current().time(), options.timeout);
  const std::string name = '\'' + printable(host) + '\'';
  if (options.server_hostname.empty()) options.server_hostname = host;
  refuse_what_cannot_be(options);
  const std::shared_ptr<Resolver> resolver = resolver_;
  Future<Addresses> resolving =
      step(deadline, "resolving " + name, resolver->resolve(host, port, options.family));
  Addresses addresses = co_await std::move(resolving);
  if (addresses.empty()) throw ResolverError(host, "no addresses");
  Connection opening = open(std::move(addresses), std::move(options), name, deadline);
  co_return co_await std::move(opening);
}

TCPClient::Connection TCPClient::connect_unix(std::string path, ConnectOptions options) const {
  const TimePoint deadline = after(IOLoop::current().time(), options.timeout);
  const SocketAddress address = SocketAddress::unix_path(path);
  options.source_ip.clear();
  options.source_port = 0;
  refuse_what_cannot_be(options);
  Connection opening = open({address}, std::move(options), address.to_string(), deadline);
  co_return co_await std::move(opening);
}

}  // namespace eddy
