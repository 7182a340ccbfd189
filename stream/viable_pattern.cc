#include "viable_pattern.h"

#include <algorithm>
#include <cstddef>

namespace eddy {
namespace {

constexpr std::size_t kUnknown = 0;  // the size of what we would rather not guess at

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_octal(char c) { return c >= '0' && c <= '7'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::size_t size_through(std::string_view text, std::string_view end, std::size_t from) {
  const std::size_t at = text.find(end, from);
  return at == text.npos ? kUnknown : at + end.size();
}

// `\x41` or `\x{41}`, `\pN` or `\p{Greek}`.
std::size_t braced_size(std::string_view text, std::size_t plain_size) {
  if (text.size() > 2 && text[2] == '{') return size_through(text, "}", 3);
  return text.size() < plain_size ? kUnknown : plain_size;
}

std::size_t octal_size(std::string_view text) {
  std::size_t size = 1;
  while (size < std::min<std::size_t>(4, text.size()) && is_octal(text[size])) ++size;
  return size;
}

std::size_t escape_size(std::string_view text) {
  if (text.size() < 2) return kUnknown;
  const char kind = text[1];
  if (kind == 'x') return braced_size(text, 4);
  if (kind == 'p' || kind == 'P') return braced_size(text, 3);
  if (is_octal(kind)) return octal_size(text);
  if (is_letter(kind)) return std::string_view("AzbBdDsSwWCafnrtv").find(kind) < 17 ? 2 : kUnknown;
  return is_digit(kind) ? kUnknown : 2;
}

// `[...]`: a `]` that stands first is a member, and so is all inside `[:alpha:]` and after `\`.
std::size_t class_size(std::string_view text) {
  std::size_t at = text.substr(0, 2) == "[^" ? 2 : 1;
  for (const std::size_t first = at; at < text.size(); ++at) {
    if (text[at] == ']' && at > first) return at + 1;
    if (text[at] == '\\') ++at;
    if (text.substr(at, 2) != "[:") continue;
    if (const std::size_t size = size_through(text, ":]", at + 2)) at = size - 1;
  }
  return kUnknown;
}

// `{2}`, `{2,}` or `{2,3}`, as RE2 reads it.
std::size_t repeat_size(std::string_view text) {
  const std::size_t close = text.find('}');
  if (close == text.npos) return kUnknown;
  const std::string_view inside = text.substr(1, close - 1);
  const bool is_counts = inside.find_first_not_of("0123456789,") == inside.npos &&
                         std::count(inside.begin(), inside.end(), ',') <= 1;
  const bool leading_zero = inside.size() > 1 && inside[0] == '0' && inside[1] != ',';
  return is_counts && !leading_zero && inside.find(",0") == inside.npos ? close + 1 : kUnknown;
}

class Rewriter {
 public:
  explicit Rewriter(std::string_view pattern) : rest_(pattern) {}

  std::optional<std::string> run() {
    while (!rest_.empty())
      if (!step()) return std::nullopt;
    return std::move(viable_);
  }

 private:
  bool step() {
    switch (rest_.front()) {
      case '(': return group();
      case ')':
      case '|':
      case '*':
      case '+':
      case '?': return structure(1);
      case '{': return brace();
      case '[': return atom(class_size(rest_));
      case '\\': return rest_.substr(0, 2) == "\\Q" ? quotation() : atom(escape_size(rest_));
      default: return atom(1);
    }
  }

  bool structure(std::size_t size) {
    viable_ += rest_.substr(0, size);
    rest_.remove_prefix(size);
    return size != kUnknown;
  }

  bool atom(std::size_t size) {
    viable_ += "(?:";
    if (!structure(size)) return false;
    viable_ += "|\\z)";
    return true;
  }

  bool group() {  // "(", "(?i)", "(?i-s:" or "(?P<name>"
    if (rest_.substr(0, 2) != "(?") return structure(1);
    return structure(rest_.find_first_of("):>") + 1);
  }

  bool brace() {
    if (rest_.size() > 1 && is_digit(rest_[1])) return structure(repeat_size(rest_));
    return atom(1);  // no count follows: RE2 takes the brace for itself
  }

  bool quotation() {  // \Q...\E
    rest_.remove_prefix(2);
    const std::size_t size = std::min(rest_.find("\\E"), rest_.size());
    for (const char byte : rest_.substr(0, size)) literal(byte);
    rest_.remove_prefix(std::min(size + 2, rest_.size()));
    return size > 0;  // a repeat behind an empty one would reach for the atom, or repeat, before
  }

  void literal(char byte) {
    constexpr char kHex[] = "0123456789abcdef";
    const unsigned value = static_cast<unsigned char>(byte);
    viable_ += {'(', '?', ':', '\\', 'x', kHex[value / 16], kHex[value % 16], '|', '\\', 'z', ')'};
  }

  std::string_view rest_;
  std::string viable_;
};

}  // namespace

std::optional<std::string> viable_pattern(std::string_view pattern) {
  return Rewriter(pattern).run();
}

}  // namespace eddy
