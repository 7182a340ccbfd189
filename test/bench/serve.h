// serve: what every server of the benchmark does around its loop, the same for each.
//
// A server is told --port (0: any free one), --serve (what it does with what it reads) and --await
// (what an eddy conversation awaits after it wrote), and says on stdout where it listens. It runs
// until it is killed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>

namespace bench {

constexpr int kBacklog = 4096;  // ten thousand come at once, and none is to try a second time

constexpr std::size_t kChunk = 65536;  // what is read at once where the server says how much

//   lines    each line goes back
//   echo     what arrives goes back, whatever it is
//   sink     bytes are dropped; when the peer ends its side, it is told in a line how many came
//   message  a line tells a length, so many bytes follow, and the length goes back
//   header   everything up to an empty line is read, and its length goes back
enum class Serve { lines, echo, sink, message, header };

enum class Await { drain, write };

struct Options {
  std::uint16_t port = 0;
  Serve serve = Serve::lines;
  Await await = Await::drain;
};

inline Serve parse_serve(const std::string& name) {
  if (name == "lines") return Serve::lines;
  if (name == "echo") return Serve::echo;
  if (name == "sink") return Serve::sink;
  if (name == "message") return Serve::message;
  if (name == "header") return Serve::header;
  throw std::invalid_argument("nobody serves " + name);
}

inline Options parse_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const std::string value = argv[i + 1];
    if (name == "--port")
      options.port = static_cast<std::uint16_t>(std::stoul(value));
    else if (name == "--serve")
      options.serve = parse_serve(value);
    else if (name == "--await")
      options.await = value == "write" ? Await::write : Await::drain;
    else
      throw std::invalid_argument("unknown option " + std::string(name));
  }
  return options;
}

// For a server that has not learned the rest.
inline Options parse_options(int argc, char** argv, std::initializer_list<Serve> served) {
  const Options options = parse_options(argc, argv);
  for (const Serve serve : served)
    if (options.serve == serve) return options;
  throw std::invalid_argument("this server does not serve that");
}

inline void announce(std::uint16_t port) {
  std::printf("listening on 127.0.0.1:%u\n", unsigned{port});
  std::fflush(stdout);
}

}  // namespace bench
