// RegexSearch: where does the first match of a regular expression end, in bytes that still arrive?
//
// Mirrors the regex half of tornado.iostream.BaseIOStream._find_read_pos. It answers as a search
// of the whole buffer would, yet its work stays in proportion to the bytes, whatever the peer
// sends and however the network cuts it. Matching is RE2's: no pattern can make it exponential.
// As in Tornado, a match is what matches *so far*: `\n\r?` ends before a `\r` that comes later.
//
// The pattern and the text are bytes, not UTF-8. Against Python's `re`: no look-around and no
// back-references, repeats to 1000, and `$` is the very end (`(?m)$` also stands before a `\n`).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "../loop/clock.h"

namespace eddy {

class CompiledRegex;

class RegexSearch {
 public:
  // Throws std::invalid_argument with the pattern and what is wrong with it. A pattern that this
  // thread compiled lately costs a look-up.
  explicit RegexSearch(std::string_view pattern);

  // Where the first match ends, or nothing yet. `buffered` is all that is unread: it only grows
  // from call to call. A large buffer that hardly grew is not searched: see put_off().
  std::optional<std::size_t> find_end(std::string_view buffered);
  // The same, but always searches: when the time has come, at EOF, before calling it too long.
  std::optional<std::size_t> find_end_now(std::string_view buffered);

  bool put_off() const { return put_off_; }  // find_end_now must follow within retry_delay()
  Duration retry_delay() const;              // keeps searching below 5 % of the time

  void restart();  // bytes left the front of the buffer: `^` and `\b` see another beginning

  std::uint64_t bytes_searched() const { return bytes_searched_; }

 private:
  std::optional<std::size_t> search(std::string_view buffered);
  bool hardly_grew(std::size_t size) const;

  std::shared_ptr<const CompiledRegex> regex_;  // shared with the thread's cache
  std::size_t start_ = 0;                       // no match can begin before this
  std::size_t searched_ = 0;                    // the size of the buffer in which none was found
  Duration last_search_{};
  std::uint64_t bytes_searched_ = 0;
  bool put_off_ = false;
};

}  // namespace eddy
