#include "relay_frame.h"

#include <algorithm>
#include <bit>

#include "../loop/text.h"

namespace eddy {
namespace {

std::uint32_t byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}

char byte_of(std::uint32_t number, unsigned shift) {
  return static_cast<char>(static_cast<unsigned char>(number >> shift));
}

constexpr unsigned kBigEndian[] = {24, 16, 8, 0};
constexpr unsigned kLittleEndian[] = {0, 8, 16, 24};

}  // namespace

std::string format_relay_string(std::string_view text) {
  std::string made;
  made.reserve(kRelayLengthSize + text.size());
  for (const unsigned shift : kBigEndian)
    made += byte_of(static_cast<std::uint32_t>(text.size()), shift);
  return made += text;
}

std::uint32_t parse_relay_length(std::string_view four_bytes) {
  std::uint32_t length = 0;
  for (std::size_t at = 0; at < kRelayLengthSize; ++at)
    length = length << 8 | byte_at(four_bytes, at);
  return length;
}

std::vector<std::string_view> split_relay_keys(std::string_view keys) {
  std::vector<std::string_view> names;
  for (std::size_t comma = keys.find(','); comma != std::string_view::npos;
       comma = keys.find(',')) {
    names.push_back(keys.substr(0, comma));
    keys.remove_prefix(comma + 1);
  }
  names.push_back(keys);
  return names;
}

std::string relay_length_problem(std::string_view what, std::size_t length) {
  if (length == 0) return "empty " + std::string(what);
  if (length <= kRelayMaxString) return "";
  return std::string(what) + " of " + std::to_string(length) + " bytes: at most " +
         std::to_string(kRelayMaxString);
}

std::string relay_keys_problem(std::string_view keys) {
  std::vector<std::string_view> names = split_relay_keys(keys);
  if (names.size() > kRelayMaxKeys)
    return std::to_string(names.size()) + " keys: at most " + std::to_string(kRelayMaxKeys);
  std::sort(names.begin(), names.end());
  if (names.front().empty()) return "an empty key";
  const auto twice = std::adjacent_find(names.begin(), names.end());
  return twice == names.end() ? "" : "key '" + printable(*twice) + "' twice";
}

std::string format_relay_frame(std::span<const float> values) {
  std::string frame;
  frame.reserve(values.size() * kRelayBytesPerKey);
  for (const float value : values)
    for (const unsigned shift : kLittleEndian)
      frame += byte_of(std::bit_cast<std::uint32_t>(value), shift);
  return frame;
}

std::vector<float> parse_relay_frame(std::string_view frame) {
  std::vector<float> values;
  for (; frame.size() >= kRelayBytesPerKey; frame.remove_prefix(kRelayBytesPerKey)) {
    std::uint32_t bits = 0;
    for (std::size_t at = kRelayBytesPerKey; at-- > 0;) bits = bits << 8 | byte_at(frame, at);
    values.push_back(std::bit_cast<float>(bits));
  }
  return values;
}

}  // namespace eddy
