// RPCClient: calls an RPCServer from a program.
//
// What tornado.simple_httpclient is to tornado.httpserver. Any number of calls may be under way;
// answers find theirs by number, in whatever order they come.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "../stream/io_stream.h"
#include "telnet_codec.h"

namespace eddy {

class RPCClient {
 public:
  static constexpr std::size_t kMaxAnswer = 64 << 20;  // bytes of one answer, rows together

  explicit RPCClient(std::unique_ptr<IOStream> connected, std::size_t max_answer = kMaxAnswer);
  ~RPCClient();  // pending calls fail
  RPCClient(const RPCClient&) = delete;
  RPCClient& operator=(const RPCClient&) = delete;

  // The answer's text; each row of several is followed by a newline. Fails with RpcError and the
  // text of an error answer, StreamClosedError when the server has gone, LimitError (and the
  // connection closes) when an answer passes max_answer; std::invalid_argument when a word holds a
  // line end, which no call can carry.
  Future<std::string> call(std::string_view handler, std::string_view method,
                           std::span<const std::string> arguments = {},
                           Location where = Location::current());

  void close() { stream_->close(); }
  bool closed() const { return stream_->closed(); }
  const std::string& last_notice() const { return last_notice_; }  // such as why it was refused

 private:
  struct Pending {
    Promise<std::string> promise;
    std::string rows;
  };

  Future<> read_answers();
  void take(std::string_view line);
  void fail_all(const std::exception_ptr& error);

  const std::unique_ptr<IOStream> stream_;
  const std::size_t max_answer_;
  TelnetCodec codec_;
  std::map<std::uint64_t, Pending> pending_;
  std::uint64_t last_number_ = 0;
  std::string last_notice_;
  Future<> reading_;
};

}  // namespace eddy
