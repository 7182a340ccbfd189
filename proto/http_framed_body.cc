#include "http_framed_body.h"

#include <array>
#include <charconv>
#include <stdexcept>
#include <string>

#include "../loop/await.h"

namespace eddy {

Future<> HTTPFramedBody::write(std::string_view piece) {
  if (!piece.empty()) {
    begin_piece(piece.size());
    put(piece);
    end_piece();
  }
  co_await stream_.drain();
}

Future<> HTTPFramedBody::send_file(int file, std::uint64_t offset, std::uint64_t count) {
  if (count == 0) co_return;  // as a chunk it would be the last
  begin_piece(count);
  co_await stream_.send_file(file, offset, count);
  end_piece();
}

void HTTPFramedBody::end() {
  if (in_piece_) throw std::logic_error("a piece of a body that was not sent to its end");
  if (length_ && size_ < *length_)
    throw std::length_error("a body of " + std::to_string(size_) + " bytes instead of " +
                            std::to_string(*length_));
  if (chunked_) put("0\r\n\r\n");
}

void HTTPFramedBody::begin_piece(std::uint64_t bytes) {
  if (in_piece_) throw std::logic_error("a piece of a body within another one");
  count(bytes);
  in_piece_ = true;
  if (!chunked_) return;
  std::array<char, 18> line{};  // sixteen digits
  char* end = std::to_chars(line.data(), line.data() + 16, bytes, 16).ptr;
  *end++ = '\r';
  *end++ = '\n';
  put({line.data(), static_cast<std::size_t>(end - line.data())});
}

void HTTPFramedBody::end_piece() {
  in_piece_ = false;
  if (chunked_) put("\r\n");
}

// What is written is not waited for, but what the stream does not take fails at once.
void HTTPFramedBody::put(std::string_view bytes) {
  const Future<> written = stream_.write(bytes);
  if (written.done()) written.result();
}

void HTTPFramedBody::count(std::uint64_t bytes) {
  if (length_ && bytes > *length_ - size_)
    throw std::length_error("a body of more than " + std::to_string(*length_) + " bytes");
  size_ += bytes;
}

}  // namespace eddy
