#include "stream_buffer.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace eddy {

void StreamBuffer::make_room(std::size_t room) {
  if (!block_) {
    block_ = make_block(room);
    return;
  }
  const std::size_t needed = block_->size + room;
  if (needed <= block_->capacity && block_->head >= block_->size) {
    // As many have left as are moved, or more.
    std::memmove(block_->bytes(), block_->bytes() + block_->head, block_->size);
    block_->head = 0;
  } else {
    move_to(make_block(std::max(needed, 2 * block_->size)));
  }
}

StreamBuffer::Block* StreamBuffer::make_block(std::size_t room) {
  const std::size_t size = Pool::rounded(sizeof(Block) + room);
  return ::new (Pool::allocate(size)) Block{size - sizeof(Block), 0, 0};
}

void StreamBuffer::move_to(Block* fresh) {
  std::memcpy(fresh->bytes(), block_->bytes() + block_->head, block_->size);
  fresh->size = block_->size;
  release(std::exchange(block_, fresh));
}

void StreamBuffer::shrink_block() {
  if (block_->size == 0) return clear();
  if (Pool::rounded(sizeof(Block) + block_->size) <= block_->capacity / 4)
    move_to(make_block(block_->size));
}

}  // namespace eddy
