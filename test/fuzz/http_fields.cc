// Whatever stands in a target and in the fields that are looked into: it is read to an end, and
// what comes of it keeps to its bounds.

#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>

#include <eddy/proto/http_access.h>
#include <eddy/proto/http_conditions.h>
#include <eddy/proto/http_routes.h>
#include <eddy/proto/http_target.h>

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

std::string take_line(std::string_view& bytes) {
  const std::string line(bytes.substr(0, bytes.find('\n')));
  bytes.remove_prefix(std::min(line.size() + 1, bytes.size()));
  return line;
}

void look_at_target(const eddy::HTTPRequest& request) {
  static_cast<void>(eddy::is_http_target(request));
  static_cast<void>(eddy::is_http_host(request.target));
  require(!request.path().empty());
  if (const auto decoded = eddy::decode_percent(request.path()))
    require(decoded->size() <= request.path().size() && decoded->find('\0') == decoded->npos);
}

void look_at_fields(const eddy::HTTPRequest& request) {
  constexpr std::uint64_t kSize = 1000;
  const eddy::HTTPValidators current{"\"v\"", 784111777};
  const auto status = eddy::check_conditions(request, current);
  require(!status || *status == 304 || *status == 412);
  if (const auto range = eddy::requested_range(request, kSize, current))
    require(range->begin < range->end && range->end <= kSize);
  for (const auto& [name, value] : request.cookies()) require(!name.empty());
  const std::string line = eddy::format_access({request, 200, 0}, 0);
  for (const char c : line) require(c >= ' ' && c < 0x7f);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  eddy::HTTPRequest request;
  request.method = "GET";
  request.client = eddy::SocketAddress::unix_path("/x");
  request.target = take_line(bytes);
  look_at_target(request);
  try {
    for (const char* const name : {"Range", "If-Range", "If-Match", "If-None-Match",
                                   "If-Modified-Since", "If-Unmodified-Since", "Cookie", "Referer"})
      if (const std::string value = take_line(bytes); !value.empty())
        request.headers.add(name, value);
  } catch (const std::invalid_argument&) {  // a control character, which no parser lets through
    return 0;
  }
  look_at_fields(request);
  return 0;
}
