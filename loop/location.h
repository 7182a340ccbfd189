// Location: the place in the source that made a Future or waits for one.
//
// What std::source_location is for, without its library support, which not every compiler has yet.
#pragma once

namespace eddy {

struct Location {
  const char* file = "";
  unsigned line = 0;

  static constexpr Location current(const char* file = __builtin_FILE(),
                                    unsigned line = __builtin_LINE()) {
    return {file, line};
  }
};

}  // namespace eddy
