// HTTPConnection: one client of an HTTPServer, from its first byte to its last answer.
//
// Mirrors tornado.http1connection.HTTP1ServerConnection.
//
//   idle --a byte--> head --its end--> body --its end--> answering --answered--> idle
//     \--time, drain--> over \--time--> 408, over   \--not at once--> parked --the client left-->
//     over
//   what can't be: its answer, over
//
// Where the handler reads the body itself, answering begins with the head's end. What is read is in
// http_connection_read.cc, the rest in http_connection.cc.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "../loop/list.h"
#include "../stream/io_stream.h"
#include "http_body.h"
#include "http_parser.h"
#include "http_server.h"

namespace eddy {

class HTTPConnection : public ListNode,
                       public std::enable_shared_from_this<HTTPConnection>,
                       private HTTPBodyReader {
 public:
  HTTPConnection(HTTPServer& server, std::unique_ptr<IOStream> stream, const SocketAddress& client);
  ~HTTPConnection() override;

  Future<> run();  // the conversation
  void drain();    // what has arrived is still answered

 private:
  // Reading.
  void expect_request();
  HTTPParser::Event next_event();
  bool take_up(HTTPParser::Event event);
  void begin_request();
  void ask_for_body();
  void hold(std::string_view piece);
  void count_held();
  bool expects_more();
  Future<std::string>& receive();
  void take_in(std::string& bytes);
  void end_reading();
  void refuse(int status, std::string_view reason);
  void set_deadline(Duration patience);
  void clear_deadline() { deadline_ = TimePoint::max(); }
  void arm_timer();
  void timer_fired();
  void time_is_up();

  // Reading for a handler.
  Future<std::string> read() override;
  Future<> receive_for_handler();
  void set_max_size(std::uint64_t bytes) override { parser_.set_max_body(bytes); }
  void set_timeout(Duration patience) override { body_patience_ = patience; }

  // Answering.
  Future<> answer_request();
  Future<> wait_for_answer();
  void park();
  Future<> watch_client();
  std::size_t room_to_read_ahead() const;
  HTTPResponse take_answer();
  HTTPAnswerForm form_of(const HTTPResponse& response);
  bool is_last() const;
  void send(HTTPResponse& response, const HTTPAnswerForm& form);
  Future<std::uint64_t> send_stream(const HTTPResponse& response, bool chunked);
  void note_access(int status, std::uint64_t body_size);

  HTTPServer& server_;
  const std::unique_ptr<IOStream> stream_;
  const SocketAddress client_;
  HTTPParser parser_;
  std::string bytes_;            // that have come
  std::size_t used_ = 0;         // of them, by the parser
  Future<std::string> reading_;  // the stream
  Future<HTTPResponse> answer_;
  Future<> sending_;                // what the answer's stream writes
  Future<> watch_;                  // of a client that has asked and waits
  std::optional<TimePoint> begun_;  // the request, when its head had ended
  Duration body_patience_{};
  TimePoint deadline_ = TimePoint::max();
  IOLoop::Timeout timer_{};
  TimePoint timer_at_ = TimePoint::max();  // not later than the deadline
  bool idle_ = true;                       // nothing of a request has come
  bool streams_ = false;                   // the handler reads the body
  bool body_asked_ = false;
  bool body_over_ = false;
  bool waits_ = false;        // for the handler's answer
  bool answer_late_ = false;  // beyond answer_timeout
  bool client_left_ = false;
  bool draining_ = false;
  bool refused_ = false;
  bool lingers_ = false;  // the client may send on behind the last answer, and must not be reset
  bool over_ = false;     // nothing more is read
};

}  // namespace eddy
