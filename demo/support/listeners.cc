#include "listeners.h"

#include <unistd.h>

#include <cstdio>

#include <eddy/server/netutil.h>

namespace demo {
namespace {

std::vector<eddy::UniqueFd> listen(const ServerFlags& flags) {
  if (flags.unix_path.empty())
    return flags.datagrams ? eddy::bind_datagram_sockets(flags.port, flags.address, flags.bind)
                           : eddy::bind_sockets(flags.port, flags.address, flags.bind);
  std::vector<eddy::UniqueFd> one;
  one.push_back(flags.datagrams ? eddy::bind_unix_datagram_socket(flags.unix_path, flags.unix_mode)
                                : eddy::bind_unix_socket(flags.unix_path, flags.unix_mode));
  return one;
}

}  // namespace

Listeners::Listeners(const ServerFlags& flags) : owner_(::getpid()), sockets_(listen(flags)) {
  if (flags.unix_path.empty() || flags.unix_path.front() == '@') return;
  if (::lstat(flags.unix_path.c_str(), &made_) == 0) file_ = flags.unix_path;
}

void Listeners::announce() const {
  for (const eddy::UniqueFd& socket : sockets_)
    std::printf("listening on %s\n",
                eddy::SocketAddress::local_of(socket.get()).to_string().c_str());
  std::fflush(stdout);
}

void Listeners::remove_file() const {
  struct stat now {};
  if (file_.empty() || ::getpid() != owner_ || ::lstat(file_.c_str(), &now) < 0) return;
  if (now.st_ino == made_.st_ino && now.st_dev == made_.st_dev) ::unlink(file_.c_str());
}

}  // namespace demo
