// relay_frame: the words of the relay, in functions that do no I/O.
//
// What struct.pack and struct.unpack do in a Tornado server, with bounds. `<` marks what the server
// says; a length is 32 bits, big-endian; keys are names with commas between them; a frame holds a
// little-endian float of 32 bits for each key.
//
//   device:  0x0A  <0x00   length UUID  <0x00   length keys  <0x00   frame frame frame ...
//   viewer:  0x0B  <0x00   length UUID  <0x00  <length <keys   0x00  <frame <frame <frame ...
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace eddy {

inline constexpr char kRelayDevice = 0x0A;
inline constexpr char kRelayViewer = 0x0B;
inline constexpr char kRelayOk = 0x00;
inline constexpr char kRelayUnknown = 0x01;  // no device has this UUID

inline constexpr std::size_t kRelayLengthSize = 4;
inline constexpr std::size_t kRelayMaxString = 4096;  // bytes of a UUID, or of all keys together
inline constexpr std::size_t kRelayMaxKeys = 256;
inline constexpr std::size_t kRelayBytesPerKey = 4;

// What the other side said, and no relay says; its text tells what is wrong with it.
class RelayError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

std::string format_relay_string(std::string_view text);  // its length, then itself
std::uint32_t parse_relay_length(std::string_view four_bytes);

std::vector<std::string_view> split_relay_keys(std::string_view keys);  // views into `keys`
// What is wrong with them, for a log or an error; nothing when it is well.
std::string relay_length_problem(std::string_view what, std::size_t length);
std::string relay_keys_problem(std::string_view keys);

std::string format_relay_frame(std::span<const float> values);
std::vector<float> parse_relay_frame(std::string_view frame);

}  // namespace eddy
