// StreamBuffer: bytes in a row, added at the back, taken from the front.
//
// Mirrors tornado.iostream._StreamBuffer and the _read_buffer of BaseIOStream. It is one pointer to
// a block of the thread's pool, and the block goes back there when the buffer is empty: an idle
// connection holds none.
#pragma once

#include <cstddef>
#include <cstring>
#include <string_view>
#include <utility>

#include "../loop/pool.h"

namespace eddy {

class StreamBuffer {
 public:
  StreamBuffer() = default;
  StreamBuffer(const StreamBuffer&) = delete;
  StreamBuffer& operator=(const StreamBuffer&) = delete;
  ~StreamBuffer() { clear(); }

  std::size_t size() const { return block_ ? block_->size : 0; }
  bool empty() const { return size() == 0; }
  std::string_view view() const {
    return block_ ? std::string_view(block_->bytes() + block_->head, block_->size)
                  : std::string_view();
  }

  void append(std::string_view bytes) {
    if (bytes.empty()) return;
    std::memcpy(prepare(bytes.size()), bytes.data(), bytes.size());
    commit(bytes.size());
  }
  // Adds what `read(place, room)` puts at `place`. Its answer is passed on: a count, 0 or less.
  template <class F>
  std::ptrdiff_t append_from(std::size_t room, F read);
  char* prepare(std::size_t room) {  // where `room` bytes can be written, to be committed next
    if (!block_ || block_->head + block_->size + room > block_->capacity) make_room(room);
    return block_->bytes() + block_->head + block_->size;
  }
  void commit(std::size_t written) { block_->size += written; }
  void consume(std::size_t bytes) {  // no more than there are
    if (!block_) return;
    block_->head += bytes;
    block_->size -= bytes;
    if (block_->size == 0) clear();
  }
  void clear() {
    if (block_) release(std::exchange(block_, nullptr));
  }
  void shrink_to_fit() {  // gives back a block that is mostly empty
    if (block_) shrink_block();
  }

 private:
  struct Block {  // stands before its bytes
    std::size_t capacity;
    std::size_t head;  // where the first byte is
    std::size_t size;
    char* bytes() { return reinterpret_cast<char*>(this + 1); }
  };
  class Aside;
  static Block* make_block(std::size_t room);
  static void release(Block* block) { Pool::release(block, sizeof(Block) + block->capacity); }
  void make_room(std::size_t room);
  void move_to(Block* fresh);
  void shrink_block();

  Block* block_ = nullptr;
};

class StreamBuffer::Aside {
 public:
  explicit Aside(std::size_t size) : size_(size), data_(static_cast<char*>(Pool::allocate(size))) {}
  ~Aside() { Pool::release(data_, size_); }
  Aside(const Aside&) = delete;
  Aside& operator=(const Aside&) = delete;
  char* data() const { return data_; }

 private:
  const std::size_t size_;
  char* const data_;
};

template <class F>
std::ptrdiff_t StreamBuffer::append_from(std::size_t room, F read) {
  const std::size_t held = size();
  if (held == 0 || held >= room) {
    const std::ptrdiff_t count = read(prepare(room), room);
    if (count > 0)
      commit(static_cast<std::size_t>(count));
    else if (held == 0)
      clear();
    return count;
  }
  // A few bytes behind a few others: a line that dribbles in is not to be moved with each of them.
  const Aside aside(room);
  const std::ptrdiff_t count = read(aside.data(), room);
  if (count > 0) append({aside.data(), static_cast<std::size_t>(count)});
  return count;
}

}  // namespace eddy
