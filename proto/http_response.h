// HTTPResponse: what is answered, and its bytes.
//
// RFC 9110 and 9112. Mirrors what tornado.web.RequestHandler collects until finish(), and
// tornado.http1connection.HTTP1Connection.write_headers. Where the answer ends is ours to say: a
// Content-Length, Transfer-Encoding or Connection that an application sets is not sent.
#pragma once

#include <chrono>
#include <cstdint>
#include <ctime>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "../loop/future.h"
#include "http_body.h"
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

  // Or a body that is made while it is sent: called once the head is, not for a HEAD, and done when
  // all has been written. Of `stream_length` bytes; where that is not known, it may wait for
  // whatever it likes, and is cancelled when the client leaves. One that fails ends the connection,
  // so that nobody takes a part for the whole.
  std::function<Future<>(HTTPBodyWriter&)> stream{};
  std::optional<std::uint64_t> stream_length{};
};

// What depends on the request that is answered.
struct HTTPAnswerForm {
  bool without_body = false;  // it was a HEAD: the length is told, the body not sent
  bool keep_alive = true;
  int minor_version = 1;
};

bool has_body(const HTTPResponse& response, const HTTPAnswerForm& form);  // 204 and 304 have none
// A stream whose length nobody knows: HTTP/1.1 has chunks for it, in 1.0 the connection ends it.
bool is_chunked(const HTTPResponse& response, const HTTPAnswerForm& form);
bool ends_with_connection(const HTTPResponse& response, const HTTPAnswerForm& form);

// With Date, Content-Type, and what says where the body ends; of a stream, the head alone. Throws
// std::invalid_argument for a status or a reason that can't be.
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
