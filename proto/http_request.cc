#include "http_request.h"

namespace eddy {
namespace {

// What stands behind the authority, in the target of a request to a proxy.
std::string_view without_authority(std::string_view target) {
  if (target.starts_with('/')) return target;
  const std::size_t scheme = target.find("://");
  if (scheme == target.npos) return target;
  const std::size_t path = target.find_first_of("/?", scheme + 3);
  return path == target.npos ? std::string_view() : target.substr(path);
}

}  // namespace

std::string_view HTTPRequest::path() const {
  const std::string_view all = without_authority(target);
  const std::string_view before_query = all.substr(0, all.find('?'));
  return before_query.empty() ? "/" : before_query;
}

std::string_view HTTPRequest::query() const {
  const std::string_view all = without_authority(target);
  const std::size_t mark = all.find('?');
  return mark == all.npos ? std::string_view() : all.substr(mark + 1);
}

std::map<std::string, std::string, std::less<>> HTTPRequest::cookies() const {
  std::map<std::string, std::string, std::less<>> all;
  for (std::string_view list : headers.get_list("Cookie")) {
    while (!list.empty()) {
      std::string_view pair = take_part(list, ';');
      if (pair.find('=') == pair.npos) continue;
      const std::string_view name = take_part(pair, '=');
      if (!name.empty()) all.emplace(name, without_blanks_around(pair));
    }
  }
  return all;
}

}  // namespace eddy
