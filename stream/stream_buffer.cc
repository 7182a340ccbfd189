#include "stream_buffer.h"

#include <algorithm>
#include <cstring>

namespace eddy {

void StreamBuffer::append(std::string_view bytes) {
  if (bytes.empty()) return;
  std::memcpy(prepare(bytes.size()), bytes.data(), bytes.size());
  commit(bytes.size());
}

char* StreamBuffer::prepare(std::size_t room) {
  const std::size_t needed = size_ + room;
  if (head_ + needed <= capacity_) return data_ + head_ + size_;
  if (needed <= capacity_ && head_ >= size_) {  // as many have left as are moved, or more
    std::memmove(data_, data_ + head_, size_);
    head_ = 0;
  } else {
    move_to(Pool::rounded(std::max(needed, 2 * size_)));
  }
  return data_ + head_ + size_;
}

void StreamBuffer::clear() {
  if (data_) Pool::release(data_, capacity_);
  data_ = nullptr;
  head_ = size_ = capacity_ = 0;
}

void StreamBuffer::shrink_to_fit() {
  if (size_ == 0) return clear();
  const std::size_t fitting = Pool::rounded(size_);
  if (fitting <= capacity_ / 4) move_to(fitting);
}

void StreamBuffer::move_to(std::size_t capacity) {
  auto* fresh = static_cast<char*>(Pool::allocate(capacity));
  if (data_) {
    std::memcpy(fresh, data_ + head_, size_);
    Pool::release(data_, capacity_);
  }
  data_ = fresh;
  head_ = 0;
  capacity_ = capacity;
}

}  // namespace eddy
