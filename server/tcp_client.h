// TCPClient: a host and a port become a connection.
//
// Mirrors tornado.tcpclient.TCPClient. A host has many addresses, and some may lead nowhere, so
// several are tried side by side: RFC 8305, "happy eyeballs". They take turns by family, the
// resolver's favourite first. The next one is tried when one fails, or after a while; the first
// connection wins and the others are closed. (Tornado tries one of each family at a time, the
// second family after 0.3 s: five dead addresses in a row would then cost minutes.)
//
//   resolving --addresses--> connecting --the first that answers--> connected, or a TLS handshake
//       \--none-------------------\--all fail, or time is up--> failed, and all is closed
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "../stream/io_stream.h"
#include "../stream/tls_context.h"
#include "resolver.h"

namespace eddy {

// Within a co_await expression these need a name of their own: g++ 12 miscompiles a braced list
// there, so `co_await client.connect(host, port, options)`.
struct ConnectOptions {
  Duration timeout = Duration::max();  // from the call to the connection, all told
  int family = AF_UNSPEC;              // AF_INET or AF_INET6 for one kind only
  StreamLimits limits;                 // of the stream
  std::string source_ip;               // numeric; empty: as the kernel likes
  std::uint16_t source_port = 0;       // without source_ip: on the loopback, as in Tornado
  std::shared_ptr<const TLSContext> tls = nullptr;  // for_client(): the stream speaks TLS
  std::string server_hostname;  // whom its certificate must name; empty: the host
  Duration handshake_timeout = kHandshakeTimeout;  // of TLS alone, from the connection on
};

class TCPClient {
 public:
  // The first address has as long to itself as RFC 8305 recommends; then they follow at the
  // shortest delay that it does, so that behind five dead ones the sixth is tried after 0.65 s.
  static constexpr Duration kFirstDelay = std::chrono::milliseconds(250);
  static constexpr Duration kNextDelay = std::chrono::milliseconds(100);
  static constexpr std::size_t kMostAddresses = 32;  // of one host: the rest is not tried

  // Without a resolver: default_resolver().
  explicit TCPClient(std::shared_ptr<Resolver> resolver = nullptr);

  // Both fail with TimeoutError, or std::system_error, which names every address that was tried and
  // why it failed, and has the errno of the last one; std::invalid_argument for options or a
  // path that can't be. connect also with ResolverError; with TLS, as IOStream::start_tls. Dropping
  // the Future gives it all up; the client itself may go meanwhile.
  using Connection = Future<std::unique_ptr<IOStream>>;
  Connection connect(std::string host, std::uint16_t port,
                     ConnectOptions options = ConnectOptions()) const;
  // To a Unix socket: a path, or `@name` in the abstract namespace. Of the options, those that Unix
  // sockets know; a client of TLS that verifies needs the server_hostname.
  Connection connect_unix(std::string path, ConnectOptions options = ConnectOptions()) const;

 private:
  const std::shared_ptr<Resolver> resolver_;
};

}  // namespace eddy
