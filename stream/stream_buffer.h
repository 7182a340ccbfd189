// StreamBuffer: bytes in a row, added at the back, taken from the front.
//
// Mirrors tornado.iostream._StreamBuffer and the _read_buffer of BaseIOStream. Its memory comes
// from the thread's pool and goes back there when the buffer is empty: an idle connection holds
// none.
#pragma once

#include <cstddef>
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

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  std::string_view view() const { return {data_ + head_, size_}; }

  void append(std::string_view bytes);
  // Adds what `read(place, room)` puts at `place`. Its answer is passed on: a count, 0 or less.
  template <class F>
  std::ptrdiff_t append_from(std::size_t room, F read);
  char* prepare(std::size_t room);  // where `room` bytes can be written, to be committed next
  void commit(std::size_t written) { size_ += written; }
  void consume(std::size_t bytes) {
    head_ += bytes;
    size_ -= bytes;
    if (size_ == 0) clear();
  }
  void clear();
  void shrink_to_fit();  // gives back a block that is mostly empty

 private:
  class Aside;
  void move_to(std::size_t capacity);

  char* data_ = nullptr;
  std::size_t head_ = 0;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
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
  if (size_ == 0 || size_ >= room) {
    const std::ptrdiff_t count = read(prepare(room), room);
    if (count > 0) commit(static_cast<std::size_t>(count));
    if (size_ == 0) clear();
    return count;
  }
  // A few bytes behind a few others: a line that dribbles in is not to be moved with each of them.
  const Aside aside(room);
  const std::ptrdiff_t count = read(aside.data(), room);
  if (count > 0) append({aside.data(), static_cast<std::size_t>(count)});
  return count;
}

}  // namespace eddy
