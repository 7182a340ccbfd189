// RelayPeer: one connection of a relay, while it shakes hands or feeds a device.
//
// The stream, with what both kinds of client have in common: strings with a length before them,
// acknowledgements, and the rule of a drain, that what has reached the machine is still read and
// nothing after it.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "../loop/list.h"
#include "../stream/io_stream.h"

namespace eddy {

class RelayPeer : public ListNode {
 public:
  RelayPeer(std::unique_ptr<IOStream> stream, std::string name)
      : stream_(std::move(stream)), name_(std::move(name)) {}

  IOStream& stream() { return *stream_; }
  const std::string& name() const { return name_; }  // its address

  // All fail with StreamClosedError when the peer leaves, and with CancelledError when the relay
  // drains and so much has not arrived.
  Future<std::string> read(std::size_t count);
  // `what` names it in the RelayError of one that is empty, or longer than a string may be.
  Future<std::string> read_string(std::string_view what);
  // One frame, and what else of whole ones has arrived with it.
  Future<std::string> read_frames(std::size_t frame_size);

  void acknowledge(char answer) { send(std::string_view(&answer, 1)); }
  void send(std::string_view bytes);

  void drain();  // what has arrived may still be read

 private:
  const std::unique_ptr<IOStream> stream_;
  const std::string name_;
  Future<std::string> reading_;
  std::size_t wanted_ = 0;               // by that read
  std::size_t left_to_read_ = SIZE_MAX;  // bytes, until nothing more is wanted
};

}  // namespace eddy
