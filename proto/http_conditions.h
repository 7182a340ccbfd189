// Conditional requests and ranges: whether a client has what it asks for, and which part it wants.
//
// RFC 9110, sections 13 and 14. Mirrors tornado.web.RequestHandler.check_etag_header,
// StaticFileHandler.should_return_304 and tornado.httputil._parse_request_range. Pure.
#pragma once

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

#include "http_request.h"

namespace eddy {

struct HTTPValidators {  // what tells one version of a thing from another
  std::string etag;      // strong, with its quotes
  std::time_t last_modified = 0;
};

// What the request's conditions lead to: 304 or 412; none: they hold. Of a GET or HEAD.
std::optional<int> check_conditions(const HTTPRequest& request, const HTTPValidators& current);

struct HTTPRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;  // behind its last byte
};

// The part of `size` bytes that is asked for: all of it when nothing else is, and also for what we
// need not heed: several parts at once, words that are no range, a part of another version. None:
// there is no such part, 416.
std::optional<HTTPRange> requested_range(const HTTPRequest& request, std::uint64_t size,
                                         const HTTPValidators& current);

// In any of the three forms that RFC 9110 knows, section 5.6.7. None: it is no date.
std::optional<std::time_t> parse_http_date(std::string_view text);

}  // namespace eddy
