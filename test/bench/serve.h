// serve: what every server of the benchmark does around its loop, the same for each.
//
// A server is told --port (0: any free one) and --await (what an eddy conversation awaits after it
// wrote a line), and says on stdout where it listens. It runs until it is killed.
#pragma once

#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <string_view>

namespace bench {

constexpr int kBacklog = 4096;  // ten thousand come at once, and none is to try a second time

enum class Await { drain, write };

struct Options {
  std::uint16_t port = 0;
  Await await = Await::drain;
};

inline Options parse_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const std::string value = argv[i + 1];
    if (name == "--port")
      options.port = static_cast<std::uint16_t>(std::stoul(value));
    else if (name == "--await")
      options.await = value == "write" ? Await::write : Await::drain;
    else
      throw std::invalid_argument("unknown option " + std::string(name));
  }
  return options;
}

inline void announce(std::uint16_t port) {
  std::printf("listening on 127.0.0.1:%u\n", unsigned{port});
  std::fflush(stdout);
}

}  // namespace bench
