#include "io_stream.h"

#include <netinet/tcp.h>

#include <cerrno>
#include <system_error>

namespace eddy {
namespace {

std::exception_ptr system_error(int error_number, const std::string& what) {
  return std::make_exception_ptr(std::system_error(error_number, std::generic_category(), what));
}

// A Unix socket whose listener's queue is full says EAGAIN too, but nothing is under way then.
bool under_way(int error_number, int family) {
  return error_number == EINPROGRESS || error_number == EALREADY ||
         (error_number == EAGAIN && family != AF_UNIX);
}

}  // namespace

IOStream::IOStream(UniqueFd socket, SharedLimits limits)
    : BaseIOStream(std::move(limits)), socket_(std::move(socket)) {}

Future<> IOStream::connect(const SocketAddress& address, TimePoint deadline, Location where) {
  check_thread("IOStream::connect");
  if (connecting_ || closed())
    return make_failed_future<void>(
        std::make_exception_ptr(InvalidStateError("connect: connecting or closed already")),
        "connect", where);
  connecting_ = std::make_unique<Connecting>(Connecting{Promise<>("connect", where), {}});
  Future<> future = connecting_->promise.future();
  begin_connecting();
  if (!start_connecting(address)) {
    close(system_error(errno, "connect to " + address.to_string()));
    return future;
  }
  if (deadline != TimePoint::max())
    connecting_->deadline = loop().call_at(deadline, [this, text = address.to_string()] {
      close(std::make_exception_ptr(TimeoutError("timed out connecting to " + text)));
    });
  watch(kWrite);
  return future;
}

bool IOStream::start_connecting(const SocketAddress& address) {
  int answer = 0;
  do {
    answer = loop().platform().connect(fileno(), address.get(), address.size());
  } while (answer < 0 && errno == EINTR);
  return answer == 0 || under_way(errno, address.family());
}

void IOStream::handle_connect() {
  if (!was_refused()) finish_connect();
}

bool IOStream::is_connected() const {
  sockaddr_storage peer;
  socklen_t size = sizeof peer;
  return loop().platform().getpeername(fileno(), reinterpret_cast<sockaddr*>(&peer), &size) == 0;
}

bool IOStream::was_refused() {
  const int error_number = fd_error();
  if (error_number != 0) close(system_error(error_number, "connect"));
  return error_number != 0;
}

void IOStream::finish_connect() {
  if (const std::unique_ptr<Connecting> connected = std::move(connecting_)) {
    loop().remove_timeout(connected->deadline);
    connected->promise.set_result();
  }
  end_connecting();
}

void IOStream::fail_connect(const std::exception_ptr& error) {
  if (!connecting_) return;
  const std::unique_ptr<Connecting> failed = std::move(connecting_);
  loop().remove_timeout(failed->deadline);
  failed->promise.state()->forgive();
  failed->promise.set_exception(error);
}

void IOStream::set_nodelay(bool on) {
  check_thread("IOStream::set_nodelay");
  const int value = on ? 1 : 0;
  if (!closed())  // refused where it makes no sense, or when the peer is gone: nobody minds
    loop().platform().setsockopt(fileno(), IPPROTO_TCP, TCP_NODELAY, &value, sizeof value);
}

ssize_t IOStream::read_from_fd(char* data, std::size_t size) {
  return loop().platform().recv(fileno(), data, size);
}

ssize_t IOStream::write_to_fd(const char* data, std::size_t size) {
  return loop().platform().send(fileno(), data, size);
}

void IOStream::shutdown_fd() { loop().platform().shutdown(fileno(), SHUT_WR); }

int IOStream::fd_error() {
  int error_number = 0;
  socklen_t size = sizeof error_number;
  if (loop().platform().getsockopt(fileno(), SOL_SOCKET, SO_ERROR, &error_number, &size) < 0)
    return errno;
  return error_number;
}

UniqueFd open_socket(int family, int type) {
  UniqueFd socket = above_standard_streams(UniqueFd(Platform::current().socket(family, type, 0)));
  if (!socket) throw std::system_error(errno, std::generic_category(), "socket");
  return socket;
}

}  // namespace eddy
