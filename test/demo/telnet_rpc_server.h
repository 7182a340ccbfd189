// TelnetRpc: a telnet_rpc that runs on a free port, and clients of it.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "../support/client.h"
#include "../support/demo_process.h"

namespace eddy {

// Whether the program is built with a sanitizer: its freed memory stays, and it is slow.
inline bool sanitized() { return DemoProcess::path_of("").find("san/") != std::string::npos; }

// How many more bytes a program may hold, when `bytes` is what it may really need.
inline std::size_t allowance(std::size_t bytes) { return sanitized() ? 1 << 30 : bytes; }

class TelnetRpcServer : public DemoProcess {
 public:
  explicit TelnetRpcServer(Words flags = {}, const Surroundings& around = {})
      : DemoProcess(path_of("telnet_rpc"), with_port(std::move(flags)), around) {
    if (!out().wait_for("\n")) throw std::runtime_error("not ready: " + err().wait_to_end());
    const std::string line = out().text();
    port_ = static_cast<std::uint16_t>(std::stoul(line.substr(line.rfind(':') + 1)));
  }

  std::uint16_t port() const { return port_; }

  // What sys.stats says of `name`, asked over a connection of its own.
  long statistic(const std::string& name) const {
    Client asking(port_);
    asking.send("sys.stats\r\n");
    const std::string rows = asking.read_until("[1] ok\r\n");
    const std::size_t at = rows.find("[1] | " + name + ' ');
    return std::stol(rows.substr(at + name.size() + 7));
  }
  bool eventually_in_flight(long calls) const {  // sys.stats itself is one
    return eventually([&] { return statistic("in_flight") == calls + 1; });
  }
  bool is_healthy() const { return Client(port_).ask("math add 20 22") == "[1] ok 42"; }

 private:
  static Words with_port(Words flags) {
    flags.insert(flags.begin(), {"--port", "0"});
    return flags;
  }

  std::uint16_t port_ = 0;
};

}  // namespace eddy
