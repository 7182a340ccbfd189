// is_http_host, is_http_target: what of a URI may stand in a request.
//
// RFC 9112, section 3.2, and RFC 3986, which is not repaired where it is broken: who is in front of
// us may have repaired it otherwise. Mirrors tornado.httputil.parse_request_start_line. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "http_request.h"

namespace eddy {

// "example.org", "[::1]:80": a host that is not empty, and perhaps a port.
bool is_http_host(std::string_view host);

// "/path?query", "http://host/path", or "*" of OPTIONS; of CONNECT, "host:port".
bool is_http_target(const HTTPRequest& request);

// "host" of "http://host/path", if the target is of that form.
std::optional<std::string_view> authority_of(std::string_view target);

}  // namespace eddy
