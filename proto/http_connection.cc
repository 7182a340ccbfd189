#include "http_connection.h"

#include <algorithm>
#include <ctime>
#include <stdexcept>
#include <utility>

#include "../loop/await.h"
#include "../loop/counted.h"
#include "../loop/gen.h"
#include "../loop/log.h"
#include "../stream/close_gracefully.h"

namespace eddy {

using Event = HTTPParser::Event;

namespace {

constexpr std::size_t kReadAhead = 4096;  // bytes at once

}  // namespace

HTTPConnection::HTTPConnection(HTTPServer& server, std::unique_ptr<IOStream> stream,
                               const SocketAddress& client)
    : server_(server),
      stream_(std::move(stream)),
      client_(client),
      parser_(server.options_.limits) {
  server_.open_.push_back(*this);
}

HTTPConnection::~HTTPConnection() {
  if (IOLoop::current_or_null()) clear_deadline();
}

Future<> HTTPConnection::run() {
  try {
    while (co_await read_request()) co_await answer_request();
  } catch (const StreamClosedError& closed) {  // the client's end, and perhaps a reset
    log::debug("client ended: ", client_.to_string(), ": ", std::string_view(closed.what()));
  }
  clear_deadline();
  co_await stream_->shutdown_write();  // every answer leaves
  if (refused_ || stream_->available() > 0) co_await close_gracefully(*stream_);
  stream_->close();
}

// --- Reading -------------------------------------------------------------------------------------

Future<bool> HTTPConnection::read_request() {
  const bool begun = used_ < bytes_.size();  // behind the one before
  set_deadline(begun ? server_.options_.header_timeout : server_.options_.idle_timeout);
  while (!over_) {
    std::string_view input = std::string_view(bytes_).substr(used_);
    const Event event = parser_.next(input);
    used_ = bytes_.size() - input.size();
    if (event == Event::end) co_return true;
    if (event == Event::none)
      co_await read_more();
    else
      handle(event);
  }
  co_return false;
}

void HTTPConnection::handle(Event event) {
  if (event == Event::request) begin_request();
  if (event == Event::body) parser_.request().body += parser_.body();
  if (event == Event::refused) refuse(parser_.refusal().status, parser_.refusal().reason);
}

void HTTPConnection::begin_request() {
  set_deadline(server_.options_.body_timeout);
  if (parser_.request().expects_continue)
    static_cast<void>(stream_->write("HTTP/1.1 100 Continue\r\n\r\n"));
}

Future<> HTTPConnection::read_more() {
  const bool idle = !parser_.begun();
  if (idle && draining_ && stream_->available() == 0) {
    over_ = true;
    co_return;
  }
  bytes_.clear();
  used_ = 0;
  try {
    reading_ = stream_->read_bytes(stream_->limits().read_chunk_size, true);
    bytes_ = std::exchange(co_await reading_, std::string());
  } catch (const CancelledError&) {  // by time_is_up() or drain()
    co_return;
  }
  if (idle) set_deadline(server_.options_.header_timeout);
}

void HTTPConnection::set_deadline(Duration patience) {
  clear_deadline();
  deadline_ = stream_->loop().call_later(patience, [this] { time_is_up(); });
}

void HTTPConnection::clear_deadline() { stream_->loop().remove_timeout(deadline_); }

void HTTPConnection::time_is_up() {
  over_ = true;
  if (parser_.begun()) refuse(408, "too slow");
  reading_.cancel();
}

void HTTPConnection::drain() {
  draining_ = true;
  if (!parser_.begun() && stream_->available() == 0) reading_.cancel();
}

// --- Answering -----------------------------------------------------------------------------------

Future<> HTTPConnection::answer_request() {
  const auto keep = shared_from_this();  // a handler may close all connections, also its own
  const Counted in_flight(server_.in_flight_);
  clear_deadline();
  HTTPRequest& request = parser_.request();
  request.client = client_;
  answer_ = server_.routes_.handle(request);
  if (!answer_.done()) co_await wait_for_answer();
  const HTTPResponse response = outcome_of(std::exchange(answer_, {}));
  send(response, {.without_body = request.method == "HEAD",
                  .keep_alive = request.keep_alive && !is_last(),
                  .minor_version = request.minor_version});
  co_await stream_->drain();
}

// Fails when the client leaves first: then nobody is left who waits for the answer.
Future<> HTTPConnection::wait_for_answer() {
  const HTTPOptions& options = server_.options_;
  if (server_.parked_ >= options.max_parked) {
    log::info("refused, max_parked = ", options.max_parked, ": ", client_.to_string());
    answer_ = make_ready_future(HTTPResponse(503, "503 Service Unavailable"));
    co_return;
  }
  const Counted parked(server_.parked_);
  const Future<> watch = watch_client();
  try {
    co_await answer_;
  } catch (...) {  // outcome_of() looks at it
  }
  if (client_left_) throw StreamClosedError();
}

// Only reading shows that the peer has ended; what it sends meanwhile is for later.
Future<> HTTPConnection::watch_client() {
  try {
    while (const std::size_t room = room_to_read_ahead()) {
      const std::string more = co_await stream_->read_bytes(std::min(room, kReadAhead), true);
      bytes_ += more;
    }
    co_await stream_->wait_closed();
  } catch (const StreamClosedError&) {
  }
  client_left_ = true;
  answer_.cancel();
}

std::size_t HTTPConnection::room_to_read_ahead() const {
  const std::size_t held = bytes_.size() - used_;
  return server_.options_.max_read_ahead - std::min(held, server_.options_.max_read_ahead);
}

HTTPResponse HTTPConnection::outcome_of(const Future<HTTPResponse>& answer) {
  if (!answer.exception()) return answer.state()->take();
  return {500, "500 Internal Server Error"};  // it was cancelled: any other failure has an answer
}

// Nothing that has come is behind the request that is answered.
bool HTTPConnection::is_last() const {
  return draining_ && used_ == bytes_.size() && stream_->available() == 0;
}

void HTTPConnection::refuse(int status, std::string_view reason) {
  refused_ = true;
  log::info("refused, ", status, " ", reason, ": ", client_.to_string());
  send({status, std::to_string(status) + ' ' + std::string(reason_of(status))},
       {.keep_alive = false});
}

void HTTPConnection::send(const HTTPResponse& response, const HTTPAnswerForm& form) {
  over_ = over_ || !form.keep_alive;
  const std::string_view date = server_.date_.at(std::time(nullptr));
  std::string bytes;
  try {
    bytes = format_response(response, form, date);
  } catch (const std::invalid_argument& error) {
    log::error("Error in a response: ", std::string_view(error.what()));
    bytes = format_response({500, "500 Internal Server Error"}, form, date);
  }
  if (!stream_->closed()) static_cast<void>(stream_->write(bytes));
}

}  // namespace eddy
