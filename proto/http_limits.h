// HTTPLimits: how much of a request is taken in; HTTPRefusal: what is answered to one that is not.
#pragma once

#include <cstddef>
#include <string>

namespace eddy {

struct HTTPLimits {
  std::size_t max_request_line = 16 << 10;  // bytes; beyond it: 414
  std::size_t max_header = 64 << 10;        // bytes of fields, and of the trailers of a body; 431
  std::size_t max_headers = 100;            // fields, and trailers; 431
  std::size_t max_body = 1 << 20;           // bytes; 413, before any is read when it is announced
  std::size_t max_chunk_line = 1024;        // bytes of a chunk's size and extensions; 400
};

struct HTTPRefusal {  // after which the connection can only be closed
  int status = 400;
  std::string reason;
};

}  // namespace eddy
