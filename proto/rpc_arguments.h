// rpc_arguments: words of a call as the typed arguments of a method, and its result as text.
//
// What json and keyword arguments do for a Tornado handler, for words that people type. A parameter
// of a method is one of these types; a peer's word that does not fit is an everyday thing, and so a
// text that says what is wrong with it, not an exception.
//
//   std::int64_t               a decimal number of 64 bits, perhaps with a minus
//   RpcRange<0, 90>            the same, between two bounds
//   RpcSeconds<3600>           a decimal number with an optional fraction, from 0 to the bound
//   std::string                a word
//   RpcText                    all words that are left, joined with single spaces; at least one
//   std::vector<one of these>  all words that are left, a value each; at least one
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "../loop/clock.h"

namespace eddy {

// What a method throws when the caller is to blame; its text is the answer. So are other
// exceptions' texts, but this one says that nothing went wrong on our side.
class RpcError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct RpcText {
  std::string value;
};

template <std::int64_t kLeast, std::int64_t kMost>
struct RpcRange {
  std::int64_t value = kLeast;
  operator std::int64_t() const { return value; }
};

template <std::int64_t kMost>
struct RpcSeconds {
  Duration duration{};  // rounded up
  std::string text;     // the number as it was given, without needless zeros: `1.5`
};

namespace detail {

// Each reads one word and gives what is wrong with it; nothing when it fits.
std::string read_word(const std::string& word, std::string& value);
std::string read_word(const std::string& word, std::int64_t& value);
std::string read_seconds(const std::string& word, std::int64_t most, Duration& value,
                         std::string& text);
std::string out_of_range(const std::string& word, std::int64_t least, std::int64_t most);

template <std::int64_t kLeast, std::int64_t kMost>
std::string read_word(const std::string& word, RpcRange<kLeast, kMost>& range) {
  std::string problem = read_word(word, range.value);
  if (!problem.empty() || (range >= kLeast && range <= kMost)) return problem;
  return out_of_range(word, kLeast, kMost);
}

template <std::int64_t kMost>
std::string read_word(const std::string& word, RpcSeconds<kMost>& seconds) {
  return read_seconds(word, kMost, seconds.duration, seconds.text);
}

// The same for an argument: the first word, or for some types all of them.
template <class T>
std::string read_argument(std::span<const std::string> words, T& value) {
  return read_word(words.front(), value);
}

std::string read_argument(std::span<const std::string> words, RpcText& text);

template <class T>
std::string read_argument(std::span<const std::string> words, std::vector<T>& values) {
  std::string problem;
  values.resize(words.size());
  for (std::size_t i = 0; i < words.size() && problem.empty(); ++i)
    problem = read_word(words[i], values[i]);
  return problem;
}

template <class T>
inline constexpr bool takes_rest = std::is_same_v<T, RpcText>;
template <class T>
inline constexpr bool takes_rest<std::vector<T>> = true;

// A result as the text of an answer, one line or several.
inline std::string to_text(std::string text) { return text; }
inline std::string to_text(std::string_view text) { return std::string(text); }
inline std::string to_text(const char* text) { return text; }
std::string to_text(const std::vector<std::string>& rows);

template <class T>
  requires std::is_arithmetic_v<T> std::string to_text(T value) {
    if constexpr (std::is_same_v<T, bool>) {
      return value ? "true" : "false";
    } else {
      char digits[32];  // enough for 64 bits, and for the shortest form of a double
      return {digits, std::to_chars(digits, digits + sizeof digits, value).ptr};
    }
  }

}  // namespace detail
}  // namespace eddy
