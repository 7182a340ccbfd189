// ReadCondition: what the one pending read waits for.
//
// Mirrors the _read_bytes, _read_delimiter, _read_regex, _read_partial and _read_until_close of
// tornado.iostream.BaseIOStream, and find_end its _find_read_pos. It sees bytes only; where they
// come from is the stream's affair.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "regex_search.h"

namespace eddy {

enum class OnLimit : std::uint8_t {
  close,      // a read whose limit is passed closes the stream
  keep_open,  // it fails alone: the bytes stay, another read may ask for them differently
};

// A few bytes, kept in place; a long one has a string of its own.
class Delimiter {
 public:
  void assign(std::string_view bytes) {
    if (long_ || bytes.size() != 1) return assign_slowly(bytes);
    short_[0] = bytes.front();
    size_ = 1;
  }
  std::string_view view() const { return long_ ? *long_ : std::string_view(short_, size_); }

 private:
  void assign_slowly(std::string_view bytes);

  std::unique_ptr<std::string> long_;
  char short_[7];
  std::uint8_t size_ = 0;
};

struct ReadCondition {
  enum class Kind : std::uint8_t { none, bytes, partial, until, regex, close };

  // Each begins anew. An empty delimiter or a bad pattern: std::invalid_argument, nothing changes.
  void set_bytes(std::size_t count, bool partial);
  void set_until(std::string_view wanted, std::size_t max_bytes, OnLimit if_passed) {
    if (wanted.empty()) refuse_empty_delimiter();
    delimiter.assign(wanted);
    kind = Kind::until;
    on_limit = if_passed;
    size = max_bytes;
    searched = 0;
  }
  void set_until_regex(std::string_view pattern, std::size_t max_bytes, OnLimit on_limit);
  void set_until_close();

  Kind kind = Kind::none;
  OnLimit on_limit = OnLimit::close;
  std::size_t size = 0;      // how many bytes, or how many at most
  std::size_t searched = 0;  // no delimiter begins before this
  Delimiter delimiter;
  std::unique_ptr<RegexSearch> regex;

 private:
  [[noreturn]] static void refuse_empty_delimiter();
};

// How many of the buffered bytes make the read complete, or kNotYet. `last`: no more bytes will
// come for now, so a search that could wait is made at once. May lie beyond the limit: see
// passes_limit. (A std::optional here costs every line a store that the next load cannot pass.)
inline constexpr std::size_t kNotYet = SIZE_MAX;
std::size_t find_end(ReadCondition& condition, std::string_view buffered, bool last);
inline std::size_t find_end(std::string_view buffered, char delimiter) {
  const std::size_t found = buffered.find(delimiter);
  return found == std::string_view::npos ? kNotYet : found + 1;
}

// The read can no longer succeed within its limit.
inline bool passes_limit(const ReadCondition& condition, std::size_t buffered, std::size_t end) {
  const bool limited =
      condition.kind == ReadCondition::Kind::until || condition.kind == ReadCondition::Kind::regex;
  return limited && std::min(end, buffered) > condition.size;
}

std::string limit_text(const ReadCondition& condition);  // for the error, which names the limit

}  // namespace eddy
