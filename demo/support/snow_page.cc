#include "snow_page.h"

#include <chrono>
#include <limits>

#include <eddy/loop/text.h>
#include <eddy/server/process.h>

#include "snow_page_html.h"

namespace demo {
namespace {

// Its style and its script stand in the page. Nothing is loaded, and only this server is asked.
constexpr const char* kPolicy =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

// A Unix client's name may hold any bytes: what is left of them is UTF-8 without control
// characters.
std::string quoted(const std::string& name) {
  std::string json = "\"";
  for (const char c : eddy::printable(name, std::numeric_limits<std::size_t>::max())) {
    if (c == '"' || c == '\\') json += '\\';
    json += c;
  }
  return json + '"';
}

std::string seconds(eddy::Duration time) {
  return std::to_string(std::chrono::duration<double>(time).count());
}

std::string worker() {
  const auto id = eddy::task_id();
  return id ? std::to_string(*id) : "null";
}

}  // namespace

eddy::HTTPResponse snow_page() {
  eddy::HTTPResponse response(kSnowPageHTML);
  response.headers.set("Content-Type", "text/html; charset=utf-8");
  response.headers.set("Cache-Control", "no-store");
  response.headers.set("Content-Security-Policy", kPolicy);
  response.headers.set("X-Content-Type-Options", "nosniff");
  response.headers.set("Vary", "Accept");
  return response;
}

std::string snow_news(const ParkedRequests& parked, eddy::TimePoint now) {
  std::string oldest;
  std::size_t shown = 0;
  for (const auto& [number, request] : parked) {
    if (shown++ == kMostShown) break;
    oldest += oldest.empty() ? "" : ",";
    oldest += "{\"number\":" + std::to_string(number) + ",\"client\":" + quoted(request.client) +
              ",\"waited\":" + seconds(now - request.since) + '}';
  }
  return "{\"worker\":" + worker() + ",\"parked\":" + std::to_string(parked.size()) +
         ",\"oldest\":[" + oldest + "]}";
}

}  // namespace demo
