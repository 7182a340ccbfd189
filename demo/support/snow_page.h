// snow_page: what snow shows to people, and the news that the page reads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include <eddy/loop/clock.h>
#include <eddy/loop/future.h>
#include <eddy/proto/http_response.h>

namespace demo {

struct ParkedRequest {
  std::string client;
  eddy::TimePoint since;
  eddy::Promise<eddy::HTTPResponse> answer{"another's /stop/"};
};
using ParkedRequests = std::map<std::uint64_t, ParkedRequest>;  // by number: the oldest first

inline constexpr std::size_t kMostShown = 100;  // the oldest of them; of the others, how many

eddy::HTTPResponse snow_page();  // HTML that needs nothing else

// JSON in one line. Where there are several workers, it says which this one is:
//   {"worker":null,"parked":1,"oldest":[{"number":1,"client":"127.0.0.1:40312","waited":1.5}]}
std::string snow_news(const ParkedRequests& parked, eddy::TimePoint now);

}  // namespace demo
