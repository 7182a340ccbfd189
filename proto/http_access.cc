#include "http_access.h"

#include "http_response.h"

namespace eddy {
namespace {

// "06/Nov/1994:08:49:37 +0000", of "Sun, 06 Nov 1994 08:49:37 GMT".
std::string format_time(std::time_t time) {
  const std::string date = format_http_date(time);
  return date.substr(5, 2) + '/' + date.substr(8, 3) + '/' + date.substr(12, 4) + ':' +
         date.substr(17, 8) + " +0000";
}

void append_quoted(std::string& line, std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  line += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= ' ' && byte < 0x7f && c != '"' && c != '\\')
      line += c;
    else
      line.append("\\x").append({kDigits[byte / 16], kDigits[byte % 16]});
  }
  line += '"';
}

// Without the port.
std::string host_of(const SocketAddress& client) {
  std::string all = client.to_string();
  if (client.family() == AF_UNIX) return all;
  const std::string host = all.substr(0, all.rfind(':'));
  return host.starts_with('[') ? host.substr(1, host.size() - 2) : host;
}

std::string_view or_dash(const HTTPRequest& request, std::string_view name) {
  return request.headers.contains(name) ? request.headers.first(name) : "-";
}

std::string request_line(const HTTPRequest& request) {
  if (request.method.empty()) return "-";
  return request.method + ' ' + request.target + " HTTP/1." + std::to_string(request.minor_version);
}

}  // namespace

std::string format_access(const HTTPAccess& access, std::time_t now) {
  const HTTPRequest& request = access.request;
  std::string line = host_of(request.client) + " - - [" + format_time(now) + "] ";
  append_quoted(line, request_line(request));
  line.append(" ").append(std::to_string(access.status));
  line.append(" ").append(std::to_string(access.body_size)).append(" ");
  append_quoted(line, or_dash(request, "Referer"));
  line += ' ';
  append_quoted(line, or_dash(request, "User-Agent"));
  return line;
}

}  // namespace eddy
