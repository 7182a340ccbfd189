#include "options.h"

#include <stdexcept>
#include <string_view>

namespace load {
namespace {

Options defaults_of(const std::string& mode) {
  Options options;
  options.mode = mode;
  if (mode == "lines") options.size = 32, options.depth = 256;
  if (mode == "sink") options.size = 65536;
  return options;
}

void set(Options& options, std::string_view name, const std::string& value) {
  if (name == "--port")
    options.port = static_cast<std::uint16_t>(std::stoul(value));
  else if (name == "--connections")
    options.connections = std::stoul(value);
  else if (name == "--busy")
    options.busy = std::stoul(value);
  else if (name == "--size")
    options.size = std::stoul(value);
  else if (name == "--depth")
    options.depth = std::stoul(value);
  else if (name == "--seconds")
    options.seconds = std::stod(value);
  else if (name == "--patience")
    options.patience = std::stod(value);
  else if (name == "--units")
    options.units = std::stoul(value);
  else
    throw std::invalid_argument("unknown option " + std::string(name));
}

}  // namespace

Options parse_options(int argc, char** argv) {
  if (argc < 2) throw std::invalid_argument("usage: load MODE --port P ...");
  Options options = defaults_of(argv[1]);
  for (int i = 2; i + 1 < argc; i += 2) set(options, argv[i], argv[i + 1]);
  if (options.size < 8) throw std::invalid_argument("a message is at least eight bytes");
  if (options.connections < 1) throw std::invalid_argument("at least one connection");
  return options;
}

}  // namespace load
