// HTTPHead: finds the end of a request's head, and sees to it that its lines are lines.
//
// RFC 9112, section 2.2 and 5.2. Mirrors the read_until_regex(b"\r?\n\r?\n") with which
// tornado.http1connection begins a message, but each line must end in CR LF, and a bare CR or LF,
// or a folded line, is refused where it stands: these are what two servers in a row read
// differently. Empty lines before a request are passed over. Pure: bytes in, a head out.
//
//   before --a line--> request line --its end--> fields --an empty line--> complete
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "http_limits.h"

namespace eddy {

class HTTPHead {
 public:
  enum class Event { none, complete, refused };

  explicit HTTPHead(const HTTPLimits& limits) : limits_(limits) {}

  // Removes bytes from the front of `input`, up to the end of the head.
  Event take(std::string_view& input);

  // With the empty line. Valid until the next take(), and while the bytes given to that are: a head
  // that came in one piece is not copied.
  std::string_view text() const { return text_; }
  const HTTPRefusal& refusal() const { return refusal_; }
  bool begun() const { return !held_.empty(); }  // some of one has come, and more is to come

 private:
  void begin_anew();
  void skip_empty_lines(std::string_view& input);
  bool take_lines(std::string_view bytes);  // false, these four: it is refused
  bool take_line(std::string_view line);
  bool may_be(std::string_view line);
  bool may_hold(std::string_view text);
  bool refuse(int status, std::string reason);

  const HTTPLimits limits_;
  std::string held_;            // what came in earlier pieces
  std::string_view text_;       // of the head that is complete
  std::size_t line_begin_ = 0;  // of the first line that has not ended
  std::size_t searched_ = 0;    // where to look on for its end
  std::size_t lines_ = 0;
  std::size_t field_bytes_ = 0;
  bool complete_ = false;
  HTTPRefusal refusal_;
};

}  // namespace eddy
