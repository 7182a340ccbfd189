// Snow: the program, and what is asked of it.
#pragma once

#include <signal.h>

#include <cstddef>
#include <string>
#include <utility>

#include "../support/demo_server.h"

namespace eddy {

class Snow : public DemoServer {
 public:
  explicit Snow(Words flags = {}) : DemoServer("snow", std::move(flags)) {}

  // So many requests have waited for another one: what is sent on one connection may be taken up
  // before what was sent on another.
  bool eventually_parks(std::size_t number) {
    const std::string many = number == 1 ? "" : std::to_string(number) + " x ";
    return eventually([&] {
      kill(SIGUSR1);
      return err().wait_for('\n' + many + "coroutine of demo/snow.cc", Seconds(0.1));
    });
  }
};

inline std::string asking(const std::string& path) {
  return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
}

// The status and the body of an answer.
inline std::string answer_to(Client& client, const std::string& request, const std::string& body) {
  client.send(request);
  const std::string answer = client.read_until("\r\n\r\n" + body);
  return answer.substr(9, 3) + ' ' + body;
}
inline std::string ask(const Snow& snow, const std::string& path, const std::string& body) {
  Client client(snow.port());
  return answer_to(client, asking(path), body);
}

}  // namespace eddy
