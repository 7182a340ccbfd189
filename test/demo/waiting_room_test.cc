// The web application of the README, from outside.

#include <gtest/gtest.h>

#include <string>
#include <system_error>

#include "../support/client.h"
#include "../support/demo_process.h"
#include "../support/stream_test.h"

namespace eddy {
namespace {

std::uint16_t a_free_port() {
  return SocketAddress::local_of(StreamTest::listen_on_loopback().get()).port();
}

bool is_ready(std::uint16_t port) {
  try {
    const Client client(port);
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

std::string asking(const std::string& path) {
  return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
}

TEST(WaitingRoom, ARequestWaitsUntilAnotherOneBringsItsAnswer) {
  const std::uint16_t port = a_free_port();
  const DemoProcess room(DemoProcess::path_of("waiting_room"), {std::to_string(port)});
  ASSERT_TRUE(eventually([&] { return is_ready(port); })) << "it says nothing when it is";
  Client waiting(port);
  waiting.send(asking("/req/"));
  EXPECT_TRUE(eventually([&] {  // which of the two is taken up first is the kernel's to say
    Client other(port);
    other.send(asking("/stop/come%20in"));
    return other.read_line() == "HTTP/1.1 200 OK";
  }));
  const std::string answer = waiting.read_until("\r\n\r\ncome in");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n"));
}

}  // namespace
}  // namespace eddy
