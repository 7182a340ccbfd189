// HTTPRequest: what a client asks for.
//
// Mirrors tornado.httputil.HTTPServerRequest.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "../stream/socket_address.h"
#include "http_headers.h"

namespace eddy {

struct HTTPRequest {
  std::string method;     // "GET"; case matters
  std::string target;     // as it was sent: "/index/?a=1"
  int minor_version = 1;  // of HTTP/1.
  HTTPHeaders headers;
  std::string body;
  SocketAddress client{};

  // How the body's end is found, and whether the client means to ask on.
  std::optional<std::uint64_t> content_length{};
  bool chunked = false;
  bool expects_continue = false;
  bool keep_alive = true;

  // The two parts of the target, neither of them decoded; of "http://host/path?query" the same.
  std::string_view path() const;
  std::string_view query() const;
  std::map<std::string, std::string, std::less<>> cookies() const;  // of two alike, the first
};

}  // namespace eddy
