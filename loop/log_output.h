// LogOutput: a descriptor that takes log lines, and whose reader may be slow, stopped or gone.
//
// What Tornado's logging does not have: there, a stderr that nobody reads stops the loop. Here a
// line that does not fit is dropped, whole. Nothing blocks, no thread is started, and
// the descriptor stays as blocking as its other owners expect it to be. It speaks to the kernel
// itself, past the Platform: what stands in the kernel's place should not swallow what is told of
// it.
#pragma once

#include <string_view>

namespace eddy {

class LogOutput {
 public:
  explicit LogOutput(int fd) : fd_(fd) {}  // not owned; looked at anew for each line

  // False: it was lost. A line of up to PIPE_BUF bytes, 4096, enters a pipe whole or not at all,
  // whoever else writes to it; if more than that, or a full disk, loses the end of a line, it ends
  // in `... cut` as soon as there is room for the next one. A regular file is written to as ever.
  bool write(std::string_view line);  // with the newline at its end; one thread at a time

 private:
  bool write_all(std::string_view line);

  const int fd_;
  bool torn_ = false;  // the last line has no end
};

}  // namespace eddy
