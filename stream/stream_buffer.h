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
  void move_to(std::size_t capacity);

  char* data_ = nullptr;
  std::size_t head_ = 0;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace eddy
