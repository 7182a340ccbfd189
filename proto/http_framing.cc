#include "http_framing.h"

#include <algorithm>
#include <charconv>

namespace eddy {
namespace {

using Refused = std::optional<HTTPRefusal>;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex_digit(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// RFC 3986: unreserved and sub-delims; percent-encoded bytes are looked at by who calls.
bool is_host_character(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view("-._~!$&'()*+,;=").find(c) != std::string_view::npos;
}

bool is_registered_name(std::string_view name) {
  for (std::size_t at = 0; at < name.size(); ++at) {
    if (is_host_character(name[at])) continue;
    const bool encoded = name[at] == '%' && at + 2 < name.size() && is_hex_digit(name[at + 1]) &&
                         is_hex_digit(name[at + 2]);
    if (!encoded) return false;
    at += 2;
  }
  return true;
}

bool is_port(std::string_view port) {
  return port.size() <= 5 && std::all_of(port.begin(), port.end(), is_digit);
}

bool is_version_six(std::string_view address) {
  return address.find(':') != address.npos && address.find('%') == address.npos &&
         SocketAddress::parse(std::string(address), 0);
}

// uri-host [ ":" port ]
bool is_host(std::string_view host) {
  if (!host.starts_with('[')) {
    const std::size_t colon = std::min(host.find(':'), host.size());
    return is_registered_name(host.substr(0, colon)) &&
           (colon == host.size() || is_port(host.substr(colon + 1)));
  }
  const std::size_t end = host.find(']');
  if (end == host.npos || !is_version_six(host.substr(1, end - 1))) return false;
  const std::string_view rest = host.substr(end + 1);
  return rest.empty() || (rest.front() == ':' && is_port(rest.substr(1)));
}

Refused check_host(const HTTPRequest& request) {
  const std::size_t hosts = request.headers.count("Host");
  if (hosts == 0 && request.minor_version >= 1) return HTTPRefusal{400, "no Host"};
  if (hosts > 1) return HTTPRefusal{400, "more than one Host"};
  if (hosts > 0 && !is_host(request.headers.first("Host")))
    return HTTPRefusal{400, "a malformed Host"};
  return {};
}

bool is_absolute(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"})
    if (target.size() > scheme.size() &&
        is_same_ignoring_case(target.substr(0, scheme.size()), scheme))
      return target[scheme.size()] != '/' && target[scheme.size()] != '?';
  return false;
}

Refused check_target(const HTTPRequest& request) {
  const std::string& target = request.target;
  const auto is_visible = [](char c) { return c > ' ' && c < 0x7f && c != '#'; };
  if (!std::all_of(target.begin(), target.end(), is_visible))
    return HTTPRefusal{400, "a malformed request target"};
  const bool fits = request.method == "CONNECT" ? is_host(target) && target.find(':') != target.npos
                    : target == "*"             ? request.method == "OPTIONS"
                                                : target.starts_with('/') || is_absolute(target);
  if (!fits) return HTTPRefusal{400, "a malformed request target"};
  return {};
}

Refused check_encoding(HTTPRequest& request) {
  const std::size_t encodings = request.headers.count("Transfer-Encoding");
  if (encodings == 0) return {};
  if (request.headers.contains("Content-Length"))
    return HTTPRefusal{400, "Content-Length and Transfer-Encoding"};
  if (request.minor_version == 0) return HTTPRefusal{400, "Transfer-Encoding in HTTP/1.0"};
  if (encodings > 1) return HTTPRefusal{400, "more than one Transfer-Encoding"};
  if (!is_same_ignoring_case(request.headers.first("Transfer-Encoding"), "chunked"))
    return HTTPRefusal{501, "a Transfer-Encoding other than chunked"};
  request.chunked = true;
  return {};
}

Refused check_length(HTTPRequest& request) {
  const std::size_t lengths = request.headers.count("Content-Length");
  if (lengths == 0) return {};
  if (lengths > 1) return HTTPRefusal{400, "more than one Content-Length"};
  const std::string_view digits = request.headers.first("Content-Length");
  if (digits.empty() || !std::all_of(digits.begin(), digits.end(), is_digit))
    return HTTPRefusal{400, "a malformed Content-Length"};
  std::uint64_t length = 0;
  if (std::from_chars(digits.data(), digits.data() + digits.size(), length).ec != std::errc())
    length = UINT64_MAX;  // more than anybody takes
  request.content_length = length;
  return {};
}

Refused check_expectation(HTTPRequest& request) {
  const std::size_t expectations = request.headers.count("Expect");
  if (expectations == 0 || request.minor_version == 0) return {};
  if (expectations > 1 || !is_same_ignoring_case(request.headers.first("Expect"), "100-continue"))
    return HTTPRefusal{417, "an unknown expectation"};
  request.expects_continue = request.chunked || request.content_length.value_or(0) > 0;
  return {};
}

bool wants_to_go_on(const HTTPRequest& request) {
  bool close = false;
  bool keep_alive = false;
  for (std::string_view list : request.headers.get_list("Connection"))
    while (!list.empty()) {
      const std::string_view word = take_part(list, ',');
      close = close || is_same_ignoring_case(word, "close");
      keep_alive = keep_alive || is_same_ignoring_case(word, "keep-alive");
    }
  return !close && (request.minor_version >= 1 || keep_alive);
}

}  // namespace

std::optional<HTTPRefusal> check_request(HTTPRequest& request) {
  if (Refused refused = check_target(request)) return refused;
  if (Refused refused = check_host(request)) return refused;
  if (Refused refused = check_encoding(request)) return refused;
  if (Refused refused = check_length(request)) return refused;
  if (Refused refused = check_expectation(request)) return refused;
  request.keep_alive = wants_to_go_on(request);
  return {};
}

}  // namespace eddy
