#include "rpc_connection.h"

#include <algorithm>
#include <utility>

#include "../loop/await.h"
#include "../loop/gen.h"
#include "../loop/log.h"
#include "../loop/run_logged.h"
#include "../stream/close_gracefully.h"
#include "rpc_message.h"

namespace eddy {

// A call under way, as its method sees it.
class RpcServerConnection::Call final : public RpcCall, public Pooled {
 public:
  Call(RpcServerConnection& connection, std::uint64_t number)
      : connection_(connection), number_(number) {
    ++connection_.server_.in_flight_;
  }
  ~Call() { connection_.call_ended(); }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  std::uint64_t number() const override { return number_; }
  const std::string& peer() const override { return connection_.peer_; }
  Future<> row(std::string text) override {
    connection_.send(format_row(number_, text));
    return connection_.stream_->drain();
  }

 private:
  RpcServerConnection& connection_;
  const std::uint64_t number_;
};

RpcServerConnection::RpcServerConnection(RPCServer& server, std::unique_ptr<IOStream> stream,
                                         std::string peer)
    : server_(server),
      stream_(std::move(stream)),
      peer_(std::move(peer)),
      codec_(server.options_.max_line),
      request_(server.application_.registry()),
      last_activity_(stream_->loop().time()) {
  server_.application_.on_request(*this);
  server_.open_.push_back(*this);
}

RpcServerConnection::~RpcServerConnection() {
  calls_.clear();
  run_logged("Exception in on_close: ", [this] { server_.application_.on_close(*this); });
}

Future<> RpcServerConnection::run() {
  close_watch_ = watch_for_close();
  if (server_.options_.idle_timeout > Duration::zero()) silence_watch_ = watch_for_silence();
  try {
    co_await read_calls();
  } catch (const StreamClosedError& closed) {  // the client's end, and perhaps a reset
    log::debug("client ended: ", peer_, ": ", std::string_view(closed.what()));
  }
  log_leftovers();
  co_await end();
}

// --- Reading -------------------------------------------------------------------------------------

Future<> RpcServerConnection::read_calls() {
  const auto keep = shared_from_this();  // a method may close all connections, also its own
  const std::size_t chunk = stream_->limits().read_chunk_size;
  while (left_to_read_ > 0) {
    std::string bytes;
    try {
      reading_ = stream_->read_bytes(std::min(left_to_read_, chunk), true);
      bytes = std::exchange(co_await reading_, std::string());
    } catch (const CancelledError&) {  // by stop_reading(): see what is left
      continue;
    }
    left_to_read_ -= bytes.size();
    last_activity_ = stream_->loop().turn_time();
    std::string_view input = bytes;
    for (Event event = codec_.next(input); event != Event::none; event = codec_.next(input)) {
      if (!handle(event)) co_return;
      while (calls_.size() >= server_.options_.max_in_flight)
        co_await room_.emplace("a call to complete").future();
      co_await stream_->drain();  // also gives others their turn when call comes upon call
    }
  }
}

bool RpcServerConnection::handle(Event event) {
  switch (event) {
    case Event::none: break;
    case Event::line: perform(request_.on_message(codec_.line())); break;
    case Event::reply: send(codec_.reply()); break;
    case Event::interrupt: request_.interrupt(); break;
    case Event::are_you_there: send("[yes]\r\n"); break;
    case Event::end_of_input: client_may_go_on_ = true; break;
    case Event::line_too_long:
      log::info("line longer than max_line = ", server_.options_.max_line, " from ", peer_);
      send("error line too long\r\n");
      client_may_go_on_ = true;
      break;
  }
  return !client_may_go_on_;
}

void RpcServerConnection::perform(RpcRequest::Action action) {
  if (auto* wanted = std::get_if<RpcRequest::Call>(&action)) {
    call(std::move(*wanted));
  } else if (const auto* refusal = std::get_if<RpcRequest::Refusal>(&action)) {
    send(format_error(++last_number_, refusal->error));
  } else if (const auto* answer = std::get_if<RpcRequest::Answer>(&action)) {
    send(format_result(++last_number_, answer->text));
  } else if (std::holds_alternative<RpcRequest::Hint>(action)) {
    send("type help, or quit\r\n");
  } else if (std::holds_alternative<RpcRequest::Quit>(action)) {
    client_may_go_on_ = true;
  }
}

void RpcServerConnection::call(RpcRequest::Call wanted) {
  auto call = std::make_unique<Call>(*this, ++last_number_);
  Future<std::string> result = wanted.method->call(*call, wanted.arguments);
  if (result.done())
    answer(call->number(), result);
  else
    calls_.add(answer_later(std::move(call), std::move(result)));
}

Future<> RpcServerConnection::answer_later(std::unique_ptr<Call> call, Future<std::string> given) {
  Future<std::string> result = std::move(given);  // ends before the call does
  try {
    co_await result;
  } catch (...) {  // is an answer too
  }
  try {
    answer(call->number(), result);
  } catch (...) {  // no memory is left for it: the client must not wait for ever
    stream_->close(std::current_exception());
    throw;
  }
}

void RpcServerConnection::answer(std::uint64_t number, const Future<std::string>& result) {
  ++server_.calls_served_;
  if (const std::exception_ptr error = result.exception())
    send(format_error(number, log::describe(error)));
  else
    send(format_result(number, result.result()));
}

void RpcServerConnection::send(std::string_view lines) {
  if (!stream_->closed()) static_cast<void>(stream_->write(lines));
}

void RpcServerConnection::call_ended() {
  --server_.in_flight_;
  last_activity_ = stream_->loop().turn_time();
  if (room_) std::exchange(room_, std::nullopt)->set_result();
}

// --- How it ends ---------------------------------------------------------------------------------

void RpcServerConnection::drain() { stop_reading(stream_->available()); }

void RpcServerConnection::stop_reading(std::size_t arrived) {
  left_to_read_ = std::min(left_to_read_, arrived + taken_by(reading_));
  reading_.cancel();
}

Future<> RpcServerConnection::watch_for_close() {
  co_await stream_->wait_closed();
  calls_.clear();
}

Future<> RpcServerConnection::watch_for_silence() {
  const auto end_of_patience = [this] {
    return after(last_activity_, server_.options_.idle_timeout);
  };
  for (TimePoint now = last_activity_; now < end_of_patience(); now = stream_->loop().time()) {
    co_await sleep(end_of_patience() - now);
    if (shows_life()) last_activity_ = stream_->loop().time();
  }
  log::info("idle_timeout, closing ", peer_);
  if (stream_->writing()) stream_->close();  // it does not take its answers
  stop_reading(0);
}

// Calls in flight, or a client that is still taking what it was sent.
bool RpcServerConnection::shows_life() {
  const std::uint64_t seen = std::exchange(bytes_sent_, stream_->total_write_done_index());
  return !calls_.empty() || (stream_->writing() && bytes_sent_ != seen);
}

void RpcServerConnection::log_leftovers() const {
  if (codec_.holds_unfinished_line() || request_.waits_for_method())
    log::info("dropped an unfinished call of ", peer_);
}

Future<> RpcServerConnection::end() {
  co_await calls_.drain();
  co_await stream_->shutdown_write();  // every answer leaves, however long that takes
  if (client_may_go_on_ || stream_->available() > 0) co_await close_gracefully(*stream_);
  stream_->close();
}

}  // namespace eddy
