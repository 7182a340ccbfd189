#include "message_reader.h"

#include <algorithm>

#include <eddy/loop/await.h>
#include <eddy/stream/close_gracefully.h>

namespace demo {
namespace {

using eddy::Future;

}  // namespace

Future<std::string> MessageReader::next() {
  while (left_to_read_ > 0) {
    // What ends with the last byte that is left, or later, is last()'s affair.
    reading_ = stream_.read_until(delimiter_, std::min(longest_, left_to_read_ - 1),
                                  eddy::OnLimit::keep_open);
    try {
      co_await reading_;
      std::string message = std::move(reading_.result());
      reading_ = {};
      left_to_read_ -= message.size();
      co_return message;
    } catch (const eddy::CancelledError&) {  // by drain(): see what is left
    } catch (const eddy::UnsatisfiableReadError&) {
      if (left_to_read_ > longest_) throw;
      break;
    } catch (const eddy::StreamClosedError&) {
      ended_unfinished_ = stream_.read_buffer_size() > 0;
      throw;
    }
  }
  co_return co_await last();
}

// All that is left of what had arrived is one message, or the beginning of one.
Future<std::string> MessageReader::last() {
  std::string rest = co_await stream_.read_bytes(std::exchange(left_to_read_, 0));
  if (rest.ends_with(delimiter_)) co_return rest;
  ended_unfinished_ = !rest.empty();
  throw eddy::StreamClosedError();
}

void MessageReader::drain() {
  draining_ = true;
  left_to_read_ = std::min(left_to_read_, stream_.available() + taken_by(reading_));
  reading_.cancel();
}

Future<> MessageReader::end() {
  co_await stream_.shutdown_write();
  if (!draining_ || stream_.available() > 0) co_await close_gracefully(stream_);
  stream_.close();
}

}  // namespace demo
