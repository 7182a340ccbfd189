// close_gracefully: an end that destroys nothing on its way to the peer.
//
// Tornado's close() drops what is unsent, and what the peer has sent unread makes the kernel answer
// with a reset, which may overtake our last bytes. Here all is sent, then our side ends, and what
// the peer still sends is read away until it ends too, at most for `patience`; then the stream is
// closed.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "base_io_stream.h"

namespace eddy {

// How long what a peer still sends is read away, so that it sees an end and no reset.
inline constexpr Duration kReadAway = std::chrono::seconds(1);

// The stream must stay until the Future is done, which it is without a failure.
Future<> close_gracefully(BaseIOStream& stream, Duration patience = kReadAway);

// Bytes that a read, the stream's last, has taken and nobody has looked at: with the stream's
// available(), what has arrived and should be served before the end.
inline std::size_t taken_by(const Future<std::string>& read) {
  return read.done() && !read.exception() ? read.result().size() : 0;
}

}  // namespace eddy
