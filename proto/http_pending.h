// HTTPPending and answer_after: answers that come later, a line each.
//
//   HTTPPending<std::string> waiting;
//   routes.get("/req/", [&](const HTTPRequest& request) { return waiting.park(request); });
//   routes.get("/stop/", [&](const HTTPRequest&) { return waiting.release("done") ? ... });
//   routes.get("/async/", [](const HTTPRequest&) { return answer_after(5s, {504, "timeout"}); });
//
// What waits costs no turn of the loop. Who leaves meanwhile is forgotten, also by others who wait
// behind him. Mirrors tornado.web.asynchronous, whose handlers finish() later. Belongs to the
// thread of its loop.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <utility>

#include "../loop/await.h"
#include "../loop/gen.h"
#include "../loop/list.h"
#include "http_request.h"
#include "http_response.h"

namespace eddy {

template <class T>
class HTTPPending {
 public:
  using Callback = std::function<HTTPResponse(const HTTPRequest& parked, const T& value)>;

  // Waits for a value and answers with it, or with what `callback` makes of it: it is given the
  // request that was parked, and not the one that brings the value.
  Future<HTTPResponse> park(const HTTPRequest& request, Callback callback = as_it_is) {
    Place place;
    waiting_.push_back(place);
    const T value = co_await place.value.future();
    co_return callback(request, value);
  }

  bool release(const T& value) {  // the one that has waited longest; false: nobody waits
    if (waiting_.empty()) return false;
    waiting_.pop_front().value.set_result(value);
    return true;
  }
  std::size_t release_all(const T& value) {  // gives how many they were
    std::size_t released = 0;
    while (release(value)) ++released;
    return released;
  }

 private:
  struct Place : ListNode {  // in the frame of who waits, and gone with it
    Promise<T> value{"a release"};
  };
  static HTTPResponse as_it_is(const HTTPRequest&, const T& value) { return HTTPResponse(value); }

  List<Place> waiting_;
};

inline Future<HTTPResponse> answer_after(Duration delay, HTTPResponse answer) {
  co_await sleep_for(delay, Location::current());
  co_return std::move(answer);
}

}  // namespace eddy
