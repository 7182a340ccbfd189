#include "relay_peer.h"

#include <algorithm>
#include <utility>

#include "../loop/await.h"
#include "../stream/close_gracefully.h"
#include "relay_frame.h"

namespace eddy {

Future<std::string> RelayPeer::read(std::size_t count) {
  if (count > left_to_read_) throw CancelledError("the relay drains");
  wanted_ = count;
  reading_ = stream_->read_bytes(count);
  std::string bytes = std::exchange(co_await reading_, std::string());
  left_to_read_ -= bytes.size();
  co_return bytes;
}

Future<std::string> RelayPeer::read_string(std::string_view what) {
  const std::size_t length = parse_relay_length(co_await read(kRelayLengthSize));
  const std::string problem = relay_length_problem(what, length);
  if (!problem.empty()) throw RelayError(problem);
  co_return co_await read(length);
}

Future<std::string> RelayPeer::read_frames(std::size_t frame_size) {
  std::string frames = co_await read(frame_size);
  const std::size_t more = std::min(stream_->read_buffer_size(), left_to_read_);
  if (more >= frame_size) frames += co_await read(more - more % frame_size);
  co_return frames;
}

void RelayPeer::send(std::string_view bytes) {
  if (!stream_->closed()) static_cast<void>(stream_->write(bytes));
}

void RelayPeer::drain() {
  left_to_read_ = stream_->available() + taken_by(reading_);
  if (wanted_ > left_to_read_) reading_.cancel();
}

}  // namespace eddy
