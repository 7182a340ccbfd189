// HTTPResponse: what is answered, and its bytes.
//
// RFC 9110 and 9112. Mirrors what tornado.web.RequestHandler collects until finish(), and
// tornado.http1connection.HTTP1Connection.write_headers. Where the answer ends is ours to say: a
// Content-Length, Transfer-Encoding or Connection that an application sets is not sent.
#pragma once

#include <chrono>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

#include "http_headers.h"

namespace eddy {

struct CookieAttributes {
  std::string path = "/";
  std::string domain{};                           // empty: the host that sets it, alone
  std::optional<std::chrono::seconds> max_age{};  // none: until the browser ends; 0: gone
  bool secure = false;
  bool http_only = true;
  std::string same_site = "Lax";  // or "Strict", or "None"; empty: not said
};

struct HTTPResponse {
  HTTPResponse() = default;
  // Text in UTF-8, unless a Content-Type says otherwise.
  HTTPResponse(std::string text) : body(std::move(text)) {}  // NOLINT(google-explicit-constructor)
  HTTPResponse(const char* text) : body(text) {}             // NOLINT(google-explicit-constructor)
  HTTPResponse(int code, std::string text) : status(code), body(std::move(text)) {}

  // Throws std::invalid_argument when one of the texts can't stand in a cookie.
  void set_cookie(std::string_view name, std::string_view value,
                  const CookieAttributes& attributes = CookieAttributes());

  int status = 200;      // of three digits, from 200 on
  std::string reason{};  // empty: what RFC 9110 calls the status
  HTTPHeaders headers{};
  std::string body{};
};

// What depends on the request that is answered.
struct HTTPAnswerForm {
  bool without_body = false;  // it was a HEAD: the length is told, the body not sent
  bool keep_alive = true;
  int minor_version = 1;
};

// With Date, Content-Length where there may be one, and Content-Type. Throws std::invalid_argument
// for a status or a reason that can't be.
std::string format_response(const HTTPResponse& response, const HTTPAnswerForm& form,
                            std::string_view date);

std::string_view reason_of(int status);          // "Not Found"; of an unknown one, of its hundred
std::string format_http_date(std::time_t time);  // "Sun, 06 Nov 1994 08:49:37 GMT"

// The same, made once for each second.
class HTTPDate {
 public:
  std::string_view at(std::time_t now);  // valid until the next call

 private:
  std::time_t formatted_ = 0;
  std::string text_;
};

}  // namespace eddy
