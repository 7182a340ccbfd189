// RpcServerConnection: one client of an RPCServer, from its first byte to its last answer.
//
// The server connection role of the article's server: mirrors tornado.http1connection's
// HTTP1ServerConnection. It reads on while calls run, and answers each as it completes. When the
// client ends its side, every call in flight finishes and every answer is sent before it closes.
// When the connection is reset, the calls are ended.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "../loop/coroutine_set.h"
#include "../loop/list.h"
#include "../stream/io_stream.h"
#include "rpc_request.h"
#include "rpc_server.h"
#include "telnet_codec.h"

namespace eddy {

class RpcServerConnection : public ListNode,
                            public std::enable_shared_from_this<RpcServerConnection> {
 public:
  RpcServerConnection(RPCServer& server, std::unique_ptr<IOStream> stream, std::string peer);
  ~RpcServerConnection();

  Future<> run();  // the conversation; this object must stay until it is done
  void drain();    // serve what has arrived, then end

  const std::string& peer() const { return peer_; }
  std::size_t in_flight() const { return calls_.size(); }

 private:
  class Call;
  using Event = TelnetCodec::Event;

  // Reading, in the order of a call's life.
  Future<> read_calls();
  bool handle(Event event);  // false: the client wants, or gets, nothing more
  void perform(RpcRequest::Action action);
  void call(RpcRequest::Call wanted);
  Future<> answer_later(std::unique_ptr<Call> call, Future<std::string> result);
  void answer(std::uint64_t number, const Future<std::string>& result);
  void send(std::string_view lines);
  void call_ended();

  // How it ends.
  void stop_reading(std::size_t arrived);  // bytes that are still to be read
  Future<> watch_for_close();
  Future<> watch_for_silence();
  bool shows_life();
  void log_leftovers() const;
  Future<> end();

  RPCServer& server_;
  const std::unique_ptr<IOStream> stream_;
  const std::string peer_;
  TelnetCodec codec_;
  RpcRequest request_;
  CoroutineSet calls_;
  Future<> close_watch_;
  Future<> silence_watch_;
  Future<std::string> reading_;
  std::optional<Promise<>> room_;        // somebody waits for a call to complete
  std::size_t left_to_read_ = SIZE_MAX;  // bytes, until nothing more is wanted
  std::uint64_t last_number_ = 0;
  std::uint64_t bytes_sent_ = 0;  // when shows_life() looked
  TimePoint last_activity_;
  bool client_may_go_on_ = false;  // it was cut short, and does not know it yet
};

}  // namespace eddy
