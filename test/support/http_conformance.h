// HTTPConformance: raw requests, and what must come of them, one line each, with its section.
//
// Each is sent before another request: in two pieces, cut at each of its bytes, and behind a
// request too, whole and byte by byte. What comes of it is the same each time:
//
//   "200 GET /a?b"   answered by a handler that says what it was given; the connection goes on
//   "405 GET, HEAD"  with this Allow; the connection goes on
//   "400 close"      refused; nothing behind it is answered, and the server ends the connection
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <list>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>

#include <eddy/proto/http_server.h>

#include "http_requests.h"
#include "raw_client.h"
#include "simulated_loop.h"

namespace eddy {

struct HTTPRow {
  const char* section;  // of RFC 9110, 9112 or 3986
  std::string bytes;
  const char* outcome;
};

inline void PrintTo(const HTTPRow& row, std::ostream* out) {
  *out << "RFC " << row.section << ": " << testing::PrintToString(row.bytes);
}

// What a server has answered so far, a word or two each: "100; 200 GET /; 400 close".
std::string told_by_answers(std::string_view answers);

class HTTPConversations : public SimulatedLoop {
 public:
  HTTPConversations();

  void serve();
  RawClient& connect();
  RawClient& say(const std::string& bytes);  // on a new connection
  bool hears(RawClient& client, const std::string& expected);
  bool ends(RawClient& client);
  void run_until_heard();  // what all clients have said so far
  // All clients leave; the server has nothing left of them, and no descriptor.
  void leave();

  HTTPRoutes routes;
  HTTPOptions options;
  std::unique_ptr<HTTPServer> server;
  SocketAddress address;
  std::list<RawClient> clients;
  std::size_t descriptors = 0;  // before the first client
};

class HTTPConformance : public HTTPConversations, public testing::WithParamInterface<HTTPRow> {
 public:
  void check(const HTTPRow& row);

 private:
  void check_in_two_pieces(const std::string& conversation, std::size_t from, std::size_t to);
  void check_byte_by_byte(const std::string& conversation);
  void check_outcome(RawClient& client);
  bool is_settled(RawClient& client) const;

  std::string expected_;
};

}  // namespace eddy
