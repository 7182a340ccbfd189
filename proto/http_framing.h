// check_request: whether a request that parsed means one thing only.
//
// RFC 9112, sections 3.2, 6 and 9.3; RFC 9110, sections 7.2 and 10.1.1. What a proxy in front of us
// might read otherwise (two lengths, a length and an encoding, an encoding that is not the one we
// know, no host or two) is refused, and never repaired. Mirrors what
// tornado.http1connection.HTTP1Connection._read_message and tornado.httputil check. Pure.
#pragma once

#include <optional>

#include "http_limits.h"
#include "http_request.h"

namespace eddy {

// Nothing when all is well; then content_length, chunked, expects_continue and keep_alive are set.
std::optional<HTTPRefusal> check_request(HTTPRequest& request);

}  // namespace eddy
