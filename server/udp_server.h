// UDPServer: datagrams become answers.
//
// Mirrors socketserver.UDPServer and UnixDatagramServer, in the shape of tornado.tcpserver; Tornado
// has none. A daemon derives from it and says in handle_datagram what becomes of one; the server
// keeps what that returns until it is done, and logs how it failed. Dropping the server, which may
// happen within a handler, ends them all.
//
//   listening --stop()--> handlers go on, and may answer --they end--> idle, the sockets are closed
//       \--drain()--> what has arrived is handled and answered --all is, or time is up--> stop()
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "../loop/coroutine_set.h"
#include "../stream/datagram_socket.h"
#include "../stream/socket_address.h"
#include "netutil.h"

namespace eddy {

struct UDPServerOptions {
  DatagramOptions datagrams;        // of every socket
  std::size_t max_handlers = 1000;  // at once; then arrivals wait in the kernel; 0: no limit
  BindOptions bind;                 // of listen()
};

class UDPServer {
 public:
  explicit UDPServer(const UDPServerOptions& options = {});
  // A derived server whose handlers use its members calls end_all_handlers() in its own destructor,
  // for these members are gone by the time this one runs.
  virtual ~UDPServer();
  UDPServer(const UDPServer&) = delete;
  UDPServer& operator=(const UDPServer&) = delete;

  // Begins to receive. May be repeated; see bind_datagram_sockets for what it throws.
  void listen(std::uint16_t port, const std::string& address = "");
  void add_sockets(std::vector<UniqueFd> sockets);  // bound, of any family: all, or none
  void add_socket(UniqueFd socket);  // by bind_datagram_sockets, bind_unix_datagram_socket, systemd
  std::vector<SocketAddress> addresses() const;  // where it receives

  // Receives no more: what waits in the kernel is dropped. Safe at any time, also within a handler,
  // and twice.
  void stop();
  // Receives what has reached the machine, and nothing that comes later; waits for the handlers and
  // for what they send, at most so long; then stops. Gives how many handlers are left:
  // end_all_handlers() ends them. CancelledError when the server is dropped meanwhile.
  Future<std::size_t> drain(Duration patience);
  void end_all_handlers();

  std::size_t handlers() const { return places_->taken; }  // under way
  std::size_t received() const { return received_; }       // datagrams, so far
  std::size_t truncated() const { return truncated_; }     // of them
  std::size_t kernel_drops() const;  // by the sockets that receive; see DatagramSocket

 protected:
  // Answers with socket.send_to(answer, datagram.from), now or later: the socket stays until the
  // Future that this returns is done. What fails is logged.
  virtual Future<> handle_datagram(Datagram datagram, DatagramSocket& socket) = 0;

 private:
  class Place;
  using Socket = std::unique_ptr<DatagramSocket>;
  struct Places {  // shared with the handlers, the last of which may drop the server as it ends
    std::size_t taken = 0;
    Promise<> room{nullptr};
    std::vector<Socket> stopped;  // but a handler may still answer through one
  };
  // Shared by nobody: weak pointers tell whether the user's code that ran ended it.
  using Coroutines = std::shared_ptr<CoroutineSet>;
  using Weak = std::weak_ptr<CoroutineSet>;

  Socket make_socket(UniqueFd socket) const;
  void start_receiving(Socket socket);
  Future<> receive_all(DatagramSocket& socket, Weak receivers);
  bool full() const;
  Future<> room();
  void handle(Datagram datagram, DatagramSocket& socket);
  Future<> begin(Datagram datagram, DatagramSocket& socket);
  static Future<> until_done(Place place, Future<> handling);

  const UDPServerOptions options_;
  std::vector<Socket> sockets_;
  Coroutines receivers_;
  const Coroutines handlers_;
  const std::shared_ptr<Places> places_ = std::make_shared<Places>();
  std::size_t received_ = 0;
  std::size_t truncated_ = 0;
};

}  // namespace eddy
