#include "http_routes.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>

#include "../loop/await.h"
#include "../loop/log.h"

namespace eddy {
namespace {

constexpr std::array<std::string_view, 9> kMethods = {
    "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT"};

constexpr std::string_view kServer = "*";  // the target of OPTIONS that asks for no path's methods

std::size_t length_of_sequence(unsigned char first) {
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return 2;
  if (first >= 0xe0 && first <= 0xef) return 3;
  return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

bool is_utf8(std::string_view text) {
  const auto at = [&](std::size_t place) { return static_cast<unsigned char>(text[place]); };
  for (std::size_t place = 0; place < text.size();) {
    const std::size_t length = length_of_sequence(at(place));
    if (length == 0 || place + length > text.size()) return false;
    for (std::size_t next = place + 1; next < place + length; ++next)
      if ((at(next) & 0xc0) != 0x80) return false;
    // Longer than needed, half of a pair, or beyond what there is.
    if (length > 2) {
      const unsigned second = at(place + 1);
      if ((at(place) == 0xe0 && second < 0xa0) || (at(place) == 0xed && second > 0x9f))
        return false;
      if ((at(place) == 0xf0 && second < 0x90) || (at(place) == 0xf4 && second > 0x8f))
        return false;
    }
    place += length;
  }
  return true;
}

// RE2 matches bytes: a path is what the client sent, whatever that is.
RE2::Options options() {
  RE2::Options made(RE2::Latin1);
  made.set_log_errors(false);
  return made;
}

bool is_literal(const std::string& pattern) {
  return pattern.find_first_of("\\^$.|?*+()[]{}") == pattern.npos;
}

HTTPResponse failed(const HTTPRequest& request) {
  log::error("Exception in the handler of ", request.method, " ", request.path(), ": ",
             std::current_exception());
  return {500, "500 Internal Server Error"};
}

}  // namespace

std::optional<std::string> decode_percent(std::string_view text) {
  std::string decoded;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      decoded += text[at];
      continue;
    }
    unsigned byte = 0;
    const std::string_view digits = text.substr(at + 1, 2);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (error != std::errc() || digits.size() != 2 || end != digits.data() + 2) return {};
    decoded += static_cast<char>(byte);
    at += 2;
  }
  if (decoded.find('\0') != decoded.npos || !is_utf8(decoded)) return {};
  return decoded;
}

class HTTPRoutes::Route {
 public:
  Route(std::string method, const std::string& pattern, Adapted adapted)
      : method_(std::move(method)),
        literal_(is_literal(pattern) ? pattern : ""),
        pattern_(pattern, options()),
        adapted_(std::move(adapted)) {
    if (!pattern_.ok())
      throw std::invalid_argument("HTTPRoutes: " + pattern + ": " + pattern_.error());
    if (groups() != adapted_.groups)
      throw std::invalid_argument("HTTPRoutes: " + pattern + ": " + std::to_string(groups()) +
                                  " groups for " + std::to_string(adapted_.groups) + " arguments");
  }

  const std::string& method() const { return method_; }
  const Handler& handler() const { return adapted_.handler; }
  bool streams() const { return adapted_.streams; }
  bool fits(std::string_view path) const {
    if (!literal_.empty()) return path == literal_;
    return RE2::FullMatch(re2::StringPiece(path.data(), path.size()), pattern_);
  }
  bool answers(std::string_view method) const {
    return method == method_ || (method == "HEAD" && method_ == "GET");
  }

  std::optional<Captures> captures_of(std::string_view path) const {  // none: one does not decode
    if (groups() == 0) return Captures();
    std::vector<re2::StringPiece> found(groups() + 1);
    pattern_.Match(re2::StringPiece(path.data(), path.size()), 0, path.size(), RE2::ANCHOR_BOTH,
                   found.data(), static_cast<int>(found.size()));
    Captures captures;
    for (std::size_t group = 1; group < found.size(); ++group) {
      auto decoded = decode_percent({found[group].data(), found[group].size()});
      if (!decoded) return {};
      captures.push_back(*std::move(decoded));
    }
    return captures;
  }

 private:
  std::size_t groups() const {
    return static_cast<std::size_t>(pattern_.NumberOfCapturingGroups());
  }

  const std::string method_;
  const std::string literal_;  // what the pattern matches alone; empty: more than one thing
  const RE2 pattern_;
  const Adapted adapted_;
};

HTTPRoutes::HTTPRoutes() = default;

HTTPRoutes::~HTTPRoutes() = default;

void HTTPRoutes::add_any(const std::string& method, const std::string& pattern, Adapted adapted) {
  if (!is_http_token(method)) throw std::invalid_argument("HTTPRoutes: not a method: " + method);
  routes_.push_back(std::make_unique<Route>(method, pattern, std::move(adapted)));
  any_streams_ = any_streams_ || routes_.back()->streams();
}

void HTTPRoutes::add_health(const std::string& pattern, std::function<bool()> is_well) {
  get(pattern, [is_well = std::move(is_well)](const HTTPRequest&) {
    HTTPResponse response = is_well() ? HTTPResponse("ok") : HTTPResponse(503, "not ok");
    response.headers.set("Cache-Control", "no-store");
    return response;
  });
}

const HTTPRoutes::Route* HTTPRoutes::find(const HTTPRequest& request) const {
  const std::string_view path = request.path();
  for (const auto& route : routes_)
    if (route->answers(request.method) && route->fits(path)) return route.get();
  return nullptr;
}

bool HTTPRoutes::streams(const HTTPRequest& request) const {
  if (!any_streams_) return false;
  const Route* const route = find(request);
  return route && route->streams();
}

Future<HTTPResponse> HTTPRoutes::handle(const HTTPRequest& request, HTTPBodyReader& body) const {
  if (const Route* const route = find(request)) return answer(*route, request, body);
  if (!knows(request.method)) return make_ready_future(HTTPResponse(501, "501 Not Implemented"));
  const std::string others = methods_of(request.path());
  if (others.empty()) return make_ready_future(HTTPResponse(404, "404 Not Found"));
  HTTPResponse allowing =
      request.target == kServer ? HTTPResponse() : HTTPResponse(405, "405 Method Not Allowed");
  allowing.headers.set("Allow", others);
  return make_ready_future(std::move(allowing));
}

Future<HTTPResponse> HTTPRoutes::answer(const Route& route, const HTTPRequest& request,
                                        HTTPBodyReader& body) {
  std::optional<Captures> captures = route.captures_of(request.path());
  if (!captures) return make_ready_future(HTTPResponse(400, "400 Bad Request"));
  try {
    Future<HTTPResponse> answered = route.handler()(request, body, *captures);
    if (answered.done() && !answered.exception()) return answered;
    return see_it_answered(std::move(answered), request, *std::move(captures));
  } catch (...) {
    return make_ready_future(failed(request));
  }
}

// A handler that waits may look at its arguments for so long.
Future<HTTPResponse> HTTPRoutes::see_it_answered(Future<HTTPResponse> answer,
                                                 const HTTPRequest& request, Captures) {
  try {
    co_return co_await std::move(answer);
  } catch (const CancelledError&) {
    throw;
  } catch (...) {
    co_return failed(request);
  }
}

std::string HTTPRoutes::methods_of(std::string_view path) const {
  std::vector<std::string> methods;
  const auto add = [&](const std::string& method) {
    if (std::find(methods.begin(), methods.end(), method) == methods.end())
      methods.push_back(method);
  };
  for (const auto& route : routes_)
    if (path == kServer || route->fits(path)) {
      add(route->method());
      if (route->method() == "GET") add("HEAD");
    }
  std::string list;
  for (const std::string& method : methods) list.append(list.empty() ? "" : ", ").append(method);
  return list;
}

bool HTTPRoutes::knows(std::string_view method) const {
  return std::find(kMethods.begin(), kMethods.end(), method) != kMethods.end() ||
         std::any_of(routes_.begin(), routes_.end(),
                     [&](const auto& route) { return route->method() == method; });
}

}  // namespace eddy
