// StreamLimits: how much one stream may hold, and for how long.
//
// Mirrors the arguments of tornado.iostream.BaseIOStream.__init__; here what is written is bounded,
// too.
#pragma once

#include <cstddef>
#include <memory>

#include "../loop/clock.h"
#include "buffer_budget.h"

namespace eddy {

struct StreamLimits {
  std::size_t max_buffer_size = 100 << 20;        // bytes read ahead; more: StreamBufferFullError
  std::size_t max_write_buffer_size = 100 << 20;  // a write beyond it fails, nothing is queued
  std::size_t high_water_mark = 64 << 10;         // drain() is done at once below it
  std::size_t read_chunk_size = 64 << 10;         // bytes asked of the kernel at once
  // Above the high-water mark for longer, and the stream closes: WriteStalledError.
  Duration write_stall_timeout = Duration::max();
  // Counts the stream's buffers in a total shared with others; see buffer_budget.h.
  std::shared_ptr<BufferBudget> budget = nullptr;
};

// The limits of many streams alike, checked once: at least two chunks fit into the buffer.
using SharedLimits = std::shared_ptr<const StreamLimits>;
SharedLimits share(StreamLimits limits);
SharedLimits default_limits();

}  // namespace eddy
