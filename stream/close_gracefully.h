// close_gracefully: an end that destroys nothing on its way to the peer.
//
// Tornado's close() drops what is unsent, and what the peer has sent unread makes the kernel answer
// with a reset, which may overtake our last bytes. Here all is sent, then our side ends, and what
// the peer still sends is read away until it ends too, at most for `patience`; then the stream is
// closed.
#pragma once

#include "base_io_stream.h"

namespace eddy {

// The stream must stay until the Future is done, which it is without a failure.
Future<> close_gracefully(BaseIOStream& stream, Duration patience);

}  // namespace eddy
