// HTTPRoutes: which handler answers which request.
//
// An ordered list, as tornado.web.Application's handlers and tornado.routing.RuleRouter: the first
// whose pattern is the whole path answers, and what its groups captured becomes the handler's
// arguments, decoded.
//
//   HTTPRoutes routes;
//   routes.get("/index/", [](const HTTPRequest&) { return HTTPResponse("OK"); });
//   routes.get("/users/([0-9]+)", [](const HTTPRequest&, const std::string& id) { ... });
//
// A handler is plain code, or a coroutine, or gives a Future that somebody else fulfils later: a
// pending answer. It ends when nobody holds that Future.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "../loop/future.h"
#include "http_body.h"
#include "http_request.h"
#include "http_response.h"

namespace eddy {

class HTTPRoutes {
 public:
  using Captures = std::vector<std::string>;
  using Handler =
      std::function<Future<HTTPResponse>(const HTTPRequest&, HTTPBodyReader&, const Captures&)>;

  HTTPRoutes();
  ~HTTPRoutes();
  HTTPRoutes(const HTTPRoutes&) = delete;
  HTTPRoutes& operator=(const HTTPRoutes&) = delete;

  // The handler takes a `const HTTPRequest&`, which stays until its answer is done; perhaps an
  // `HTTPBodyReader&`, and is then called before the body has come; and a `const std::string&` for
  // each group of the pattern (RE2's syntax). It gives an HTTPResponse or a Future of one. Throws
  // std::invalid_argument for a pattern that RE2 does not take, or whose groups are not as many.
  template <class F>
  void add(const std::string& method, const std::string& pattern, F handler) {
    add_any(method, pattern, adapt(std::function(std::move(handler))));
  }
  template <class F>
  void get(const std::string& pattern, F handler) {  // and HEAD
    add("GET", pattern, std::move(handler));
  }
  template <class F>
  void post(const std::string& pattern, F handler) {
    add("POST", pattern, std::move(handler));
  }

  // For whoever watches over the daemon: 200 `ok` while `is_well` says so, else 503 `not ok`. As a
  // request like any other, it also tells whether the loop keeps up.
  void add_health(
      const std::string& pattern, std::function<bool()> is_well = [] { return true; });

  // 404 when no pattern fits, 405 with Allow when it fits for other methods alone, all methods to
  // `OPTIONS *`, 501 for a method that HTTP does not know and no route has, 400 for a capture that
  // does not decode; 500, and a line in the log, when the handler fails. The request must stay
  // until the Future is done.
  Future<HTTPResponse> handle(const HTTPRequest& request, HTTPBodyReader& body) const;

  bool streams(const HTTPRequest& request) const;  // its handler reads the body itself

 private:
  struct Adapted {
    Handler handler;
    std::size_t groups = 0;
    bool streams = false;
  };
  class Route;

  template <class R, class... Arguments>
  static Adapted adapt(std::function<R(const HTTPRequest&, Arguments...)> handler) {
    static_assert((std::is_same_v<std::decay_t<Arguments>, std::string> && ...),
                  "what a group captures is a std::string");
    return {[handler = std::move(handler)](const HTTPRequest& request, HTTPBodyReader&,
                                           const Captures& captures) {
              return call(handler, captures, std::index_sequence_for<Arguments...>(), request);
            },
            sizeof...(Arguments)};
  }
  template <class R, class... Arguments>
  static Adapted adapt(
      std::function<R(const HTTPRequest&, HTTPBodyReader&, Arguments...)> handler) {
    static_assert((std::is_same_v<std::decay_t<Arguments>, std::string> && ...),
                  "what a group captures is a std::string");
    return {[handler = std::move(handler)](const HTTPRequest& request, HTTPBodyReader& body,
                                           const Captures& captures) {
              return call(handler, captures, std::index_sequence_for<Arguments...>(), request,
                          body);
            },
            sizeof...(Arguments), true};
  }
  template <class F, std::size_t... kAt, class... First>
  static Future<HTTPResponse> call(const F& handler, [[maybe_unused]] const Captures& captures,
                                   std::index_sequence<kAt...>, First&... first) {
    using Given = decltype(handler(first..., captures[kAt]...));
    if constexpr (std::is_same_v<Given, Future<HTTPResponse>>)
      return handler(first..., captures[kAt]...);
    else
      return make_ready_future(HTTPResponse(handler(first..., captures[kAt]...)));
  }
  void add_any(const std::string& method, const std::string& pattern, Adapted adapted);
  std::string methods_of(std::string_view path) const;
  bool knows(std::string_view method) const;
  const Route* find(const HTTPRequest& request) const;
  static Future<HTTPResponse> answer(const Route& route, const HTTPRequest& request,
                                     HTTPBodyReader& body);
  static Future<HTTPResponse> see_it_answered(Future<HTTPResponse> answer,
                                              const HTTPRequest& request, Captures captures);

  std::vector<std::unique_ptr<Route>> routes_;
  bool any_streams_ = false;
};

// What "%41b" stands for; nothing when a % is not followed by two hexadecimal digits, or when it
// stands for a NUL or is no UTF-8.
std::optional<std::string> decode_percent(std::string_view text);

}  // namespace eddy
