#include "rpc_client.h"

#include <utility>

#include "../loop/await.h"
#include "rpc_arguments.h"
#include "rpc_message.h"

namespace eddy {

RPCClient::RPCClient(std::unique_ptr<IOStream> connected, std::size_t max_answer)
    : stream_(std::move(connected)), max_answer_(max_answer), codec_(max_answer) {
  stream_->set_nodelay(true);
  reading_ = read_answers();
}

RPCClient::~RPCClient() {
  reading_ = {};
  fail_all(std::make_exception_ptr(StreamClosedError()));
}

Future<std::string> RPCClient::call(std::string_view handler, std::string_view method,
                                    std::span<const std::string> arguments, Location where) {
  Promise<std::string> promise("an RPC answer", where);
  Future<std::string> future = promise.future();
  try {
    if (stream_->closed() || stream_->at_eof()) throw StreamClosedError(stream_->error());
    std::string line = quote_word(std::string(handler) + '.' + std::string(method));
    for (const std::string& argument : arguments) line += ' ' + quote_word(argument);
    static_cast<void>(stream_->write(escape_iac(std::move(line)) + "\r\n"));
    pending_.emplace(++last_number_, Pending{std::move(promise), {}});
  } catch (...) {
    promise.set_exception(std::current_exception());
  }
  return future;
}

Future<> RPCClient::read_answers() {
  std::exception_ptr error;
  try {
    for (;;) {
      const std::string bytes =
          co_await stream_->read_bytes(stream_->limits().read_chunk_size, true);
      std::string_view input = bytes;
      for (auto event = codec_.next(input); event != TelnetCodec::Event::none;
           event = codec_.next(input)) {
        if (event == TelnetCodec::Event::line) take(codec_.line());
        if (event == TelnetCodec::Event::line_too_long)
          throw LimitError("an answer is longer than max_answer = " + std::to_string(max_answer_));
      }
    }
  } catch (...) {
    error = std::current_exception();
  }
  stream_->close();
  fail_all(error);
}

void RPCClient::take(std::string_view line) {
  RpcAnswer answer = parse_answer(line);
  if (answer.kind == RpcAnswer::Kind::notice) {
    last_notice_ = std::move(answer.text);
    return;
  }
  const auto found = pending_.find(answer.number);
  if (found == pending_.end()) return;  // an answer that nobody asked for
  Pending& pending = found->second;
  if (answer.kind == RpcAnswer::Kind::row) {
    pending.rows += answer.text + '\n';
    if (pending.rows.size() > max_answer_)
      throw LimitError("an answer is longer than max_answer = " + std::to_string(max_answer_));
    return;
  }
  Pending done = std::move(pending);
  pending_.erase(found);
  if (answer.kind == RpcAnswer::Kind::ok)
    done.promise.set_result(done.rows + answer.text);
  else
    done.promise.set_exception(RpcError(answer.text));
}

void RPCClient::fail_all(const std::exception_ptr& error) {
  std::map<std::uint64_t, Pending> failed = std::exchange(pending_, {});
  for (auto& [number, pending] : failed) pending.promise.set_exception(error);
}

}  // namespace eddy
