#include "read_condition.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace eddy {
namespace {

const void* find(std::string_view delimiter, const char* begin, std::size_t size) {
  return delimiter.size() == 1 ? std::memchr(begin, delimiter.front(), size)
                               : ::memmem(begin, size, delimiter.data(), delimiter.size());
}

std::size_t find_delimiter(ReadCondition& condition, std::string_view buffered) {
  if (buffered.empty()) return kNotYet;  // memchr wants an address even for no bytes
  const std::string_view delimiter = condition.delimiter.view();
  const std::size_t from = condition.searched;
  const void* found = find(delimiter, buffered.data() + from, buffered.size() - from);
  if (found)
    return static_cast<std::size_t>(static_cast<const char*>(found) - buffered.data()) +
           delimiter.size();
  // The next search steps back far enough for a delimiter that has begun to arrive.
  const std::size_t overlap = delimiter.size() - 1;
  condition.searched = std::max(from, buffered.size() > overlap ? buffered.size() - overlap : 0);
  return kNotYet;
}

}  // namespace

void Delimiter::assign_slowly(std::string_view bytes) {
  if (bytes.size() > sizeof short_) {
    long_ = std::make_unique<std::string>(bytes);
    return;
  }
  long_.reset();
  bytes.copy(short_, sizeof short_);
  size_ = static_cast<std::uint8_t>(bytes.size());
}

void ReadCondition::set_bytes(std::size_t count, bool partial) {
  kind = partial ? Kind::partial : Kind::bytes;
  size = count;
}

void ReadCondition::refuse_empty_delimiter() {
  throw std::invalid_argument("read_until: an empty delimiter");
}

void ReadCondition::set_until_regex(std::string_view pattern, std::size_t max_bytes,
                                    OnLimit if_passed) {
  regex = std::make_unique<RegexSearch>(pattern);
  kind = Kind::regex;
  on_limit = if_passed;
  size = max_bytes;
}

void ReadCondition::set_until_close() { kind = Kind::close; }

std::size_t find_end(ReadCondition& condition, std::string_view buffered, bool last) {
  switch (condition.kind) {
    case ReadCondition::Kind::bytes:
      return buffered.size() >= condition.size ? condition.size : kNotYet;
    case ReadCondition::Kind::partial:
      return buffered.empty() && condition.size > 0 ? kNotYet
                                                    : std::min(condition.size, buffered.size());
    case ReadCondition::Kind::until: return find_delimiter(condition, buffered);
    case ReadCondition::Kind::regex: {
      // What is over the limit is decided now, not when the search's turn would come.
      const bool now = last || buffered.size() > condition.size;
      const auto end =
          now ? condition.regex->find_end_now(buffered) : condition.regex->find_end(buffered);
      return end.value_or(kNotYet);
    }
    case ReadCondition::Kind::none:
    case ReadCondition::Kind::close: return kNotYet;
  }
  return kNotYet;
}

std::string limit_text(const ReadCondition& condition) {
  const char* what = condition.kind == ReadCondition::Kind::regex ? "regex" : "delimiter";
  return std::string(what) + " not found within max_bytes = " + std::to_string(condition.size);
}

}  // namespace eddy
