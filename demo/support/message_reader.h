// MessageReader: a client's messages, which all end in the same bytes.
//
// Mirrors tornado.iostream.IOStream.read_until, for a server that may be asked to stop: what has
// reached the machine by then is still read, and nothing later.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <eddy/loop/list.h>
#include <eddy/stream/io_stream.h>

namespace demo {

class MessageReader : public eddy::ListNode {
 public:
  // `longest` counts a message's bytes, the delimiter among them. The stream must outlive this.
  MessageReader(eddy::IOStream& stream, std::string_view delimiter, std::size_t longest)
      : stream_(stream), delimiter_(delimiter), longest_(longest) {}

  // The next message, with its delimiter. Fails with UnsatisfiableReadError when it is too long,
  // and with StreamClosedError when no more will come.
  eddy::Future<std::string> next();
  bool ended_unfinished() const { return ended_unfinished_; }  // within a message, that is

  void drain();  // the server wants to stop: whole messages that have arrived are still given

  // All that was written leaves, however long that takes, and the stream is closed. What the client
  // still sends is read away for a second, so that it sees an end and no reset.
  eddy::Future<> end();

  const eddy::IOStream& stream() const { return stream_; }

 private:
  eddy::Future<std::string> last();

  eddy::IOStream& stream_;
  const std::string delimiter_;
  const std::size_t longest_;
  eddy::Future<std::string> reading_;
  std::size_t left_to_read_ = SIZE_MAX;  // bytes, until nothing more is wanted
  bool draining_ = false;
  bool ended_unfinished_ = false;
};

}  // namespace demo
