#include "look_up.h"

#include <netdb.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "../loop/text.h"

namespace eddy {
namespace {

using Found = std::unique_ptr<addrinfo, void (*)(addrinfo*)>;

// getaddrinfo's answer, which is 0 when it has found some.
int ask(const std::string& host, std::uint16_t port, int family, int flags, Found& found) {
  if (host.find('\0') != host.npos) return EAI_NONAME;  // or it would be cut off there
  const bool every_interface = host.empty() && (flags & AI_PASSIVE);
  addrinfo hints{};
  hints.ai_family = family;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* first = nullptr;
  const int error = ::getaddrinfo(every_interface ? nullptr : host.c_str(),
                                  std::to_string(port).c_str(), &hints, &first);
  if (error == 0) found.reset(first);
  return error;
}

std::string reason(int error) {
  return error == EAI_SYSTEM ? std::strerror(errno) : ::gai_strerror(error);
}

Addresses each_once(const Found& found) {
  Addresses addresses;
  for (const addrinfo* one = found.get(); one; one = one->ai_next) {
    const auto address = SocketAddress::from(one->ai_addr, one->ai_addrlen);
    if (std::find(addresses.begin(), addresses.end(), address) == addresses.end())
      addresses.push_back(address);
  }
  return addresses;
}

}  // namespace

ResolverError::ResolverError(std::string_view host, const std::string& reason)
    : std::runtime_error("cannot resolve '" + printable(host) + "': " + reason) {}

Addresses look_up(const std::string& host, std::uint16_t port, int family, int flags) {
  Found found(nullptr, ::freeaddrinfo);
  if (const int error = ask(host, port, family, flags, found); error != 0)
    throw ResolverError(host, reason(error));
  return each_once(found);
}

std::optional<Addresses> look_up_numeric(const std::string& host, std::uint16_t port, int family) {
  Found found(nullptr, ::freeaddrinfo);
  const int error = ask(host, port, family, AI_NUMERICHOST, found);
  if (error == EAI_NONAME) return std::nullopt;
  if (error != 0) throw ResolverError(host, reason(error));
  return each_once(found);
}

}  // namespace eddy
