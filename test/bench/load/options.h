// Options: what the load is told on its command line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace load {

struct Options {
  std::string mode;
  std::uint16_t port = 0;
  std::size_t connections = 1;
  std::size_t busy = SIZE_MAX;   // of the connections; the others say nothing after the first round
  std::size_t size = 64;         // bytes of a line, chunk or message
  std::size_t depth = 1;         // lines or calls in one send
  double seconds = 10;           // nothing new begins after that
  double patience = 10;          // how long it then waits for what is under way
  std::size_t units = SIZE_MAX;  // nor when so many have begun
};

Options parse_options(int argc, char** argv);

}  // namespace load
