// HTTPParser: bytes become requests.
//
// RFC 9112. Mirrors tornado.http1connection.HTTP1Connection's reading half, as a machine that does
// no I/O: bytes in, events out, the same however the network cut them. The grammar is
// Boost.Beast's, which this room's other files do not see; what Beast takes and two servers in a
// row might read differently is refused before it (http_head.h) or behind it (http_framing.h).
//
//   head --request--> its body, of a length or in chunks --end--> head
//     \------------------------\--what can't be, or is too much--> refused, for good
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http_head.h"
#include "http_limits.h"
#include "http_request.h"

namespace eddy {

class HTTPParser {
 public:
  enum class Event {
    none,     // all input is used up
    request,  // request() is complete but for its body
    body,     // body() is a piece of it
    end,      // of the request, whether it had a body or not
    refused,  // refusal() says why: nothing behind it can be read
  };

  explicit HTTPParser(const HTTPLimits& limits = {});
  ~HTTPParser();
  HTTPParser(const HTTPParser&) = delete;
  HTTPParser& operator=(const HTTPParser&) = delete;

  // Removes bytes from the front of `input`, up to the end of the next event, and says which.
  Event next(std::string_view& input);

  HTTPRequest& request() { return request_; }      // until the next one begins
  std::string_view body() const { return body_; }  // until the next call, as the bytes given
  const HTTPRefusal& refusal() const { return refusal_; }

  // Of this request alone, and before its body: instead of HTTPLimits::max_body.
  void set_max_body(std::uint64_t bytes);
  bool takes_announced_body() const { return request_.content_length.value_or(0) <= max_body_; }

  bool begun() const { return state_ != State::head || head_.begun(); }  // and not at its end

 private:
  class Grammar;
  enum class State { head, length, chunks, over, refused };

  Event read_head(std::string_view& input);
  Event begin_request();
  HTTPRefusal reason_against_head() const;
  HTTPRefusal reason_against_size() const;
  Event read_length(std::string_view& input);
  Event read_chunks(std::string_view& input);
  bool read_chunk_line(std::string_view& input);
  std::size_t size_of_chunk_line(std::string_view bytes);
  std::optional<HTTPRefusal> reason_against_chunk_line(std::string_view bytes, bool complete);
  Event end();
  Event refuse(HTTPRefusal refusal);

  const HTTPLimits limits_;
  HTTPHead head_;
  std::unique_ptr<Grammar> grammar_;
  HTTPRequest request_;
  State state_ = State::head;
  std::uint64_t max_body_ = 0;
  std::uint64_t left_ = 0;    // bytes of a body of a length
  std::string chunk_line_;    // what of it came in earlier pieces; of the last chunk, also trailers
  std::size_t searched_ = 0;  // of it, for the end of the trailers
  std::string_view body_;
  HTTPRefusal refusal_;
};

}  // namespace eddy
