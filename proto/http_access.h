// HTTPAccess: what became of a request, for a log of all of them.
//
// Mirrors tornado.web.Application.log_request.
#pragma once

#include <cstdint>
#include <ctime>
#include <string>

#include "../loop/clock.h"
#include "http_request.h"

namespace eddy {

struct HTTPAccess {
  const HTTPRequest& request;  // what was understood of it, when it was refused: perhaps nothing
  int status = 0;
  std::uint64_t body_size = 0;  // bytes of the answer's body, as far as it was written
  Duration duration{};          // from the end of the head to the end of the answer
};

// The line of the combined log format that all tools for such logs read, without a line end:
//
//   192.0.2.1 - - [22/Nov/2026:02:30:00 +0000] "GET /index/ HTTP/1.1" 200 2 "-" "curl/7.88.1"
//
// What a client sent cannot end it, nor any of its fields. A request that was not understood is
// "-".
std::string format_access(const HTTPAccess& access, std::time_t now);

}  // namespace eddy
