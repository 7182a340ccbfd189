#include "buffer_budget.h"

#include <algorithm>
#include <string>

#include "../loop/log.h"
#include "base_io_stream.h"

namespace eddy {

void BufferBudget::update(BaseIOStream& stream, Share& share, std::size_t bytes) {
  if (share.bytes == 0 && bytes > 0) join(stream, share);
  if (share.bytes > 0 && bytes == 0) leave(share);
  total_ = total_ - share.bytes + bytes;
  share.bytes = bytes;
  while (total_ > limit_ && !holders_.empty()) evict_biggest();
}

void BufferBudget::join(BaseIOStream& stream, Share& share) {
  share.place = holders_.size();
  holders_.push_back({&stream, &share});
}

void BufferBudget::leave(Share& share) {
  holders_[share.place] = holders_.back();
  holders_[share.place].share->place = share.place;
  holders_.pop_back();
}

void BufferBudget::evict_biggest() {
  const Holder biggest = *std::max_element(
      holders_.begin(), holders_.end(),
      [](const Holder& a, const Holder& b) { return a.share->bytes < b.share->bytes; });
  ++evicted_;
  const std::string reason =
      "evicted: buffers together passed max_total_buffer_size = " + std::to_string(limit_);
  log::warning("stream ", reason, ", this one held ", biggest.share->bytes);
  biggest.stream->evict(std::make_exception_ptr(StreamBufferFullError(reason)));
}

}  // namespace eddy
