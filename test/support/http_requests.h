// Requests as bytes, whole and well but for what a test puts into them.
#pragma once

#include <string>

namespace eddy {

inline std::string http_request(const std::string& line, const std::string& fields) {
  return line + "\r\n" + fields + "\r\n";
}
inline std::string line(const std::string& request_line) {
  return http_request(request_line, "Host: a\r\n");
}
inline std::string get(const std::string& fields) { return http_request("GET / HTTP/1.1", fields); }
inline std::string post(const std::string& fields, const std::string& body = "") {
  return http_request("POST / HTTP/1.1", "Host: a\r\n" + fields) + body;
}
inline std::string chunked(const std::string& body) {
  return post("Transfer-Encoding: chunked\r\n", body);
}

}  // namespace eddy
