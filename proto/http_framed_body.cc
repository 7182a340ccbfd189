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
  if (length_ && size_ < *length_)
    throw std::length_error("a body of " + std::to_string(size_) + " bytes instead of " +
                            std::to_string(*length_));
  if (chunked_) put("0\r\n\r\n");
}

void HTTPFramedBody::begin_piece(std::uint64_t bytes) {
  count(bytes);
  if (!chunked_) return;
  std::array<char, 18> line{};  // sixteen digits
  char* end = std::to_chars(line.data(), line.data() + 16, bytes, 16).ptr;
  *end++ = '\r';
  *end++ = '\n';
  put({line.data(), static_cast<std::size_t>(end - line.data())});
}

void HTTPFramedBody::end_piece() {
  if (chunked_) put("\r\n");
}

void HTTPFramedBody::count(std::uint64_t bytes) {
  if (length_ && bytes > *length_ - size_)
    throw std::length_error("a body of more than " + std::to_string(*length_) + " bytes");
  size_ += bytes;
}

}  // namespace eddy
