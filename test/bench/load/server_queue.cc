#include "server_queue.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>

#include <cerrno>

namespace load {
namespace {

struct Request {
  nlmsghdr header;
  inet_diag_req_v2 which;
};

struct Answer {
  nlmsghdr header;
  inet_diag_msg socket;
  char more[512];  // what the kernel adds unasked
};

std::uint16_t port_of(int (*end)(int, sockaddr*, socklen_t*), const Socket& connection) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  if (end(connection.fd(), reinterpret_cast<sockaddr*>(&address), &size) != 0) fail("getsockname");
  return address.sin_port;
}

}  // namespace

ServerQueue::ServerQueue(const Socket& connection)
    : netlink_(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG)),
      server_port_(port_of(::getpeername, connection)),
      own_port_(port_of(::getsockname, connection)) {
  if (netlink_.fd() < 0) fail("netlink");
}

std::uint32_t ServerQueue::unread_bytes() const {
  Request request{};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  request.header.nlmsg_flags = NLM_F_REQUEST;
  request.which.sdiag_family = AF_INET;
  request.which.sdiag_protocol = IPPROTO_TCP;
  request.which.id.idiag_sport = server_port_;  // as the server's socket sees it
  request.which.id.idiag_dport = own_port_;
  request.which.id.idiag_src[0] = request.which.id.idiag_dst[0] = htonl(INADDR_LOOPBACK);
  request.which.id.idiag_cookie[0] = request.which.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  Answer answer{};
  if (::send(netlink_.fd(), &request, sizeof request, 0) < 0 ||
      ::recv(netlink_.fd(), &answer, sizeof answer, 0) < 0)
    fail("netlink");
  if (answer.header.nlmsg_type != SOCK_DIAG_BY_FAMILY) {
    errno = ENOENT;
    fail("the kernel does not know the server's socket");
  }
  return answer.socket.idiag_rqueue;
}

}  // namespace load
