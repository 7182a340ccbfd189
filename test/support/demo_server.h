// DemoServer: a server demo that runs on a free port, or on a Unix socket, and is ready.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "client.h"
#include "demo_process.h"

namespace eddy {

// Whether the program is built with a sanitizer: its freed memory stays, and it is slow.
inline bool sanitized() { return DemoProcess::path_of("").find("san/") != std::string::npos; }

// How many more bytes a program may hold, when `bytes` is what it may really need.
inline std::size_t allowance(std::size_t bytes) { return sanitized() ? 1 << 30 : bytes; }

class DemoServer : public DemoProcess {
 public:
  explicit DemoServer(std::string_view demo, Words flags = {}, const Surroundings& around = {})
      : DemoProcess(path_of(demo), somewhere(std::move(flags)), around) {
    if (!out().wait_for("\n")) throw std::runtime_error("not ready: " + err().wait_to_end());
    const std::string line = out().text();
    if (line.find("unix:") != std::string::npos) return;
    port_ = static_cast<std::uint16_t>(std::stoul(line.substr(line.rfind(':') + 1)));
  }

  std::uint16_t port() const { return port_; }  // 0 with --unix

 private:
  static Words somewhere(Words flags) {
    for (const std::string& flag : flags)
      if (flag == "--unix" || flag == "--port") return flags;
    flags.insert(flags.begin(), {"--port", "0"});
    return flags;
  }

  std::uint16_t port_ = 0;
};

}  // namespace eddy
