// look_up: the addresses of a host, as this machine's resolver gives them.
//
// Mirrors what tornado.netutil asks of socket.getaddrinfo, which knows of /etc/hosts, the name
// servers, and whatever else this machine is set up to ask.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "../stream/socket_address.h"

namespace eddy {

using Addresses = std::vector<SocketAddress>;  // of one host, each once, the best first

// A host that has no address; the text names it and says why.
class ResolverError : public std::runtime_error {
 public:
  ResolverError(std::string_view host, const std::string& reason);
};

// Waits for name servers, half a minute when they are gone. AF_INET or AF_INET6 asks for one family
// only. `flags` are getaddrinfo's: with AI_PASSIVE an empty host means every interface. Throws
// ResolverError.
Addresses look_up(const std::string& host, std::uint16_t port, int family = AF_UNSPEC,
                  int flags = 0);

// The same for a numeric address, without any waiting; nothing when the host is a name.
std::optional<Addresses> look_up_numeric(const std::string& host, std::uint16_t port,
                                         int family = AF_UNSPEC);

}  // namespace eddy
