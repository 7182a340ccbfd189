#include "netutil.h"

#include <netdb.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <system_error>

#include "../loop/log.h"
#include "../loop/run_logged.h"

namespace eddy {
namespace {

using namespace std::chrono_literals;

std::vector<SocketAddress> resolve(std::uint16_t port, const std::string& host, int family) {
  addrinfo hints{};
  hints.ai_family = family;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const std::string service = std::to_string(port);
  const char* name = host.empty() ? nullptr : host.c_str();
  if (const int error = ::getaddrinfo(name, service.c_str(), &hints, &found); error != 0)
    throw std::runtime_error("cannot resolve '" + host + "': " + ::gai_strerror(error));
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, ::freeaddrinfo);
  std::vector<SocketAddress> addresses;
  for (const addrinfo* one = found; one; one = one->ai_next) {
    const auto address = SocketAddress::from(one->ai_addr, one->ai_addrlen);
    if (std::find(addresses.begin(), addresses.end(), address) == addresses.end())
      addresses.push_back(address);
  }
  return addresses;
}

void switch_on(int fd, int level, int name) {
  const int on = 1;
  if (Platform::current().setsockopt(fd, level, name, &on, sizeof on) < 0)
    throw std::system_error(errno, std::generic_category(), "setsockopt");
}

// The address may be one of several of a name, of which this machine has not all: then none.
UniqueFd bind_one(const SocketAddress& address, const BindOptions& options, bool only_one) {
  Platform& platform = Platform::current();
  UniqueFd socket =
      above_standard_streams(UniqueFd(platform.socket(address.family(), SOCK_STREAM, 0)));
  if (!socket && errno == EAFNOSUPPORT && !only_one) return {};
  const std::string what = "listen on " + address.to_string();
  if (!socket) throw std::system_error(errno, std::generic_category(), what);
  switch_on(socket.get(), SOL_SOCKET, SO_REUSEADDR);
  if (options.reuse_port) switch_on(socket.get(), SOL_SOCKET, SO_REUSEPORT);
  if (address.family() == AF_INET6) switch_on(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY);
  if (platform.bind(socket.get(), address.get(), address.size()) < 0) {
    if (errno == EADDRNOTAVAIL && !only_one) return {};
    throw std::system_error(errno, std::generic_category(), what);
  }
  if (platform.listen(socket.get(), options.backlog) < 0)
    throw std::system_error(errno, std::generic_category(), what);
  return socket;
}

SocketAddress with_port(const SocketAddress& address, std::uint16_t port) {
  sockaddr_storage storage{};
  std::memcpy(&storage, address.get(), address.size());
  auto* any = reinterpret_cast<sockaddr*>(&storage);
  if (address.family() == AF_INET)
    reinterpret_cast<sockaddr_in*>(any)->sin_port = htons(port);
  else
    reinterpret_cast<sockaddr_in6*>(any)->sin6_port = htons(port);
  return SocketAddress::from(any, address.size());
}

// The peer was gone before we took it; the next one may be there.
bool concerns_one_connection(int error_number) {
  switch (error_number) {
    case ECONNABORTED:
    case EPROTO:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETDOWN:
    case ENETUNREACH:
    case EPERM:  // a firewall's word
      return true;
    default:
      return false;
  }
}

}  // namespace

std::vector<UniqueFd> bind_sockets(std::uint16_t port, const std::string& address,
                                   const BindOptions& options) {
  const std::vector<SocketAddress> addresses = resolve(port, address, options.family);
  std::vector<UniqueFd> sockets;
  for (const SocketAddress& wanted : addresses) {
    // The first socket picks the port when none is given; the others take the same.
    UniqueFd socket = bind_one(port == 0 ? wanted : with_port(wanted, port), options,
                               addresses.size() == 1);
    if (!socket) continue;
    port = SocketAddress::local_of(socket.get()).port();
    sockets.push_back(std::move(socket));
  }
  if (sockets.empty())
    throw std::runtime_error("cannot listen on '" + address + "': no address is on this machine");
  return sockets;
}

// Kept alive by itself while it accepts, so that a callback may drop its handler.
class AcceptHandler::Acceptor : public EventHandler,
                                public std::enable_shared_from_this<Acceptor> {
 public:
  Acceptor(int listener, Accepted accepted)
      : loop_(IOLoop::current()), listener_(listener), accepted_(std::move(accepted)) {
    loop_.add_handler(listener_, kRead, *this);
  }

  void stop() {
    if (stopped_) return;
    stopped_ = true;
    loop_.remove_timeout(resume_);
    loop_.remove_handler(listener_);
  }
  bool paused() const { return paused_; }

  void handle_events(std::uint32_t) override { accept_some(kAcceptsPerTurn); }

  void accept_some(int most) {
    const std::shared_ptr<Acceptor> keep = shared_from_this();
    for (int accepts = 0; accepts < most && !stopped_; ++accepts)
      if (!accept_one()) return;
  }

 private:
  bool accept_one() {
    sockaddr_storage storage;
    socklen_t size = sizeof storage;
    auto* address = reinterpret_cast<sockaddr*>(&storage);
    UniqueFd socket =
        above_standard_streams(UniqueFd(loop_.platform().accept(listener_, address, &size)));
    if (!socket) return refused(errno);
    run_logged("Error in connection callback: ",
               [&] { accepted_(std::move(socket), SocketAddress::from(address, size)); });
    return true;
  }

  bool refused(int error_number) {
    if (error_number == EINTR || concerns_one_connection(error_number)) return true;
    if (error_number != EAGAIN && error_number != EWOULDBLOCK)
      pause(error_number);
    else
      patience_ = kFirstPause;  // all have come in
    return false;
  }

  // The pending connection would be reported again at once, and again refused.
  void pause(int error_number) {
    paused_ = true;
    if (patience_ == kFirstPause)
      log::warning("cannot accept connections: ", std::string_view(std::strerror(error_number)),
                   "; trying again from time to time");
    loop_.update_handler(listener_, kNone);
    resume_ = loop_.call_later(patience_, [this] {
      paused_ = false;
      loop_.update_handler(listener_, kRead);
    });
    patience_ = std::min<Duration>(2 * patience_, kLongestPause);
  }

  static constexpr Duration kFirstPause = 10ms;
  static constexpr Duration kLongestPause = 320ms;

  IOLoop& loop_;
  const int listener_;
  const Accepted accepted_;
  IOLoop::Timeout resume_;
  Duration patience_ = kFirstPause;
  bool paused_ = false;
  bool stopped_ = false;
};

AcceptHandler::AcceptHandler(int listener, Accepted accepted)
    : acceptor_(std::make_shared<Acceptor>(listener, std::move(accepted))) {}

AcceptHandler::~AcceptHandler() { acceptor_->stop(); }

void AcceptHandler::accept_waiting() { acceptor_->accept_some(kMostWaiting); }

bool AcceptHandler::paused() const { return acceptor_->paused(); }

}  // namespace eddy
