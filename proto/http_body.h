// HTTPBodyReader and HTTPBodyWriter: bodies that come, and go, piece by piece.
//
// For a request that is too long to be held, and for an answer that is made while it is sent.
// Mirror tornado.web.stream_request_body with RequestHandler.data_received, and
// RequestHandler.write with flush. Both belong to the request that is answered: whoever uses them
// must be done when its answer is, or when he is cancelled.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "../loop/clock.h"
#include "../loop/future.h"

namespace eddy {

class HTTPBodyReader {
 public:
  virtual ~HTTPBodyReader() = default;

  // The next piece, as it comes; an empty one: that was all. The client waits in its own kernel
  // while nobody reads. Fails with CancelledError when there will be no more of it: the client
  // left, was too slow or was refused, and nobody is left who would get an answer. One at a time:
  // a second one fails with AlreadyReadingError. One that is given up leaves its bytes to the next.
  virtual Future<std::string> read() = 0;

  // Before the first read(): instead of HTTPLimits::max_body and HTTPOptions::body_timeout. The
  // time counts while the client is waited for.
  virtual void set_max_size(std::uint64_t bytes) = 0;
  virtual void set_timeout(Duration patience) = 0;
};

class HTTPBodyWriter {
 public:
  virtual ~HTTPBodyWriter() = default;

  // Done when there is room for more: await it to keep pace with the client. Fails with
  // StreamClosedError when the client has left, and with std::length_error for more than the
  // response's stream_length. Nothing is sent of nothing.
  virtual Future<> write(std::string_view piece) = 0;
  // A part of a file, as IOStream::send_file.
  virtual Future<> send_file(int file, std::uint64_t offset, std::uint64_t count) = 0;
};

}  // namespace eddy
