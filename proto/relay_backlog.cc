#include "relay_backlog.h"

#include <algorithm>

namespace eddy {
namespace {

constexpr std::size_t kBlock = 15 << 10;  // bytes, about: as much as a viewer is sent at once

}  // namespace

RelayBacklog::RelayBacklog(std::size_t frame_size, std::size_t limit)
    : frame_size_(frame_size),
      block_size_(std::max(kBlock / frame_size, std::size_t{1}) * frame_size),
      limit_(limit) {}

void RelayBacklog::append(std::string_view frames) {
  const std::size_t most_left = std::max(limit_, frames.size());
  while (!frames.empty()) {
    if (room() == 0) blocks_.push_back(std::make_unique_for_overwrite<char[]>(block_size_));
    const std::string_view part = frames.substr(0, room());
    append_to_block(part);
    frames.remove_prefix(part.size());
    drop_from_front(most_left);
  }
}

std::size_t RelayBacklog::room() const {
  return static_cast<std::size_t>(first_ + memory() - end_);
}

void RelayBacklog::append_to_block(std::string_view frames) {
  frames.copy(blocks_.back().get() + (block_size_ - room()), frames.size());
  end_ += frames.size();
}

void RelayBacklog::drop_from_front(std::size_t most_left) {
  const std::size_t whole = most_left / frame_size_ * frame_size_;
  if (end_ - begin_ > whole) begin_ = end_ - whole;
  for (; begin_ - first_ >= block_size_; first_ += block_size_) blocks_.pop_front();
}

std::string_view RelayBacklog::at(std::uint64_t position) const {
  const auto offset = static_cast<std::size_t>(position - first_);
  const std::size_t in_block = offset % block_size_;
  const std::size_t size =
      std::min(block_size_ - in_block, static_cast<std::size_t>(end_ - position));
  return size == 0 ? std::string_view()
                   : std::string_view(blocks_[offset / block_size_].get() + in_block, size);
}

// The last block stays: for the frames that come next, and for whoever has just been given its end.
void RelayBacklog::clear() {
  if (blocks_.size() > 1) blocks_.erase(blocks_.begin(), blocks_.end() - 1);
  first_ = begin_ = end_;
}

void RelayBacklog::release() {
  blocks_.clear();
  first_ = begin_ = end_;
}

}  // namespace eddy
