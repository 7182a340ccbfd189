// rpc_handlers: what the telnet RPC server can do: echo, math, time and sys.
//
// Each is a few lines of what any user of an RpcRegistry writes: plain functions, coroutines with
// co_await, and math.fib as a stackless one.
#pragma once

#include <cstdint>
#include <functional>

#include <eddy/loop/clock.h>
#include <eddy/proto/rpc_registry.h>

namespace demo {

// What sys.stats tells of this process.
struct RpcStatistics {
  std::uint64_t connections = 0;  // open now
  std::uint64_t calls_served = 0;
  std::uint64_t in_flight = 0;
  eddy::Duration uptime{};
  std::uint64_t resident_bytes = 0;
};

std::uint64_t resident_bytes();  // of this process; 0 where /proc does not say

// `statistics` is asked at each sys.stats.
void declare_rpc_handlers(eddy::RpcRegistry& registry, std::function<RpcStatistics()> statistics);

}  // namespace demo
