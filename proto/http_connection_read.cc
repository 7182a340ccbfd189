// The connection's reading side.

#include <utility>

#include "../loop/await.h"
#include "../loop/log.h"
#include "http_connection.h"

namespace eddy {

using Event = HTTPParser::Event;

// What is idle holds nothing of what was; an assigned string would keep its memory.
void HTTPConnection::expect_request() {
  std::exchange(parser_.request(), {});
  begun_.reset();
  idle_ = used_ == bytes_.size();  // else it has begun behind the one before
  if (idle_) {
    std::string().swap(bytes_);
    used_ = 0;
  }
  set_deadline(idle_ ? server_.options_.idle_timeout : server_.options_.header_timeout);
}

Event HTTPConnection::next_event() {
  std::string_view input = std::string_view(bytes_).substr(used_);
  const Event event = parser_.next(input);
  used_ = bytes_.size() - input.size();
  return event;
}

// True: there is a request to be answered.
bool HTTPConnection::take_up(Event event) {
  switch (event) {
    case Event::request: begin_request(); return streams_ || body_over_;
    case Event::body: hold(parser_.body()); return false;
    case Event::end: return body_over_ = true;
    case Event::refused: refuse(parser_.refusal().status, parser_.refusal().reason); return false;
    case Event::none: break;
  }
  return false;
}

void HTTPConnection::begin_request() {
  HTTPRequest& request = parser_.request();
  request.client = client_;
  begun_ = stream_->loop().turn_time();
  body_patience_ = server_.options_.body_timeout;
  body_asked_ = false;
  streams_ = server_.routes_.streams(request);
  const bool has_body = request.chunked || request.content_length.value_or(0) > 0;
  body_over_ = !has_body && next_event() == Event::end;
  if (has_body && !streams_) {
    set_deadline(body_patience_);
    ask_for_body();
  }
}

void HTTPConnection::ask_for_body() {
  if (std::exchange(body_asked_, true)) return;
  if (parser_.request().expects_continue && parser_.takes_announced_body())
    static_cast<void>(stream_->write("HTTP/1.1 100 Continue\r\n\r\n"));
}

void HTTPConnection::hold(std::string_view piece) {
  parser_.request().body += piece;
  count_held();
}

void HTTPConnection::count_held() {
  stream_->count_held(parser_.request().body.size() + bytes_.size());
}

// Nobody does behind the last request of a server that drains.
bool HTTPConnection::expects_more() {
  return parser_.begun() || !draining_ || stream_->available() > 0;
}

Future<std::string>& HTTPConnection::receive() {
  reading_ = stream_->read_bytes(stream_->limits().read_chunk_size, true);
  return reading_;
}

void HTTPConnection::take_in(std::string& bytes) {
  if (std::exchange(idle_, false)) set_deadline(server_.options_.header_timeout);
  bytes_ = std::move(bytes);
  used_ = 0;
  reading_ = {};
}

// Who waited may have been let go between the read's end and his turn: the bytes stay.
void HTTPConnection::end_reading() {
  if (reading_.state() && reading_.done() && !reading_.exception()) {
    bytes_.erase(0, std::exchange(used_, 0));
    bytes_ += reading_.result();
  }
  reading_ = {};
}

void HTTPConnection::refuse(int status, std::string_view reason) {
  refused_ = true;
  log::info("refused, ", status, " ", reason, ": ", client_.to_string());
  HTTPResponse response(status, std::to_string(status) + ' ' + std::string(reason_of(status)));
  send(response, {.keep_alive = false});
  parser_.request().client = client_;
  note_access(status, response.body.size());
}

// --- For a handler -------------------------------------------------------------------------------

Future<std::string> HTTPConnection::read() {
  ask_for_body();
  while (!body_over_ && !refused_ && !client_left_) {
    const Event event = next_event();
    if (event == Event::body) co_return std::string(parser_.body());
    if (event == Event::none)
      co_await receive_for_handler();
    else
      take_up(event);
  }
  if (!body_over_) throw CancelledError("the body of a request has no end");
  if (waits_ && watch_.done()) park();
  co_return std::string();
}

Future<> HTTPConnection::receive_for_handler() {
  if (stream_->reading()) throw AlreadyReadingError();
  struct Wait {  // also when the handler gives it up
    explicit Wait(HTTPConnection& connection) : self(connection) {
      self.set_deadline(self.body_patience_);
    }
    ~Wait() {
      self.end_reading();
      self.set_deadline(self.waits_ ? self.server_.options_.answer_timeout : Duration::max());
      self.body_patience_ -= self.stream_->loop().turn_time() - begun;
    }
    HTTPConnection& self;
    const TimePoint begun = self.stream_->loop().turn_time();
  };
  const Wait wait(*this);
  try {
    take_in(co_await receive());
  } catch (const StreamClosedError&) {
    client_left_ = true;
  } catch (const CancelledError&) {  // by time_is_up()
  }
}

// --- The clock -----------------------------------------------------------------------------------

// Deadlines move with each request; the timer follows when it fires.
void HTTPConnection::set_deadline(Duration patience) {
  deadline_ = after(stream_->loop().turn_time(), patience);
  if (deadline_ < timer_at_) arm_timer();
}

void HTTPConnection::arm_timer() {
  stream_->loop().remove_timeout(timer_);
  timer_at_ = deadline_;
  timer_ = stream_->loop().call_at(timer_at_, [this] { timer_fired(); });
}

void HTTPConnection::timer_fired() {
  timer_at_ = TimePoint::max();
  if (stream_->loop().turn_time() >= deadline_) return time_is_up();
  if (deadline_ != TimePoint::max()) arm_timer();
}

void HTTPConnection::time_is_up() {
  clear_deadline();
  const bool for_body = !body_over_ && reading_.state();
  if (waits_ && !for_body) {
    answer_late_ = true;
    answer_.cancel();
    return;
  }
  if (std::exchange(over_, true)) {  // and what was answered does not leave
    log::info("closing, write_timeout: ", client_.to_string());
    return stream_->close();
  }
  if (parser_.begun()) refuse(408, "too slow");
  reading_.cancel();
}

}  // namespace eddy
