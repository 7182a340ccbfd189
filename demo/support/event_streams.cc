#include "event_streams.h"

#include <eddy/loop/await.h>
#include <eddy/loop/counted.h>
#include <eddy/loop/gen.h>
#include <eddy/loop/log.h>

namespace demo {

using eddy::Future;
using eddy::HTTPBodyWriter;
using eddy::HTTPRequest;
using eddy::HTTPResponse;

bool EventStreams::asked_for(const HTTPRequest& request) {
  return request.headers.get("Accept").find("text/event-stream") != std::string::npos;
}

HTTPResponse EventStreams::open(const HTTPRequest& request) {
  if (open_ >= kMostEventStreams) {
    eddy::log::info("refused, kMostEventStreams = ", kMostEventStreams, ": ",
                    request.client.to_string());
    return {503, "503 Service Unavailable"};
  }
  HTTPResponse response;
  response.headers.set("Content-Type", "text/event-stream");
  response.headers.set("Cache-Control", "no-store");
  response.headers.set("Vary", "Accept");
  response.stream = [this](HTTPBodyWriter& out) { return tell(out); };
  return response;
}

void EventStreams::changed() {
  ++version_;
  news_.notify_all();
}

void EventStreams::end() {
  over_ = true;
  news_.notify_all();
}

// What changes while a page reads, or in the pause, is told in one: the newest is all that counts.
Future<> EventStreams::tell(HTTPBodyWriter& out) {
  const eddy::Counted open(open_);
  while (!over_) {
    const std::uint64_t told = version_;
    const std::string event = "data: " + state_() + "\n\n";
    co_await out.write(event);
    co_await eddy::sleep(kEventPause);
    while (told == version_ && !over_) co_await news_.wait();
  }
}

}  // namespace demo
