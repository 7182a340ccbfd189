#include "http_framing.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <vector>

#include "http_characters.h"
#include "http_target.h"

namespace eddy {
namespace {

using Refused = std::optional<HTTPRefusal>;

// Of a list of words, in one field or several; empty ones mean nothing.
std::vector<std::string_view> words_of(const HTTPRequest& request, std::string_view name) {
  std::vector<std::string_view> words;
  for (std::string_view list : request.headers.get_list(name))
    while (!list.empty()) {
      const std::string_view word = take_part(list, ',');
      if (!word.empty()) words.push_back(word);
    }
  return words;
}

Refused check_host(const HTTPRequest& request) {
  const std::size_t hosts = request.headers.count("Host");
  if (hosts == 0 && request.minor_version >= 1) return HTTPRefusal{400, "no Host"};
  if (hosts > 1) return HTTPRefusal{400, "more than one Host"};
  if (hosts > 0 && !is_http_host(request.headers.first("Host")))
    return HTTPRefusal{400, "a malformed Host"};
  return {};
}

Refused check_target(const HTTPRequest& request) {
  if (!is_http_target(request)) return HTTPRefusal{400, "a malformed request target"};
  return {};
}

Refused check_method(const HTTPRequest& request) {  // what follows it would not be HTTP
  if (request.method == "CONNECT") return HTTPRefusal{501, "CONNECT, which is for proxies"};
  return {};
}

// RFC 9112, 6.3: without `chunked` as the last of them, nobody knows where the body ends.
HTTPRefusal reason_against(const std::vector<std::string_view>& encodings) {
  const auto is_chunked = [](std::string_view word) {
    return is_same_ignoring_case(word, "chunked");
  };
  const bool ends = encodings.size() > 1 && is_chunked(encodings.back()) &&
                    std::count_if(encodings.begin(), encodings.end(), is_chunked) == 1;
  if (ends) return {501, "a Transfer-Encoding other than chunked"};
  return {400, "a Transfer-Encoding without an end"};
}

Refused check_encoding(HTTPRequest& request) {
  const std::size_t encodings = request.headers.count("Transfer-Encoding");
  if (encodings == 0) return {};
  if (request.headers.contains("Content-Length"))
    return HTTPRefusal{400, "Content-Length and Transfer-Encoding"};
  if (request.minor_version == 0) return HTTPRefusal{400, "Transfer-Encoding in HTTP/1.0"};
  if (encodings > 1) return HTTPRefusal{400, "more than one Transfer-Encoding"};
  if (!is_same_ignoring_case(request.headers.first("Transfer-Encoding"), "chunked"))
    return reason_against(words_of(request, "Transfer-Encoding"));
  request.chunked = true;
  return {};
}

Refused check_length(HTTPRequest& request) {
  const std::size_t lengths = request.headers.count("Content-Length");
  if (lengths == 0) return {};
  if (lengths > 1) return HTTPRefusal{400, "more than one Content-Length"};
  const std::string_view digits = request.headers.first("Content-Length");
  if (digits.empty() || !kDigits.contains_all(digits))
    return HTTPRefusal{400, "a malformed Content-Length"};
  std::uint64_t length = 0;
  if (std::from_chars(digits.data(), digits.data() + digits.size(), length).ec != std::errc())
    length = UINT64_MAX;  // more than anybody takes
  request.content_length = length;
  return {};
}

Refused check_expectation(HTTPRequest& request) {
  const auto expectations = words_of(request, "Expect");
  if (expectations.empty() || request.minor_version == 0) return {};
  for (const std::string_view expectation : expectations)
    if (!is_same_ignoring_case(expectation, "100-continue"))
      return HTTPRefusal{417, "an unknown expectation"};
  request.expects_continue = request.chunked || request.content_length.value_or(0) > 0;
  return {};
}

bool wants_to_go_on(const HTTPRequest& request) {
  bool close = false;
  bool keep_alive = false;
  for (const std::string_view word : words_of(request, "Connection")) {
    close = close || is_same_ignoring_case(word, "close");
    keep_alive = keep_alive || is_same_ignoring_case(word, "keep-alive");
  }
  return !close && (request.minor_version >= 1 || keep_alive);
}

}  // namespace

std::optional<HTTPRefusal> check_request(HTTPRequest& request) {
  if (Refused refused = check_target(request)) return refused;
  if (Refused refused = check_host(request)) return refused;
  if (Refused refused = check_method(request)) return refused;
  if (Refused refused = check_encoding(request)) return refused;
  if (Refused refused = check_length(request)) return refused;
  if (Refused refused = check_expectation(request)) return refused;
  if (const auto authority = authority_of(request.target))
    request.headers.set("Host", *authority);  // of the two, it is the one that counts
  request.keep_alive = wants_to_go_on(request);
  return {};
}

}  // namespace eddy
