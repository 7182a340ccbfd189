// HTTPFramedBody: the pieces of an answer's body, with what says where it ends.
//
// RFC 9112, section 6. Mirrors tornado.http1connection.HTTP1Connection.write, its
// _format_chunk and finish: in chunks, or of the length that was announced, no more and no less, or
// up to the connection's end.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "../stream/io_stream.h"
#include "http_body.h"

namespace eddy {

class HTTPFramedBody final : public HTTPBodyWriter {
 public:
  // The stream must stay.
  HTTPFramedBody(IOStream& stream, std::optional<std::uint64_t> length, bool chunked)
      : stream_(stream), length_(length), chunked_(chunked) {}

  Future<> write(std::string_view piece) override;
  Future<> send_file(int file, std::uint64_t offset, std::uint64_t count) override;
  void end();  // throws std::length_error when less has come than was announced

  std::uint64_t size() const { return size_; }  // so far, without the framing

 private:
  void count(std::uint64_t bytes);
  void begin_piece(std::uint64_t bytes);
  void end_piece();
  void put(std::string_view bytes);

  IOStream& stream_;
  const std::optional<std::uint64_t> length_;
  const bool chunked_;
  std::uint64_t size_ = 0;
  bool in_piece_ = false;  // has begun one, and not ended it
};

}  // namespace eddy
