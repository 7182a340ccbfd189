#include "http_response.h"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

namespace eddy {
namespace {

using Status = std::pair<int, std::string_view>;

constexpr std::array kReasons = {
    Status{200, "OK"},
    Status{201, "Created"},
    Status{202, "Accepted"},
    Status{204, "No Content"},
    Status{206, "Partial Content"},
    Status{301, "Moved Permanently"},
    Status{302, "Found"},
    Status{303, "See Other"},
    Status{304, "Not Modified"},
    Status{307, "Temporary Redirect"},
    Status{308, "Permanent Redirect"},
    Status{400, "Bad Request"},
    Status{401, "Unauthorized"},
    Status{403, "Forbidden"},
    Status{404, "Not Found"},
    Status{405, "Method Not Allowed"},
    Status{406, "Not Acceptable"},
    Status{408, "Request Timeout"},
    Status{409, "Conflict"},
    Status{410, "Gone"},
    Status{411, "Length Required"},
    Status{412, "Precondition Failed"},
    Status{413, "Content Too Large"},
    Status{414, "URI Too Long"},
    Status{415, "Unsupported Media Type"},
    Status{416, "Range Not Satisfiable"},
    Status{417, "Expectation Failed"},
    Status{422, "Unprocessable Content"},
    Status{429, "Too Many Requests"},
    Status{431, "Request Header Fields Too Large"},
    Status{500, "Internal Server Error"},
    Status{501, "Not Implemented"},
    Status{502, "Bad Gateway"},
    Status{503, "Service Unavailable"},
    Status{504, "Gateway Timeout"},
    Status{505, "HTTP Version Not Supported"},
};
constexpr std::array<std::string_view, 4> kHundreds = {"OK", "Multiple Choices", "Bad Request",
                                                       "Internal Server Error"};

bool may_have_body(int status) { return status != 204 && status != 304; }

bool is_unbounded(const HTTPResponse& response) {
  return response.stream && !response.stream_length && may_have_body(response.status);
}

bool is_framing(std::string_view name) {
  constexpr std::array<std::string_view, 5> kOurs = {"Content-Length", "Transfer-Encoding",
                                                     "Connection", "Keep-Alive", "Date"};
  return std::any_of(kOurs.begin(), kOurs.end(),
                     [&](std::string_view ours) { return is_same_ignoring_case(name, ours); });
}

void check(const HTTPResponse& response) {
  if (response.status < 200 || response.status > 599)
    throw std::invalid_argument("HTTPResponse: status " + std::to_string(response.status));
  const auto is_text = [](char c) { return c == '\t' || (c >= ' ' && c != 0x7f); };
  if (!std::all_of(response.reason.begin(), response.reason.end(), is_text))
    throw std::invalid_argument("HTTPResponse: a reason that is not ASCII text");
}

constexpr std::size_t kUsualHead = 256;  // bytes: one allocation for what has few fields

void add_field(std::string& head, std::string_view name, std::string_view value) {
  head.append(name).append(": ").append(value).append("\r\n");
}

std::string two_digits(int number) {
  return {static_cast<char>('0' + number / 10 % 10), static_cast<char>('0' + number % 10)};
}

bool is_cookie_text(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return c > ' ' && c < 0x7f && c != '"' && c != ',' && c != ';' && c != '\\';
  });
}

bool is_attribute_text(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c >= ' ' && c < 0x7f && c != ';'; });
}

}  // namespace

bool has_body(const HTTPResponse& response, const HTTPAnswerForm& form) {
  return may_have_body(response.status) && !form.without_body;
}

bool is_chunked(const HTTPResponse& response, const HTTPAnswerForm& form) {
  return is_unbounded(response) && form.minor_version > 0;
}

bool ends_with_connection(const HTTPResponse& response, const HTTPAnswerForm& form) {
  return is_unbounded(response) && form.minor_version == 0 && has_body(response, form);
}

std::string_view reason_of(int status) {
  const auto* const found = std::find_if(
      kReasons.begin(), kReasons.end(), [&](const Status& known) { return known.first == status; });
  if (found != kReasons.end()) return found->second;
  return kHundreds[static_cast<std::size_t>(std::clamp(status / 100, 2, 5) - 2)];
}

// RFC 9110, section 5.6.7; strftime() would ask the locale.
std::string format_http_date(std::time_t time) {
  constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm utc{};
  ::gmtime_r(&time, &utc);
  const int year = utc.tm_year + 1900;
  std::string date = kDays[static_cast<std::size_t>(utc.tm_wday)];
  date.append(", ").append(two_digits(utc.tm_mday)).append(" ");
  date.append(kMonths[static_cast<std::size_t>(utc.tm_mon)]).append(" ");
  date.append(two_digits(year / 100)).append(two_digits(year)).append(" ");
  date.append(two_digits(utc.tm_hour)).append(":").append(two_digits(utc.tm_min)).append(":");
  return date.append(two_digits(utc.tm_sec)).append(" GMT");
}

std::string_view HTTPDate::at(std::time_t now) {
  if (now != formatted_ || text_.empty()) text_ = format_http_date(now);
  formatted_ = now;
  return text_;
}

std::string format_response(const HTTPResponse& response, const HTTPAnswerForm& form,
                            std::string_view date) {
  check(response);
  const bool body_allowed = may_have_body(response.status);
  std::string bytes;
  bytes.reserve(kUsualHead + response.body.size());
  bytes.append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ");
  bytes.append(response.reason.empty() ? reason_of(response.status) : response.reason);
  bytes.append("\r\n");
  add_field(bytes, "Date", date);
  if (body_allowed) {
    if (is_chunked(response, form))
      add_field(bytes, "Transfer-Encoding", "chunked");
    else if (!response.stream || response.stream_length)
      add_field(bytes, "Content-Length",
                std::to_string(response.stream_length.value_or(response.body.size())));
    if (!response.headers.contains("Content-Type"))
      add_field(bytes, "Content-Type", "text/plain; charset=utf-8");
  }
  if (!form.keep_alive)
    add_field(bytes, "Connection", "close");
  else if (form.minor_version == 0)
    add_field(bytes, "Connection", "keep-alive");
  for (const auto& [name, value] : response.headers.fields())
    if (!is_framing(name)) add_field(bytes, name, value);
  bytes.append("\r\n");
  if (has_body(response, form) && !response.stream) bytes.append(response.body);
  return bytes;
}

void HTTPResponse::set_cookie(std::string_view name, std::string_view value,
                              const CookieAttributes& attributes) {
  const bool well = is_http_token(name) && is_cookie_text(value) &&
                    is_attribute_text(attributes.path) && is_attribute_text(attributes.domain) &&
                    is_attribute_text(attributes.same_site);
  if (!well) throw std::invalid_argument("HTTPResponse::set_cookie: what no cookie can hold");
  std::string cookie(name);
  cookie.append("=").append(value);
  if (!attributes.path.empty()) cookie.append("; Path=").append(attributes.path);
  if (!attributes.domain.empty()) cookie.append("; Domain=").append(attributes.domain);
  if (attributes.max_age)
    cookie.append("; Max-Age=").append(std::to_string(attributes.max_age->count()));
  if (attributes.secure) cookie.append("; Secure");
  if (attributes.http_only) cookie.append("; HttpOnly");
  if (!attributes.same_site.empty()) cookie.append("; SameSite=").append(attributes.same_site);
  headers.add("Set-Cookie", cookie);
}

}  // namespace eddy
