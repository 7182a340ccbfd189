#include "http_access.h"

#include <array>
#include <cstdio>

namespace eddy {
namespace {

std::string format_time(std::time_t time) {
  constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm utc{};
  ::gmtime_r(&time, &utc);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%02d/%s/%04d:%02d:%02d:%02d +0000", utc.tm_mday,
                kMonths[static_cast<std::size_t>(utc.tm_mon)], utc.tm_year + 1900, utc.tm_hour,
                utc.tm_min, utc.tm_sec);
  return text.data();
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
  const std::string all = client.to_string();
  if (client.family() == AF_UNIX) return all;
  const std::string host = all.substr(0, all.rfind(':'));
  return host.starts_with('[') ? host.substr(1, host.size() - 2) : host;
}

std::string_view or_dash(const HTTPRequest& request, std::string_view name) {
  return request.headers.contains(name) ? request.headers.first(name) : "-";
}

}  // namespace

std::string format_access(const HTTPAccess& access, std::time_t now) {
  const HTTPRequest& request = access.request;
  std::string line = host_of(request.client) + " - - [" + format_time(now) + "] ";
  append_quoted(line, request.method + ' ' + request.target + " HTTP/1." +
                          std::to_string(request.minor_version));
  line.append(" ").append(std::to_string(access.status));
  line.append(" ").append(std::to_string(access.body_size)).append(" ");
  append_quoted(line, or_dash(request, "Referer"));
  line += ' ';
  append_quoted(line, or_dash(request, "User-Agent"));
  return line;
}

}  // namespace eddy
