// load: the other end of every benchmark. One thread, and only ever 127.0.0.1.
//
//   load MODE --port P [--connections C] [--busy B] [--size S] [--depth D] [--seconds T]
//        [--patience P] [--units N]
//
//   echo     each connection sends a line, waits for all of it to come back, sends the next
//   lines    the same with D lines in one send: a peer that pipelines
//   rpc      the same with D calls of `math.add`, whose answers are numbered
//   idle     each connection sends one line, has it back, and says nothing more
//   silent   no connection says anything, but for the last, which shows that all were accepted
//   sink     one connection sends chunks, ends its side, and is told how many bytes came
//   accept   connections come, send one line, have it back and end
//   dribble  a line of S bytes, one byte at a time, comes back whole
//   header   a header of S bytes, one byte at a time; its end is an empty line
//   message  a line with a length, then so many bytes; the length comes back
//
// It says `connected` and waits for a line on stdin, so that connecting is not measured; `units N`
// is its last word, N being the lines, calls, chunks or connections that were done, or the bytes
// of the last three modes. Everything that comes back is compared with what should: a fast wrong
// answer ends the benchmark, with exit code 1. A server that takes too long makes it 3.
#include <cstdio>
#include <stdexcept>

#include "load.h"

namespace {

using load::Options;

std::unique_ptr<load::Load> make_load(const Options& options) {
  const std::string& mode = options.mode;
  if (mode == "sink") return load::make_sink(options);
  if (mode == "accept") return load::make_accept(options);
  if (mode == "dribble" || mode == "header" || mode == "message")
    return load::make_messages(options);
  if (mode == "echo" || mode == "lines" || mode == "rpc" || mode == "idle" || mode == "silent")
    return load::make_rounds(options);
  throw std::invalid_argument("no mode " + mode);
}

void wait_for_start() {
  std::puts("connected");
  std::fflush(stdout);
  while (std::getchar() != '\n' && !std::feof(stdin)) continue;
}

int report(const std::exception& error, int exit_code) {
  std::fprintf(stderr, "load: %s\n", error.what());
  return exit_code;
}

}  // namespace

int main(int argc, char** argv) try {
  const auto load = make_load(load::parse_options(argc, argv));
  wait_for_start();
  std::printf("units %zu\n", load->run());
  return 0;
} catch (const load::TooSlow& error) {
  return report(error, 3);
} catch (const std::exception& error) {
  return report(error, 1);
}
