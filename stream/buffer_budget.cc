#include "buffer_budget.h"

#include <algorithm>
#include <string>

#include "../loop/log.h"
#include "base_io_stream.h"

namespace eddy {

void BufferBudget::join(BaseIOStream& stream, Share& share) {
  holders_.push_back({&stream, &share, 0});
  share.place = static_cast<std::uint32_t>(holders_.size() - 1);
}

void BufferBudget::leave(Share& share) {
  holders_[share.place] = holders_.back();
  holders_[share.place].share->place = share.place;
  holders_.pop_back();
  share.place = Share::kNone;
}

void BufferBudget::evict() {
  while (total_ > limit_ && !holders_.empty()) evict_biggest();
}

void BufferBudget::evict_biggest() {
  const Holder biggest =
      *std::max_element(holders_.begin(), holders_.end(),
                        [](const Holder& a, const Holder& b) { return a.bytes < b.bytes; });
  ++evicted_;
  const std::string reason =
      "evicted: buffers together passed max_total_buffer_size = " + std::to_string(limit_);
  log::warning("stream ", reason, ", this one held ", biggest.bytes);
  biggest.stream->evict(std::make_exception_ptr(StreamBufferFullError(reason)));
}

}  // namespace eddy
