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
#include "http_framed_body.h"

namespace eddy {

using Event = HTTPParser::Event;

namespace {

constexpr std::size_t kReadAhead = 4096;   // bytes at once
constexpr std::size_t kAtOnce = 64 << 10;  // bytes of a body; more leaves in pieces

HTTPResponse busy() { return {503, "503 Service Unavailable"}; }

Future<> write_in_pieces(HTTPBodyWriter& out, std::string_view body) {
  for (; !body.empty(); body.remove_prefix(std::min(kAtOnce, body.size())))
    co_await out.write(body.substr(0, kAtOnce));
}

// So that it keeps pace with its client, and is in the stream's buffer only in part.
void send_in_pieces(HTTPResponse& response) {
  response.stream_length = response.body.size();
  response.stream = [body = std::exchange(response.body, {})](HTTPBodyWriter& out) {
    return write_in_pieces(out, body);
  };
}

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
  watch_ = {};  // these know us
  sending_ = {};
  answer_ = {};
  if (IOLoop::current_or_null()) stream_->loop().remove_timeout(timer_);
}

// What an ordinary request needs is awaited here, and not further down: each coroutine between a
// read and its conversation costs a turn of the loop.
Future<> HTTPConnection::run() {
  const auto keep = shared_from_this();  // a handler may close all connections, also its own
  expect_request();
  try {
    while (!over_) {
      const Event event = next_event();
      if (event == Event::none) {
        if (!expects_more()) break;
        take_in(co_await receive());
      } else if (take_up(event)) {
        co_await answer_request();
        expect_request();
      }
    }
  } catch (const StreamClosedError& closed) {  // the client's end, and perhaps a reset
    log::debug("client ended: ", client_.to_string(), ": ", std::string_view(closed.what()));
  } catch (const CancelledError&) {  // by time_is_up() or drain()
  }
  over_ = true;
  set_deadline(server_.options_.write_timeout);
  co_await stream_->shutdown_write();  // every answer leaves
  clear_deadline();
  if (lingers_ || stream_->available() > 0) co_await close_gracefully(*stream_);
  stream_->close();
}

void HTTPConnection::drain() {
  draining_ = true;
  if (!parser_.begun() && watch_.done() && stream_->available() == 0) reading_.cancel();
}

// --- Answering -----------------------------------------------------------------------------------

Future<> HTTPConnection::answer_request() {
  const Counted in_flight(server_.in_flight_);
  clear_deadline();
  answer_ = server_.routes_.handle(parser_.request(), *this);
  if (!answer_.done()) co_await wait_for_answer();
  end_reading();
  if (!body_over_ && !refused_) body_over_ = next_event() == Event::end;  // not asked for by all
  HTTPResponse response = take_answer();
  if (!response.stream && response.body.size() > kAtOnce) send_in_pieces(response);
  if (client_left_) throw StreamClosedError();
  if (refused_) co_return;  // within its body
  const HTTPAnswerForm form = form_of(response);
  send(response, form);
  std::uint64_t body_size = response.body.size();
  if (response.stream && has_body(response, form))
    body_size = co_await send_stream(response, is_chunked(response, form));
  try {
    co_await stream_->drain();
  } catch (const StreamClosedError&) {  // the client left in the midst
    over_ = true;
  }
  note_access(response.status, has_body(response, form) ? body_size : 0);
  stream_->count_held(0);
}

Future<> HTTPConnection::wait_for_answer() {
  const HTTPOptions& options = server_.options_;
  if (server_.parked_ >= options.max_parked) {
    log::info("refused, max_parked = ", options.max_parked, ": ", client_.to_string());
    answer_ = make_ready_future(busy());
    co_return;
  }
  const Counted parked(server_.parked_);
  waits_ = true;
  if (body_over_)
    park();
  else if (!reading_.state())
    set_deadline(options.answer_timeout);
  try {
    co_await answer_;
  } catch (...) {  // take_answer() looks at it
  }
  waits_ = false;
  watch_ = {};
  clear_deadline();
}

// From here on the answer is all that is waited for.
void HTTPConnection::park() {
  set_deadline(server_.options_.answer_timeout);
  if (used_ < bytes_.size()) count_held();
  watch_ = watch_client();
}

// Only reading shows that the peer has ended: then nobody is left who waits for the answer. What it
// sends meanwhile is for later.
Future<> HTTPConnection::watch_client() {
  try {
    while (const std::size_t room = room_to_read_ahead()) {
      reading_ = stream_->read_bytes(std::min(room, kReadAhead), true);
      co_await reading_;
      end_reading();
      count_held();
    }
    co_await stream_->wait_closed();
  } catch (const StreamClosedError&) {
  }
  client_left_ = true;
  answer_.cancel();
  sending_.cancel();
}

std::size_t HTTPConnection::room_to_read_ahead() const {
  const std::size_t held = bytes_.size() - used_;
  return server_.options_.max_read_ahead - std::min(held, server_.options_.max_read_ahead);
}

HTTPResponse HTTPConnection::take_answer() {
  const Future<HTTPResponse> answer = std::exchange(answer_, {});
  const bool late = std::exchange(answer_late_, false);
  if (!answer.exception()) return answer.state()->take();
  if (late) {
    log::warning("cancelled, answer_timeout: ", parser_.request().method, " ",
                 parser_.request().path());
    return busy();
  }
  return {500, "500 Internal Server Error"};  // it was cancelled: any other failure has an answer
}

HTTPAnswerForm HTTPConnection::form_of(const HTTPResponse& response) {
  const HTTPRequest& request = parser_.request();
  HTTPAnswerForm form{.without_body = request.method == "HEAD",
                      .minor_version = request.minor_version};
  form.keep_alive =
      request.keep_alive && body_over_ && !is_last() && !ends_with_connection(response, form);
  return form;
}

// Nothing that has come is behind the request that is answered.
bool HTTPConnection::is_last() const {
  return draining_ && used_ == bytes_.size() && stream_->available() == 0;
}

// One that can't be becomes a failure.
void HTTPConnection::send(HTTPResponse& response, const HTTPAnswerForm& form) {
  if (!form.keep_alive) over_ = lingers_ = true;
  const std::string_view date = server_.date_.at(std::time(nullptr));
  std::string bytes;
  try {
    bytes = format_response(response, form, date);
  } catch (const std::invalid_argument& error) {
    log::error("Error in a response: ", std::string_view(error.what()));
    response = HTTPResponse(500, "500 Internal Server Error");
    bytes = format_response(response, form, date);
  }
  if (!stream_->closed()) static_cast<void>(stream_->write(bytes));
}

// How many bytes it was. What fails half-way ends the connection: its last chunk, or what is
// missing of its length, never comes.
Future<std::uint64_t> HTTPConnection::send_stream(const HTTPResponse& response, bool chunked) {
  struct LetGo {  // of who writes, before what he writes to
    Future<>& sending;
    ~LetGo() { sending = {}; }
  };
  HTTPFramedBody body(*stream_, response.stream_length, chunked);
  const LetGo let_go{sending_};
  try {
    sending_ = response.stream(body);
    if (!response.stream_length && !sending_.done()) watch_ = watch_client();
    co_await sending_;
    body.end();
  } catch (...) {
    over_ = lingers_ = true;
    if (!client_left_ && !stream_->closed())
      log::error("Exception in the body of an answer: ", std::current_exception());
  }
  watch_ = {};
  end_reading();
  co_return body.size();
}

void HTTPConnection::note_access(int status, std::uint64_t body_size) {
  if (!server_.options_.access_log) return;
  const Duration taken = begun_ ? stream_->loop().time() - *begun_ : Duration::zero();
  server_.options_.access_log({parser_.request(), status, body_size, taken});
}

}  // namespace eddy
