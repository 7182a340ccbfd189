// BufferBudget: a bound on what the buffers of many streams hold together.
//
// Tornado bounds each connection but not their sum; this mirrors Redis's eviction of clients. When
// the total passes the limit, the stream that holds most is closed, its buffers are freed, and its
// error says so.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace eddy {

class BaseIOStream;

class BufferBudget {
 public:
  explicit BufferBudget(std::size_t limit) : limit_(limit) {}
  BufferBudget(const BufferBudget&) = delete;
  BufferBudget& operator=(const BufferBudget&) = delete;

  std::size_t limit() const { return limit_; }
  std::size_t total() const { return total_; }
  std::size_t evicted() const { return evicted_; }  // streams closed for it so far
  std::size_t stalled() const { return stalled_; }  // streams closed for write_stall_timeout

  // For the streams: they join with their first buffered byte and leave with the last.
  struct Share {
    static constexpr std::uint32_t kNone = UINT32_MAX;
    std::uint32_t place = kNone;  // among holders_
  };
  void update(BaseIOStream& stream, Share& share, std::size_t bytes) {
    if (share.place == Share::kNone) {
      if (bytes == 0) return;
      join(stream, share);
    }
    std::size_t& held = holders_[share.place].bytes;
    total_ = total_ - held + bytes;
    held = bytes;
    if (bytes == 0) leave(share);
    if (total_ > limit_) evict();
  }
  void count_stalled() { ++stalled_; }

 private:
  struct Holder {
    BaseIOStream* stream;
    Share* share;
    std::size_t bytes;
  };
  void join(BaseIOStream& stream, Share& share);
  void leave(Share& share);
  void evict();  // until the rest is within the limit
  void evict_biggest();

  const std::size_t limit_;
  std::size_t total_ = 0;
  std::size_t evicted_ = 0;
  std::size_t stalled_ = 0;
  std::vector<Holder> holders_;
};

}  // namespace eddy
