// bind_sockets, bind_unix_socket, and their likes for datagrams: sockets that listen.
//
// Mirrors tornado.netutil, which has none for datagrams. All throw what names the address, and then
// nothing stays open.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "../loop/unique_fd.h"
#include "../stream/socket_address.h"

namespace eddy {

inline constexpr int kDefaultBacklog = 4096;

struct BindOptions {
  int family = AF_UNSPEC;  // AF_INET or AF_INET6 for one kind only
  int backlog = kDefaultBacklog;
  // Several sockets, of several processes, share the port. The kernel gives each connection to one
  // of them when it arrives: when that is closed, those that it has not accepted are reset. drain()
  // takes in what has come; what comes between that and the close is lost, unless the kernel moves
  // it to the others (net.ipv4.tcp_migrate_req). Workers that share one listener lose nothing.
  bool reuse_port = false;
  bool urgent_inline = false;  // SO_OOBINLINE, which accepted sockets inherit
};

// One listening socket for each address of the host: a name or a numeric address; empty: every
// interface. Port 0 picks a free one, the same for all of them. Resolves names, so it may block:
// meant for the start of a program. Throws std::system_error, ResolverError when the name does not
// resolve, or std::runtime_error when it leads to other machines only.
std::vector<UniqueFd> bind_sockets(std::uint16_t port, const std::string& address = "",
                                   const BindOptions& options = {});

// A Unix socket at the path, or at `@name` in the abstract namespace, which has no mode. A socket
// that a dead server left there is replaced; a live one's path, or any other file, is refused as in
// use, also by one that has only begun: the folder is locked meanwhile (flock), unless somebody
// else holds that for seconds. At no time is it open to more than `mode` allows.
UniqueFd bind_unix_socket(const std::string& path, mode_t mode = 0600,
                          int backlog = kDefaultBacklog);

// The same for datagrams, UDP and Unix: `backlog` and `urgent_inline` mean nothing here, and a port
// that is in use is refused unless both sockets have `reuse_port`.
std::vector<UniqueFd> bind_datagram_sockets(std::uint16_t port, const std::string& address = "",
                                            const BindOptions& options = {});
UniqueFd bind_unix_datagram_socket(const std::string& path, mode_t mode = 0600);

// What add_socket makes of a socket from elsewhere, from systemd perhaps: one as those above, which
// never blocks and closes on exec. Throws std::system_error.
void make_non_blocking(int fd);

// Who is at the other end of a Unix socket, as the kernel knows it: who connected, or made the
// pair. Mirrors SO_PEERCRED, which Python leaves to getsockopt. Throws std::system_error.
struct PeerCredentials {
  pid_t pid;
  uid_t uid;
  gid_t gid;
};
PeerCredentials peer_credentials(int fd);

}  // namespace eddy
