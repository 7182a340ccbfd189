// asio_serve: a server of the benchmark on standalone asio around its conversations.
//
// In each style a line is read by async_read_until, whatever else by async_read_some, and answered
// by an async_write.
#pragma once

#include <array>
#include <asio.hpp>
#include <string>
#include <utility>

#include "../serve.h"

namespace bench {

using asio::ip::tcp;

constexpr std::size_t kLongestInput = 1 << 20;  // one line and those that came with it

using Converse = void (*)(tcp::socket socket);

inline void accept_next(tcp::acceptor& acceptor, Converse converse) {
  acceptor.async_accept([&acceptor, converse](std::error_code error, tcp::socket socket) {
    if (!error) {
      socket.set_option(tcp::no_delay(true));
      converse(std::move(socket));
    }
    accept_next(acceptor, converse);
  });
}

// Runs one of these for each connection, as the command line says.
struct Conversations {
  Converse lines, echo, sink;

  Converse operator[](Serve serve) const {
    if (serve == Serve::echo) return echo;
    return serve == Serve::sink ? sink : lines;
  }
};

inline int serve(int argc, char** argv, const Conversations& conversations) {
  const Options options = parse_options(argc, argv, {Serve::lines, Serve::echo, Serve::sink});
  asio::io_context context(1);  // one thread: asio leaves locks out
  tcp::acceptor acceptor(context);
  acceptor.open(tcp::v4());
  acceptor.set_option(tcp::acceptor::reuse_address(true));
  acceptor.bind({asio::ip::address_v4::loopback(), options.port});
  acceptor.listen(kBacklog);
  announce(acceptor.local_endpoint().port());
  accept_next(acceptor, conversations[options.serve]);
  context.run();
  return 0;
}

}  // namespace bench
