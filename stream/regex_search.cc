#include "regex_search.h"

#include <re2/re2.h>

#include <algorithm>
#include <cassert>
#include <list>
#include <stdexcept>
#include <string>

#include "../loop/platform.h"
#include "viable_pattern.h"

namespace eddy {
namespace {

constexpr std::size_t kSmall = 2048;  // searching so little costs less than the recv before it
constexpr std::size_t kGrowth = 16;   // a larger text must grow by 1/16 to be searched again
constexpr Duration kShortestDelay = std::chrono::milliseconds(2);
constexpr int kIdleFactor = 20;  // pauses are so many times longer than searches

RE2::Options options() {
  RE2::Options options;
  options.set_encoding(RE2::Options::EncodingLatin1);
  options.set_log_errors(false);
  options.set_max_mem(2 << 20);  // then RE2 goes on with less memory and more time, still linear
  return options;
}

}  // namespace

class CompiledRegex {
 public:
  explicit CompiledRegex(std::string_view pattern)
      : regex_({pattern.data(), pattern.size()}, options()) {
    if (!regex_.ok())
      throw std::invalid_argument("regular expression '" + regex_.pattern() +
                                  "': " + regex_.error());
    if (const auto viable = viable_pattern(pattern)) viable_.emplace(*viable, options());
  }

  bool is(std::string_view pattern) const { return regex_.pattern() == pattern; }

  std::optional<std::size_t> match_end(std::string_view text, std::size_t from) const {
    re2::StringPiece found;
    if (!match(regex_, text, from, found)) return std::nullopt;
    return static_cast<std::size_t>(found.data() - text.data()) + found.size();
  }

  // The first place at or behind `from` where a match may begin, once more bytes are there.
  std::size_t viable_start(std::string_view text, std::size_t from) const {
    if (!viable_ || !viable_->ok()) return from;
    re2::StringPiece found;
    if (!match(*viable_, text, from, found)) return text.size();
    return static_cast<std::size_t>(found.data() - text.data());
  }

 private:
  // The whole text with an offset, not its tail: `^` and `\b` look at the byte before.
  static bool match(const RE2& regex, std::string_view text, std::size_t from,
                    re2::StringPiece& found) {
    return regex.Match({text.data(), text.size()}, from, text.size(), RE2::UNANCHORED, &found, 1);
  }

  RE2 regex_;
  std::optional<RE2> viable_;  // without it every search begins at the start: slower, never wrong
};

namespace {

// A conversation asks for the same few patterns line after line, and to compile one takes far
// longer than to search with it.
std::shared_ptr<const CompiledRegex> compiled(std::string_view pattern) {
  constexpr std::size_t kCapacity = 16;
  thread_local std::list<std::shared_ptr<const CompiledRegex>> cache;  // latest use first
  const auto known = std::find_if(cache.begin(), cache.end(),
                                  [&](const auto& regex) { return regex->is(pattern); });
  if (known != cache.end()) {
    cache.splice(cache.begin(), cache, known);
  } else {
    cache.push_front(std::make_shared<const CompiledRegex>(pattern));
    if (cache.size() > kCapacity) cache.pop_back();
  }
  return cache.front();
}

}  // namespace

RegexSearch::RegexSearch(std::string_view pattern) : regex_(compiled(pattern)) {}

std::optional<std::size_t> RegexSearch::find_end(std::string_view buffered) {
  put_off_ = hardly_grew(buffered.size());
  if (put_off_) return std::nullopt;
  return find_end_now(buffered);
}

std::optional<std::size_t> RegexSearch::find_end_now(std::string_view buffered) {
  assert(buffered.size() >= searched_ && "bytes left the buffer without restart()");
  put_off_ = false;
  if (buffered.size() - start_ <= kSmall) return search(buffered);
  const TimePoint began = Platform::current().now();
  const auto end = search(buffered);
  last_search_ = Platform::current().now() - began;
  return end;
}

std::optional<std::size_t> RegexSearch::search(std::string_view buffered) {
  bytes_searched_ += buffered.size() - start_;
  if (const auto end = regex_->match_end(buffered, start_)) {
    restart();  // the caller takes the match, and what is behind it has not been searched
    return end;
  }
  bytes_searched_ += buffered.size() - start_;
  start_ = regex_->viable_start(buffered, start_);
  searched_ = buffered.size();
  return std::nullopt;
}

bool RegexSearch::hardly_grew(std::size_t size) const {
  const std::size_t open = size - start_;
  return open > kSmall && size - searched_ < open / kGrowth;
}

Duration RegexSearch::retry_delay() const {
  return std::max(kShortestDelay, kIdleFactor * last_search_);
}

void RegexSearch::restart() {
  start_ = 0;
  searched_ = 0;
  put_off_ = false;
}

}  // namespace eddy
