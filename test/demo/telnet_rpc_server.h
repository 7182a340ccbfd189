// TelnetRpc: a telnet_rpc that runs on a free port, and clients of it.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "../support/demo_server.h"

namespace eddy {

class TelnetRpcServer : public DemoServer {
 public:
  explicit TelnetRpcServer(Words flags = {}, const Surroundings& around = {})
      : DemoServer("telnet_rpc", std::move(flags), around) {}

  // What sys.stats says of `name`, asked over a connection of its own.
  long statistic(const std::string& name) const {
    Client asking(port());
    asking.send("sys.stats\r\n");
    const std::string rows = asking.read_until("[1] ok\r\n");
    const std::size_t at = rows.find("[1] | " + name + ' ');
    return std::stol(rows.substr(at + name.size() + 7));
  }
  bool eventually_in_flight(long calls) const {  // sys.stats itself is one
    return eventually([&] { return statistic("in_flight") == calls + 1; });
  }
  bool is_healthy() const { return Client(port()).ask("math add 20 22") == "[1] ok 42"; }
};

}  // namespace eddy
