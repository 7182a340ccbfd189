#include "rpc_connection.h"

#include <algorithm>
#include <chrono>

#include "../loop/await.h"
#include "../loop/gen.h"
#include "../loop/log.h"
#include "../stream/close_gracefully.h"
#include "rpc_message.h"

namespace eddy {
namespace {

using namespace std::chrono_literals;
constexpr Duration kReadAway = 1s;  // after a line too long, so that the client sees no reset

}  // namespace

// A call under way, as its method sees it.
class RpcServerConnection::Call final : public RpcCall, public Pooled {
 public:
  Call(RpcServerConnection& connection, std::uint64_t number)
      : connection_(connection), number_(number) {
    ++connection_.server_.in_flight_;
  }
  ~Call() {
    --connection_.server_.in_flight_;
    connection_.last_activity_ = connection_.stream_->loop().turn_time();
  }
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
  server_.open_.push_back(*this);
  server_.application_.on_request(*this);
}

RpcServerConnection::~RpcServerConnection() {
  calls_.clear();
  server_.application_.on_close(*this);
}

Future<> RpcServerConnection::run() {
  closed_watch_ = cancel_calls_when_closed();
  try {
    co_await read_calls();
  } catch (const StreamClosedError& closed) {  // the client's end, and perhaps a reset
    log::debug("client ended: ", peer_, ": ", std::string_view(closed.what()));
  }
  log_leftovers();
  co_await end();
}

Future<> RpcServerConnection::read_calls() {
  for (;;) {
    const std::string bytes = co_await next_bytes();
    if (bytes.empty()) co_return;
    std::string_view input = bytes;
    for (Event event = codec_.next(input); event != Event::none; event = codec_.next(input)) {
      if (!handle(event)) co_return;
      co_await wait_for_room();
    }
  }
}

// Empty: there will be no more, for the server drains or the client has been idle too long.
Future<std::string> RpcServerConnection::next_bytes() {
  const Duration idle_timeout = server_.options_.idle_timeout;
  for (;;) {
    const std::size_t most = std::min(left_to_drain_.value_or(SIZE_MAX),
                                      stream_->limits().read_chunk_size);
    if (most == 0) co_return std::string();
    reading_ = stream_->read_bytes(most, true);
    if (idle_timeout > Duration::zero())
      reading_ = with_deadline(after(last_activity_, idle_timeout), std::move(reading_));
    try {
      std::string bytes = std::move(co_await reading_);
      last_activity_ = stream_->loop().turn_time();
      if (left_to_drain_) *left_to_drain_ -= bytes.size();
      co_return bytes;
    } catch (const CancelledError&) {  // the server drains: see what is left
      if (!left_to_drain_) throw;
    } catch (const TimeoutError&) {
      if (!calls_.empty()) {
        last_activity_ = stream_->loop().time();
        continue;
      }
      if (stream_->loop().time() < after(last_activity_, idle_timeout)) continue;
      log::info("idle_timeout, closing ", peer_);
      co_return std::string();
    }
  }
}

// Also the place where others have their turn while a client sends call upon call.
Future<> RpcServerConnection::wait_for_room() {
  while (calls_.size() >= server_.options_.max_in_flight) {
    room_.emplace("a call to complete");
    co_await room_->future();
  }
  co_await stream_->drain();
}

bool RpcServerConnection::handle(Event event) {
  switch (event) {
    case Event::line:
      perform(request_.on_message(codec_.line()));
      break;
    case Event::reply:
      send(codec_.reply());
      break;
    case Event::interrupt:
      request_.interrupt();
      break;
    case Event::are_you_there:
      send("[yes]\r\n");
      break;
    case Event::line_too_long:
      log::info("line longer than max_line = ", server_.options_.max_line, " from ", peer_);
      send("error line too long\r\n");
      too_long_ = true;
      return false;
    case Event::end_of_input:
      quit_ = true;
      break;
    case Event::none:
      break;
  }
  return !quit_;
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
    quit_ = true;
  }
}

// Trail 9: the registry calls the handler
void RpcServerConnection::call(RpcRequest::Call wanted) {
  auto call = std::make_unique<Call>(*this, ++last_number_);
  Future<std::string> result = wanted.method->call(*call, wanted.arguments);
  if (result.done())
    answer(call->number(), result);
  else
    calls_.add(finish_call(std::move(call), std::move(result)));
}

Future<> RpcServerConnection::finish_call(std::unique_ptr<Call> call, Future<std::string> given) {
  Future<std::string> result = std::move(given);  // ends before the call does
  try {
    co_await result;
  } catch (...) {  // is an answer too
  }
  answer(call->number(), result);
  if (room_) std::exchange(room_, std::nullopt)->set_result();
}

void RpcServerConnection::answer(std::uint64_t number, const Future<std::string>& result) {
  ++server_.calls_served_;
  if (const std::exception_ptr error = result.exception())
    send(format_error(number, log::describe(error)));
  else
    send(format_result(number, result.result()));
}

Future<> RpcServerConnection::end() {
  co_await calls_.drain();
  if (stream_->closed()) co_return;
  if (too_long_ || (!stream_->at_eof() && stream_->available() > 0)) {
    co_await close_gracefully(*stream_, kReadAway);
  } else {
    co_await stream_->shutdown_write();
    stream_->close();
  }
}

Future<> RpcServerConnection::cancel_calls_when_closed() {
  co_await stream_->wait_closed();
  calls_.clear();
  if (room_) std::exchange(room_, std::nullopt)->set_result();
}

void RpcServerConnection::drain() {
  if (left_to_drain_) return;
  left_to_drain_ = stream_->available();
  reading_.cancel();
}

void RpcServerConnection::log_leftovers() const {
  if (codec_.holds_unfinished_line() || request_.waits_for_method())
    log::info("dropped an unfinished call of ", peer_);
}

void RpcServerConnection::send(std::string_view line) {
  if (!stream_->closed()) static_cast<void>(stream_->write(line));
}

}  // namespace eddy
