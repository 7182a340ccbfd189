#include "http_target.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string>

#include "http_characters.h"

namespace eddy {
namespace {

// RFC 3986: unreserved and sub-delims; and what else a path has.
constexpr CharacterSet kPlain = kLettersAndDigits.with("-._~!$&'()*+,;=");
constexpr CharacterSet kInPaths = kPlain.with("/:@");

// Of these, and of bytes as %41.
bool is_made_of(std::string_view text, const CharacterSet& characters) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (characters.contains(text[at])) continue;
    const bool encoded =
        text[at] == '%' && at + 2 < text.size() && kHexDigits.contains_all(text.substr(at + 1, 2));
    if (!encoded) return false;
    at += 2;
  }
  return true;
}

bool is_port(std::string_view port) {
  std::uint16_t number = 0;
  const char* const end = port.data() + port.size();
  const auto [stop, error] = std::from_chars(port.data(), end, number);
  return port.empty() || (error == std::errc() && stop == end);
}

bool is_version_six(std::string_view address) {
  return address.find(':') != address.npos && address.find('%') == address.npos &&
         SocketAddress::parse(std::string(address), 0);
}

bool is_path(std::string_view path) { return is_made_of(path, kInPaths); }

// Browsers send some of what RFC 3986 would have encoded, as in "?a[]=1" and "?rebate=5%", and
// nobody reads it as anything else.
bool is_query(std::string_view query) {
  return std::all_of(query.begin(), query.end(), [](char c) {
    return c > ' ' && c < 0x7f && c != '#' && c != '"' && c != '<' && c != '>';
  });
}

bool has_port(std::string_view host) {
  return host.find(':') != host.npos && kDigits.contains(host.back());
}

}  // namespace

bool is_http_host(std::string_view host) {
  if (!host.starts_with('[')) {
    const std::size_t colon = std::min(host.find(':'), host.size());
    return colon > 0 && is_made_of(host.substr(0, colon), kPlain) &&
           (colon == host.size() || is_port(host.substr(colon + 1)));
  }
  const std::size_t end = host.find(']');
  if (end == host.npos || !is_version_six(host.substr(1, end - 1))) return false;
  const std::string_view rest = host.substr(end + 1);
  return rest.empty() || (rest.front() == ':' && is_port(rest.substr(1)));
}

std::optional<std::string_view> authority_of(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"})
    if (is_same_ignoring_case(target.substr(0, scheme.size()), scheme)) {
      const std::string_view rest = target.substr(scheme.size());
      return rest.substr(0, rest.find_first_of("/?"));
    }
  return {};
}

bool is_http_target(const HTTPRequest& request) {
  const std::string_view target = request.target;
  if (request.method == "CONNECT") return is_http_host(target) && has_port(target);
  if (target == "*") return request.method == "OPTIONS";
  const auto authority = authority_of(target);
  return (authority ? is_http_host(*authority) : target.starts_with('/')) &&
         is_path(request.path()) && is_query(request.query());
}

}  // namespace eddy
