// RequestServer: a server of requests, each of which is answered by a handler object.
//
// Mirrors Python's socketserver: its server classes are what the sockets are (TCP, UDP, a Unix
// stream or Unix datagrams), and its mix-ins are a policy: requests run on the server's loop, on
// threads that have a loop each, or each in a child process. Datagrams run on the loop only.
//
//   RequestServer server(handled_by<EchoHandler>(), OnThreads{.threads = 8});
//   server.listen(9999, "127.0.0.1");
//   server.serve_forever();
//
// It belongs to the thread of its loop; others may call shutdown(). A handler may stop it, but not
// destroy it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "request_handler.h"
#include "tcp_server.h"
#include "udp_server.h"

namespace eddy {

// Where requests run.
struct OnLoop {};  // of the server, as coroutines
struct OnThreads {
  std::size_t threads = 4;
  std::size_t max_per_thread = 1024;  // connections; when all have so many, one more is refused
};
// A process for each connection. The server's process may have no other threads: a fork would take
// their locks along, but not them.
struct InChildren {
  std::size_t max_children = 40;  // at once; the next connection waits unaccepted
};
using RequestPolicy = std::variant<OnLoop, OnThreads, InChildren>;

class Listeners;
class OpenRequests;
class RequestDatagrams;
class RequestPlace;
struct AcceptedRequest;

class RequestServer {
 public:
  using MakeHandler = std::function<std::unique_ptr<RequestHandler>()>;  // called where it runs
  static constexpr Duration kPollInterval = std::chrono::milliseconds(500);

  // The options' limits on streams hold for each; max_connections counts all there are. Throws
  // std::system_error when a thread can't be had, and std::invalid_argument for a budget of
  // streams OnThreads, since it has no locks.
  explicit RequestServer(MakeHandler make_handler, const RequestPolicy& policy = OnLoop(),
                         TCPServerOptions options = {},
                         const UDPServerOptions& datagram_options = {});
  // A derived server whose handlers call it, or its overridden methods, calls server_close() in
  // its own destructor.
  virtual ~RequestServer();
  RequestServer(const RequestServer&) = delete;
  RequestServer& operator=(const RequestServer&) = delete;

  // As TCPServer's and UDPServer's: bound by one of the functions of netutil.h, or made elsewhere.
  // Throws InvalidStateError for datagrams that would not run on the loop.
  void listen(std::uint16_t port, const std::string& address = "");
  void add_sockets(std::vector<UniqueFd> sockets);
  void add_socket(UniqueFd socket);
  std::vector<SocketAddress> addresses() const;

  // Runs the loop until shutdown(), and meanwhile service_actions() each poll_interval.
  void serve_forever(Duration poll_interval = kPollInterval);
  void shutdown();  // any thread, also before serve_forever(), which then returns at once

  // Stops accepting; requests go on, and who waits in the kernel's queue is dropped.
  void stop();
  // Takes in what has reached the machine, stops accepting, and waits for the requests, at most so
  // long; to them it looks as if their clients ended. Gives how many are left.
  Future<std::size_t> drain(Duration patience);
  // Ends all there is: streams close, recv() and send() fail, children are killed, and threads are
  // joined: code of a handler's own that blocks is waited for. The end of the server; twice is
  // harmless.
  void server_close();
  void close_all_connections() { server_close(); }

  std::size_t connections() const;
  std::vector<std::string> clients() const;         // their names, in the order of their coming
  std::vector<std::string> workers() const;         // the threads or children, and what each does
  std::size_t refused() const { return refused_; }  // beyond a limit, or not verified

 protected:
  virtual bool verify_request(const SocketAddress&) { return true; }  // false: it is closed
  virtual void service_actions() {}
  // What a handler, and the logs, call a client; asked once, on the server's thread.
  virtual std::string client_name(const SocketAddress& client) { return client.to_string(); }
  // What a handler threw. Called where it ran: on another thread, or in a child.
  virtual void handle_error(const std::string& client, const std::exception_ptr& error);

 private:
  friend class RequestDatagrams;
  friend class RequestRunner;

  std::unique_ptr<RequestPlace> make_place(const RequestPolicy& policy);
  RequestDatagrams& datagrams();
  void accepted(UniqueFd socket, const SocketAddress& client);
  void process_request(UniqueFd socket, const SocketAddress& client);
  std::optional<AcceptedRequest> admit(UniqueFd socket, const SocketAddress& client);

  IOLoop& loop_;
  const MakeHandler make_handler_;
  const TCPServerOptions options_;
  const std::shared_ptr<OpenRequests> open_;
  const std::unique_ptr<RequestBells> bells_;
  const std::unique_ptr<Listeners> listeners_;
  std::unique_ptr<RequestPlace> place_;
  const UDPServerOptions datagram_options_;
  std::unique_ptr<RequestDatagrams> datagrams_;  // once there is a socket of them
  std::size_t refused_ = 0;
};

// Each request gets a Handler of its own, made with copies of the arguments.
template <class Handler, class... Args>
RequestServer::MakeHandler handled_by(Args... arguments) {
  return [=] { return std::make_unique<Handler>(arguments...); };
}

}  // namespace eddy
