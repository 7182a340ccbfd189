#include "http_conditions.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <iomanip>
#include <locale>
#include <sstream>

namespace eddy {
namespace {

std::string_view without_weakness(std::string_view etag) {
  return etag.starts_with("W/") ? etag.substr(2) : etag;
}

enum class Comparison { strong, weak };

// A comma may stand within an etag, but in none of ours.
bool names(const HTTPRequest& request, std::string_view field, std::string_view etag,
           Comparison comparison) {
  for (std::string_view list : request.headers.get_list(field))
    while (!list.empty()) {
      const std::string_view one = take_part(list, ',');
      if (one == "*" || one == etag) return true;
      if (comparison == Comparison::weak && without_weakness(one) == etag) return true;
    }
  return false;
}

std::optional<std::time_t> date_in(const HTTPRequest& request, std::string_view field) {
  return request.headers.count(field) == 1 ? parse_http_date(request.headers.get(field))
                                           : std::nullopt;
}

bool is_of_another_version(const HTTPRequest& request, const HTTPValidators& current) {
  if (!request.headers.contains("If-Range")) return false;
  const std::string condition = request.headers.get("If-Range");
  const bool is_etag = condition.find('"') != condition.npos;
  return is_etag ? condition != current.etag : parse_http_date(condition) != current.last_modified;
}

std::optional<std::uint64_t> number_in(std::string_view digits) {
  std::uint64_t number = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, number);
  if (error == std::errc::result_out_of_range && stop == end) return UINT64_MAX;
  return error == std::errc() && stop == end ? std::optional(number) : std::nullopt;
}

constexpr std::string_view kFixedDate = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr std::string_view kDateOfC = "Sun Nov  6 08:49:37 1994";

// Takes a text that ends too soon, or goes on, for what it had expected.
std::optional<std::time_t> date_of(std::string_view text, const char* form) {
  std::istringstream input{std::string(text)};
  input.imbue(std::locale::classic());
  std::tm parsed{};
  input >> std::get_time(&parsed, form);
  const bool whole = !input.fail() && input.peek() == std::istringstream::traits_type::eof();
  return whole && parsed.tm_mday > 0 ? std::optional(::timegm(&parsed)) : std::nullopt;
}

}  // namespace

std::optional<std::time_t> parse_http_date(std::string_view text) {
  if (text.size() == kFixedDate.size()) return date_of(text, "%a, %d %b %Y %H:%M:%S GMT");
  if (text.size() == kDateOfC.size()) return date_of(text, "%a %b %d %H:%M:%S %Y");
  return text.ends_with(" GMT") ? date_of(text, "%A, %d-%b-%y %H:%M:%S GMT") : std::nullopt;
}

// The order is that of RFC 9110, section 13.2.2.
std::optional<int> check_conditions(const HTTPRequest& request, const HTTPValidators& current) {
  if (request.headers.contains("If-Match")) {
    if (!names(request, "If-Match", current.etag, Comparison::strong)) return 412;
  } else if (const auto since = date_in(request, "If-Unmodified-Since")) {
    if (current.last_modified > *since) return 412;
  }
  if (request.headers.contains("If-None-Match")) {
    if (names(request, "If-None-Match", current.etag, Comparison::weak)) return 304;
  } else if (const auto since = date_in(request, "If-Modified-Since")) {
    if (current.last_modified <= *since) return 304;
  }
  return {};
}

std::optional<HTTPRange> requested_range(const HTTPRequest& request, std::uint64_t size,
                                         const HTTPValidators& current) {
  const HTTPRange all{0, size};
  constexpr std::string_view kUnit = "bytes=";
  const std::string text = request.headers.get("Range");
  if (request.method != "GET" || text.size() < kUnit.size() ||
      !is_same_ignoring_case(text.substr(0, kUnit.size()), kUnit) ||
      is_of_another_version(request, current))
    return all;
  std::string_view last = without_blanks_around(std::string_view(text).substr(kUnit.size()));
  if (last.find('-') == last.npos) return all;
  const std::string_view first = take_part(last, '-');
  const std::optional<std::uint64_t> from = number_in(first);
  const std::optional<std::uint64_t> to = number_in(last);
  if ((!from && !first.empty()) || (!to && !last.empty()) || (!from && !to)) return all;
  if (!from) {  // so many at the end
    if (*to == 0 || size == 0) return {};
    return HTTPRange{size - std::min(*to, size), size};
  }
  if (to && *to < *from) return all;
  if (*from >= size) return {};
  return HTTPRange{*from, to ? std::min(*to, size - 1) + 1 : size};
}

}  // namespace eddy
