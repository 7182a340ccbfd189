// CharacterSet: which bytes may stand somewhere, looked up in one step each.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace eddy {

class CharacterSet {
 public:
  constexpr explicit CharacterSet(std::string_view members) {
    for (const char c : members) has_[index_of(c)] = true;
  }
  constexpr CharacterSet with(std::string_view more) const {
    CharacterSet all = *this;
    for (const char c : more) all.has_[index_of(c)] = true;
    return all;
  }

  constexpr bool contains(char c) const { return has_[index_of(c)]; }
  // So many bytes at the front of the text are in the set.
  constexpr std::size_t leading(std::string_view text) const {
    std::size_t size = 0;
    while (size < text.size() && contains(text[size])) ++size;
    return size;
  }
  constexpr bool contains_all(std::string_view text) const { return leading(text) == text.size(); }

 private:
  static constexpr std::size_t index_of(char c) { return static_cast<unsigned char>(c); }
  std::array<bool, 256> has_{};
};

inline constexpr CharacterSet kDigits("0123456789");
inline constexpr CharacterSet kHexDigits("0123456789ABCDEFabcdef");
inline constexpr CharacterSet kLettersAndDigits(
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

}  // namespace eddy
