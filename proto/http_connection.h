// HTTPConnection: one client of an HTTPServer, from its first byte to its last answer.
//
// Mirrors tornado.http1connection.HTTP1ServerConnection.
//
//   idle --a byte--> head --its end--> body --its end--> answering --answered--> idle
//     \--time, drain--> over \--time--> 408, over   \--not at once--> parked --the client left-->
//     over
//   what can't be: its answer, over
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "../loop/list.h"
#include "../stream/io_stream.h"
#include "http_parser.h"
#include "http_server.h"

namespace eddy {

class HTTPConnection : public ListNode, public std::enable_shared_from_this<HTTPConnection> {
 public:
  HTTPConnection(HTTPServer& server, std::unique_ptr<IOStream> stream, const SocketAddress& client);
  ~HTTPConnection();

  Future<> run();  // the conversation; this object must stay until it is done
  void drain();    // what has arrived is still answered

 private:
  // Reading.
  Future<bool> read_request();  // false: there will be none
  void handle(HTTPParser::Event event);
  void begin_request();
  Future<> read_more();
  void time_is_up();
  void set_deadline(Duration patience);
  void clear_deadline();

  // Answering.
  Future<> answer_request();
  Future<> wait_for_answer();
  Future<> watch_client();
  std::size_t room_to_read_ahead() const;
  static HTTPResponse outcome_of(const Future<HTTPResponse>& answer);
  bool is_last() const;
  void refuse(int status, std::string_view reason);
  void send(const HTTPResponse& response, const HTTPAnswerForm& form);

  HTTPServer& server_;
  const std::unique_ptr<IOStream> stream_;
  const SocketAddress client_;
  HTTPParser parser_;
  std::string bytes_;     // that have come
  std::size_t used_ = 0;  // of them, by the parser
  Future<std::string> reading_;
  Future<HTTPResponse> answer_;
  IOLoop::Timeout deadline_{};
  bool client_left_ = false;
  bool draining_ = false;
  bool refused_ = false;  // the client may go on, and does not know it yet
  bool over_ = false;     // nothing more is read
};

}  // namespace eddy
