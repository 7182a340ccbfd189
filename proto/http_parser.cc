#include "http_parser.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <utility>

#include "../loop/pool.h"
#include "http_framing.h"
#include "http_lines.h"

namespace eddy {
namespace {

namespace http = boost::beast::http;

std::string_view view_of(boost::beast::string_view text) { return {text.data(), text.size()}; }

}  // namespace

// One message's grammar. Each of its steps ends with one event.
class HTTPParser::Grammar final : public http::basic_parser<true>, public Pooled {
 public:
  Grammar(HTTPRequest& request, const HTTPLimits& limits) : request_(request) {
    header_limit(static_cast<std::uint32_t>(
        std::min<std::size_t>(limits.max_request_line + 2 * limits.max_header, UINT32_MAX)));
    body_limit(UINT64_MAX);  // of a length: ours to see to; none would be taken for 0
  }
  void limit_chunks(std::uint64_t most) { body_limit(most); }

  // A whole head, or the whole line of a chunk, with the trailers if it is the last: it is never
  // asked to wait for more.
  bool takes(std::string_view bytes) {
    return put({bytes.data(), bytes.size()}, error_) == bytes.size() && !error_;
  }
  std::string_view take_piece(std::string_view bytes) {  // of a chunk
    put({bytes.data(), bytes.size()}, error_);
    return piece_;
  }
  bool too_large() const { return error_ == http::error::body_limit; }
  bool of_another_version() const { return error_ == http::error::bad_version; }
  std::size_t trailers() const { return trailers_; }

  std::uint64_t left_of_chunk() const { return left_of_chunk_; }

 private:
  using Error = boost::beast::error_code;
  using Text = boost::beast::string_view;

  void on_request_impl(http::verb, Text method, Text target, int version, Error&) override {
    request_.method = view_of(method);
    request_.target = view_of(target);
    request_.minor_version = version % 10;
  }
  void on_field_impl(http::field, Text name, Text value, Error&) override {
    if (in_body_)
      ++trailers_;  // nobody asked for them
    else
      request_.headers.add(view_of(name), view_of(value));
  }
  void on_header_impl(Error&) override { in_body_ = true; }
  void on_body_init_impl(const boost::optional<std::uint64_t>&, Error&) override {}
  void on_chunk_header_impl(std::uint64_t size, Text, Error&) override { left_of_chunk_ = size; }
  std::size_t on_chunk_body_impl(std::uint64_t, Text body, Error&) override {
    piece_ = view_of(body);
    left_of_chunk_ -= body.size();
    return body.size();
  }
  void on_finish_impl(Error&) override {}
  // Of a body with a length, and of an answer: not ours to read.
  std::size_t on_body_impl(Text, Error&) override { return 0; }
  void on_response_impl(int, Text, int, Error&) override {}

  HTTPRequest& request_;
  Error error_;
  std::string_view piece_;
  std::uint64_t left_of_chunk_ = 0;
  std::size_t trailers_ = 0;
  bool in_body_ = false;
};

HTTPParser::HTTPParser(const HTTPLimits& limits) : limits_(limits), head_(limits) {}

HTTPParser::~HTTPParser() = default;

HTTPParser::Event HTTPParser::next(std::string_view& input) {
  switch (state_) {
    case State::head: return read_head(input);
    case State::length: return read_length(input);
    case State::chunks: return read_chunks(input);
    case State::over: return end();
    case State::refused: break;
  }
  input = {};
  return Event::none;
}

HTTPParser::Event HTTPParser::refuse(HTTPRefusal refusal) {
  state_ = State::refused;
  refusal_ = std::move(refusal);
  return Event::refused;
}

HTTPParser::Event HTTPParser::end() {
  state_ = State::head;
  return Event::end;
}

// --- The head ------------------------------------------------------------------------------------

HTTPParser::Event HTTPParser::read_head(std::string_view& input) {
  switch (head_.take(input)) {
    case HTTPHead::Event::none: return Event::none;
    case HTTPHead::Event::refused: return refuse(head_.refusal());
    case HTTPHead::Event::complete: break;
  }
  return begin_request();
}

HTTPParser::Event HTTPParser::begin_request() {
  request_ = {};
  grammar_ = std::make_unique<Grammar>(request_, limits_);
  const bool taken = is_of_newer_minor_version(head_.text())
                         ? grammar_->takes(as_of_minor_version_one(head_.text()))
                         : grammar_->takes(head_.text());
  if (!taken) return refuse(reason_against_head());
  if (std::optional<HTTPRefusal> refusal = check_request(request_))
    return refuse(*std::move(refusal));
  set_max_body(limits_.max_body);
  left_ = request_.content_length.value_or(0);
  state_ = request_.chunked ? State::chunks : left_ > 0 ? State::length : State::over;
  return Event::request;
}

HTTPRefusal HTTPParser::reason_against_head() const {
  if (grammar_->of_another_version() && is_of_another_major_version(head_.text()))
    return {505, "a version other than HTTP/1.0 and 1.1"};
  return {400, "a malformed request"};
}

// --- The body ------------------------------------------------------------------------------------

void HTTPParser::set_max_body(std::uint64_t bytes) {
  max_body_ = bytes;
  if (request_.chunked) grammar_->limit_chunks(bytes);
}

HTTPRefusal HTTPParser::reason_against_size() const {
  return {413, "max_body = " + std::to_string(max_body_)};
}

HTTPParser::Event HTTPParser::read_length(std::string_view& input) {
  if (!takes_announced_body()) return refuse(reason_against_size());
  if (input.empty()) return Event::none;
  body_ = input.substr(0, std::min<std::uint64_t>(left_, input.size()));
  input.remove_prefix(body_.size());
  left_ -= body_.size();
  if (left_ == 0) state_ = State::over;
  return Event::body;
}

HTTPParser::Event HTTPParser::read_chunks(std::string_view& input) {
  while (!input.empty()) {
    if (grammar_->left_of_chunk() > 0) {
      body_ = grammar_->take_piece(input);
      input.remove_prefix(body_.size());
      return Event::body;
    }
    if (!read_chunk_line(input)) return Event::refused;
    if (grammar_->is_done()) return end();
  }
  return Event::none;
}

// False: it is refused.
bool HTTPParser::read_chunk_line(std::string_view& input) {
  const std::size_t before = chunk_line_.size();
  if (before > 0) chunk_line_ += input;
  const std::string_view bytes = before > 0 ? std::string_view(chunk_line_) : input;
  const std::size_t size = size_of_chunk_line(bytes);
  if (auto refusal = reason_against_chunk_line(bytes.substr(0, size), size != bytes.npos)) {
    refuse(*std::move(refusal));
    return false;
  }
  if (size == bytes.npos) {
    if (before == 0) chunk_line_ = bytes;
    input = {};
    return true;
  }
  input.remove_prefix(size - before);
  chunk_line_.clear();
  searched_ = 0;
  return true;
}

// With the trailers, if it is the last one's. None: it has not come to its end.
std::size_t HTTPParser::size_of_chunk_line(std::string_view bytes) {
  const std::string_view line = chunk_line_of(bytes);
  const auto line_end = static_cast<std::size_t>(line.data() + line.size() - bytes.data());
  if (line_end + 2 > bytes.size()) return bytes.npos;
  if (!is_last_chunk(line)) return line_end + 2;
  const std::size_t end = bytes.find("\r\n\r\n", std::max(line_end, searched_));
  searched_ = bytes.size() - std::min<std::size_t>(bytes.size(), 3);
  return end == bytes.npos ? end : end + 4;
}

std::optional<HTTPRefusal> HTTPParser::reason_against_chunk_line(std::string_view bytes,
                                                                 bool complete) {
  constexpr std::size_t kLineEnds = 8;  // before, behind the line, and around the trailers
  const std::string_view line = chunk_line_of(bytes);
  if (line.size() > limits_.max_chunk_line)
    return HTTPRefusal{400, "max_chunk_line = " + std::to_string(limits_.max_chunk_line)};
  if (bytes.size() > line.size() + limits_.max_header + kLineEnds)
    return HTTPRefusal{431, "max_header = " + std::to_string(limits_.max_header)};
  if (!complete) return {};
  const bool taken = is_chunk_line(line) && !is_folded(bytes) && grammar_->takes(bytes);
  if (grammar_->too_large()) return reason_against_size();
  if (!taken) return HTTPRefusal{400, "a malformed chunk"};
  if (grammar_->trailers() > limits_.max_headers)
    return HTTPRefusal{431, "max_headers = " + std::to_string(limits_.max_headers)};
  return {};
}

}  // namespace eddy
