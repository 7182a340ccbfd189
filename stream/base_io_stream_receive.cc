// The stream's reading side: bytes from the kernel into the buffer.

#include <algorithm>
#include <cerrno>

#include "base_io_stream.h"

namespace eddy {

// Until the read is complete, the kernel has no more, or others must have their turn.
void BaseIOStream::read_from_kernel() {
  std::size_t taken = 0;
  do {
    const ssize_t count = read_chunk();
    if (closed_) break;
    if (count < 0) read_failed(static_cast<int>(-count));
    if (count == 0) reached_eof();
    if (count <= 0) break;
    taken += static_cast<std::size_t>(count);
  } while (!closed_ && reading() && !kernel_drained_ && taken < kBytesPerTurn);
  if (!closed_) read_buffer_.shrink_to_fit();
  if (reading()) want(kRead);
  report_buffered();
}

void BaseIOStream::take_in_what_came() {
  or_close([this] {
    read_the_rest();
    report_buffered();
  });
}

// All that the kernel holds, for nothing follows it, as far as the buffer goes: the last answer of
// read_chunk.
ssize_t BaseIOStream::read_the_rest() {
  ssize_t count = 1;
  while (count > 0 && !closed_ && (reading() || !read_buffer_full())) count = read_chunk();
  return count;
}

// One read of the descriptor: bytes taken, 0 at EOF, or an errno, negative. Closes over the limit.
ssize_t BaseIOStream::read_chunk() {
  ssize_t count = 0;
  if (ReadInto* into = read_into()) {
    const std::span<char> room = into->memory.subspan(into->filled);
    count = read_retrying(room.data(), room.size());
    if (count > 0) into->filled += static_cast<std::size_t>(count);
  } else if (const std::size_t most = room_to_read(); most > 0) {
    count = read_buffer_.append_from(  // Trail 4: the buffer keeps it
        most, [this](char* place, std::size_t room) { return read_retrying(place, room); });
  }
  if (count > 0) took_read_bytes();
  return count;
}

ssize_t BaseIOStream::read_retrying(char* place, std::size_t room) {
  ssize_t count = 0;
  do {
    count = read_from_fd(place, room);  // Trail 3: recv copies it
  } while (count < 0 && errno == EINTR);
  kernel_drained_ = count < static_cast<ssize_t>(room);
  if (count > 0) loop_.count_read(static_cast<std::size_t>(count));
  return count < 0 ? -errno : count;
}

bool BaseIOStream::read_buffer_full() const {
  return read_buffer_.size() > limits_->max_buffer_size;
}

// How much the buffer may take now; 0, and the stream closed, when it holds too much already. With
// just the limit in it, one more byte is asked for, since the peer's end may be what follows.
std::size_t BaseIOStream::room_to_read() {
  if (read_buffer_full()) {
    close_over_limit(std::make_exception_ptr(StreamBufferFullError(
        "read buffer full: max_buffer_size = " + std::to_string(limits_->max_buffer_size))));
    return 0;
  }
  return std::clamp<std::size_t>(limits_->max_buffer_size - read_buffer_.size(), 1,
                                 limits_->read_chunk_size);
}

void BaseIOStream::took_read_bytes() {
  satisfy_from_buffer(false);
  if (reading() && read_.kind == ReadCondition::Kind::regex && read_.regex->put_off())
    retry_regex_later();
}

void BaseIOStream::reached_eof() {
  eof_ = true;
  kernel_drained_ = true;
  if (registered_) {
    wanted_ &= static_cast<std::uint8_t>(~kRead);
    loop_.update_handler(fileno(), wanted_);
  }
  if (!satisfy_from_buffer(true)) finish_read_at_close();
  close_if_over();
}

void BaseIOStream::read_failed(int error_number) {
  if (error_number != EAGAIN) connection_failed(error_number, "read");
}

// Not anew with each byte that comes: a peer that sends without a pause would put it off for ever.
void BaseIOStream::retry_regex_later() {
  IOLoop::Timeout& timer = rare().regex_timer;
  if (timer.serial != 0) return;
  timer = loop_.call_later(read_.regex->retry_delay(), [this] {
    rare_->regex_timer = {};
    or_close([this] { satisfy_from_buffer(true); });
  });
}

}  // namespace eddy
