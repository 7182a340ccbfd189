#include "http_lines.h"

#include "http_characters.h"
#include "http_headers.h"

namespace eddy {
namespace {

// "1.1" of "GET / HTTP/1.1"; of a line that names no version, nothing.
std::string_view version_of(std::string_view line) {
  constexpr std::string_view kName = " HTTP/";
  const std::size_t at = line.rfind(kName);
  if (at == line.npos) return {};
  const std::string_view version = line.substr(at + kName.size());
  const bool well = version.size() == 3 && kDigits.contains(version[0]) && version[1] == '.' &&
                    kDigits.contains(version[2]);
  return well ? version : std::string_view();
}

}  // namespace

std::string_view first_line(std::string_view bytes) {
  const std::size_t end = bytes.find("\r\n");
  const bool half_ended = end == bytes.npos && bytes.ends_with('\r');
  return bytes.substr(0, half_ended ? bytes.size() - 1 : end);
}

std::string_view chunk_line_of(std::string_view bytes) {
  return first_line(bytes.starts_with("\r\n") ? bytes.substr(2) : bytes);
}

bool is_last_chunk(std::string_view line) {
  const std::size_t other = line.find_first_not_of('0');
  return line.starts_with('0') && (other == line.npos || !kHexDigits.contains(line[other]));
}

// Beast takes any number of zeros, blanks without an extension behind them, and any byte in quotes.
bool is_chunk_line(std::string_view line) {
  const std::size_t digits = kHexDigits.leading(line);
  const std::string_view rest = line.substr(digits);
  return digits > 0 && digits <= 16 && !has_control_characters(line) &&
         (rest.empty() || without_blanks_around(rest).starts_with(';'));
}

bool is_folded(std::string_view trailers) {
  return trailers.find("\r\n ") != trailers.npos || trailers.find("\r\n\t") != trailers.npos;
}

bool is_of_another_major_version(std::string_view head) {
  const std::string_view version = version_of(first_line(head));
  return !version.empty() && !version.starts_with("1.");
}

bool is_of_newer_minor_version(std::string_view head) {
  const std::string_view version = version_of(first_line(head));
  return version.starts_with("1.") && version > "1.1";
}

std::string as_of_minor_version_one(std::string_view head) {
  std::string text(head);
  text[first_line(head).size() - 1] = '1';
  return text;
}

}  // namespace eddy
