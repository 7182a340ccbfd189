#include "text.h"

namespace eddy {
namespace {

unsigned byte_at(std::string_view text, std::size_t at) {
  return at < text.size() ? static_cast<unsigned char>(text[at]) : 0;
}

struct Character {
  std::size_t size;  // in bytes; 0: what stands there is not UTF-8
  char32_t code;
};

std::size_t announced_size(unsigned first) {
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first < 0xe0) return 2;
  if (first >= 0xe0 && first < 0xf0) return 3;
  return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

Character first_character(std::string_view text) {
  constexpr char32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};  // less is an overlong form
  constexpr unsigned kPayload[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
  const std::size_t size = announced_size(byte_at(text, 0));
  char32_t code = byte_at(text, 0) & kPayload[size];
  for (std::size_t at = 1; at < size; ++at) {
    if ((byte_at(text, at) & 0xc0) != 0x80) return {0, 0};
    code = code << 6 | (byte_at(text, at) & 0x3f);
  }
  const bool is_surrogate = code >= 0xd800 && code < 0xe000;
  if (code < kSmallest[size] || code > 0x10ffff || is_surrogate) return {0, 0};
  return {size, code};
}

bool is_harmless(char32_t code) {
  const bool is_control = code < 0x20 || (code >= 0x7f && code < 0xa0);
  const bool ends_a_line = code == 0x2028 || code == 0x2029;
  const bool turns_the_text = (code >= 0x202a && code <= 0x202e) ||
                              (code >= 0x2066 && code <= 0x2069) || code == 0x200e ||
                              code == 0x200f;
  return !is_control && !ends_a_line && !turns_the_text;
}

void append_escaped(std::string& shown, std::string_view bytes) {
  constexpr char kHex[] = "0123456789abcdef";
  for (std::size_t at = 0; at < bytes.size(); ++at)
    shown += {'\\', 'x', kHex[byte_at(bytes, at) / 16], kHex[byte_at(bytes, at) % 16]};
}

}  // namespace

std::string printable(std::string_view text, std::size_t max_bytes) {
  std::string shown;
  std::size_t at = 0;
  while (at < text.size()) {
    const Character character = first_character(text.substr(at));
    const std::size_t size = character.size > 0 ? character.size : 1;
    if (size > max_bytes - at) break;  // a character is shown whole or not at all
    const std::string_view bytes = text.substr(at, size);
    if (character.size > 0 && is_harmless(character.code))
      shown += bytes;
    else
      append_escaped(shown, bytes);
    at += size;
  }
  if (at < text.size()) shown += "...";
  return shown;
}

}  // namespace eddy
