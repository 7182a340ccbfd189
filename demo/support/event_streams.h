// EventStreams: pages in browsers that are told what changes, as it changes.
//
// Server-sent events, as HTML describes them for EventSource. Nobody asks again and again: a page
// that is open costs a connection, and nothing else until something happens.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include <eddy/loop/clock.h>
#include <eddy/loop/future.h>
#include <eddy/loop/locks.h>
#include <eddy/proto/http_request.h>
#include <eddy/proto/http_response.h>

namespace demo {

inline constexpr std::size_t kMostEventStreams = 100;  // at once; one more: 503
inline constexpr eddy::Duration kEventPause = std::chrono::milliseconds(50);

class EventStreams {
 public:
  // `state` gives what is told, in one line: all of it each time, so that whoever was too slow for
  // some of it misses nothing.
  explicit EventStreams(std::function<std::string()> state) : state_(std::move(state)) {}

  static bool asked_for(const eddy::HTTPRequest& request);  // by its Accept
  // An answer that goes on: the state as it is, and as it becomes.
  eddy::HTTPResponse open(const eddy::HTTPRequest& request);

  // Each is told, the sooner the quicker it reads, but not more often than kEventPause.
  void changed();
  void end();  // all of them, and those to come

 private:
  eddy::Future<> tell(eddy::HTTPBodyWriter& out);

  const std::function<std::string()> state_;
  eddy::Condition news_;
  std::uint64_t version_ = 0;  // of the state
  std::size_t open_ = 0;
  bool over_ = false;
};

}  // namespace demo
