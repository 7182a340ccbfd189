// RelayBacklog: the latest frames of one device, held once for all who have not taken them yet.
//
// Tornado keeps a copy in the write buffer of each connection. Here everybody has a position in one
// row instead, and who falls too far behind finds that the row begins later: whole frames are lost,
// the oldest first. Positions count the device's bytes and always stand between two frames.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string_view>

namespace eddy {

class RelayBacklog {
 public:
  RelayBacklog(std::size_t frame_size, std::size_t limit);

  // Whole frames. What is then beyond the limit is dropped from the front; never of these.
  void append(std::string_view frames);
  // Some of what begins at the position, which lies within; in one piece, and valid until
  // append. Empty at the end.
  std::string_view at(std::uint64_t position) const;
  void clear();                                 // everybody has taken everything
  void release();                               // and nobody is left to look at it
  void drop_from_front(std::size_t most_left);  // whole frames, all but so many bytes

  std::uint64_t begin() const { return begin_; }
  std::uint64_t end() const { return end_; }
  std::size_t frame_size() const { return frame_size_; }
  std::size_t memory() const { return blocks_.size() * block_size_; }

 private:
  std::size_t room() const;  // in the last block
  void append_to_block(std::string_view frames);

  const std::size_t frame_size_;
  const std::size_t block_size_;  // whole frames, of which each block holds as many
  const std::size_t limit_;       // bytes
  std::deque<std::unique_ptr<char[]>> blocks_;
  std::uint64_t first_ = 0;  // where the first block begins
  std::uint64_t begin_ = 0;
  std::uint64_t end_ = 0;
};

}  // namespace eddy
