#include "http_head.h"

#include <algorithm>
#include <utility>

namespace eddy {
namespace {

constexpr const char* kLineEnd = "a line must end in CR LF";

}  // namespace

HTTPHead::Event HTTPHead::take(std::string_view& input) {
  if (std::exchange(complete_, false)) begin_anew();
  skip_empty_lines(input);
  const std::size_t before = held_.size();
  if (before > 0) held_ += input;
  const std::string_view bytes = before > 0 ? std::string_view(held_) : input;
  if (!take_lines(bytes)) return Event::refused;
  if (!complete_) {
    if (before == 0) held_ = bytes;
    input = {};
    return Event::none;
  }
  text_ = bytes.substr(0, line_begin_);
  input.remove_prefix(line_begin_ - before);
  return Event::complete;
}

void HTTPHead::begin_anew() {
  held_.clear();
  line_begin_ = searched_ = lines_ = field_bytes_ = 0;
}

void HTTPHead::skip_empty_lines(std::string_view& input) {
  if (held_ == "\r" && input.starts_with('\n')) {
    input.remove_prefix(1);
    begin_anew();
  }
  if (held_.empty())
    while (input.starts_with("\r\n")) input.remove_prefix(2);
}

bool HTTPHead::take_lines(std::string_view bytes) {
  while (!complete_) {
    const std::size_t end = bytes.find('\n', searched_);
    if (end == bytes.npos) {
      searched_ = bytes.size();
      return may_be(bytes.substr(line_begin_));
    }
    if (!take_line(bytes.substr(line_begin_, end - line_begin_))) return false;
    line_begin_ = searched_ = end + 1;
  }
  return true;
}

bool HTTPHead::take_line(std::string_view line) {
  if (!may_be(line)) return false;
  if (!line.ends_with('\r')) return refuse(400, kLineEnd);
  line.remove_suffix(1);
  if (lines_ > 0 && line.empty()) return complete_ = true;
  if (lines_++ > 0) field_bytes_ += line.size();
  return true;
}

// A line, or the beginning of one: it is refused at the first byte that can't be.
bool HTTPHead::may_be(std::string_view line) {
  const std::size_t size = std::min(line.find('\r'), line.size());
  if (size > 0 && !may_hold(line.substr(0, size))) return false;
  return size + 1 >= line.size() || refuse(400, kLineEnd);
}

bool HTTPHead::may_hold(std::string_view text) {
  if (text.front() == ' ' || text.front() == '\t') return refuse(400, "a line begins with a blank");
  if (lines_ > limits_.max_headers)
    return refuse(431, "max_headers = " + std::to_string(limits_.max_headers));
  if (lines_ > 0)
    return field_bytes_ + text.size() <= limits_.max_header ||
           refuse(431, "max_header = " + std::to_string(limits_.max_header));
  return text.size() <= limits_.max_request_line ||
         refuse(414, "max_request_line = " + std::to_string(limits_.max_request_line));
}

bool HTTPHead::refuse(int status, std::string reason) {
  refusal_ = {status, std::move(reason)};
  return false;
}

}  // namespace eddy
