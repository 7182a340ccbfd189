// Location: the place in the source that made a Future or waits for one.
//
// What std::source_location is for, without its library support, which not every compiler has yet,
// and in eight bytes, since every Future and every coroutine remembers one.
#pragma once

#include <cstdint>

namespace eddy {

class Location {
 public:
  Location() = default;  // nowhere yet
  static Location current(const char* file = __builtin_FILE(), unsigned line = __builtin_LINE()) {
    return {file, line};
  }

  const char* file() const {
    if (packed_ == 0) return "";
    return reinterpret_cast<const char*>(packed_ & kFileMask);  // NOLINT(performance-no-int-to-ptr)
  }
  unsigned line() const { return static_cast<unsigned>(packed_ >> kFileBits); }

 private:
  // A process's addresses have 47 or 48 bits on Linux, unless it asks for more: the line goes
  // above.
  static constexpr int kFileBits = 48;
  static constexpr std::uint64_t kFileMask = (std::uint64_t{1} << kFileBits) - 1;
  static constexpr unsigned kLastLine = 0xffff;

  Location(const char* file, unsigned line)
      : packed_(reinterpret_cast<std::uint64_t>(file) |
                std::uint64_t{line < kLastLine ? line : kLastLine} << kFileBits) {}

  std::uint64_t packed_ = 0;
};

static_assert(sizeof(Location) == 8);

}  // namespace eddy
