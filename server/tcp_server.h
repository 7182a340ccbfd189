// TCPServer: sockets become conversations.
//
// Mirrors tornado.tcpserver.TCPServer. A daemon derives from it and says in handle_stream what a
// conversation is; the server keeps what handle_stream returns until it is done, and logs how it
// failed. Dropping the server, which may happen within a conversation, ends them all, and closes
// every stream that it gave out.
//
//   listening --stop()--> conversations go on --they end--> idle
//       \--drain()--> the last ones are taken in, all may finish --they end, or time is up--> idle
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "../loop/coroutine_set.h"
#include "../loop/list.h"
#include "../stream/handshake_queue.h"
#include "../stream/io_stream.h"
#include "../stream/tls_context.h"
#include "listeners.h"
#include "netutil.h"
#include "process.h"

namespace eddy {

struct TCPServerOptions {
  StreamLimits stream;  // of every accepted stream; without a budget, they share one of their own
  std::size_t max_connections = 0;                           // at once; 0: no limit
  std::size_t max_total_buffer_size = std::size_t{1} << 30;  // of all; the fullest is closed
  BindOptions bind;                                          // of listen()

  std::shared_ptr<const TLSContext> tls = nullptr;  // for_server(): every stream speaks TLS
  Duration handshake_timeout = kHandshakeTimeout;   // from the accept on; the stream is closed then
  // Under way at once, those of start_tls() too; others wait in order; 0: no limit.
  std::size_t max_handshakes = 256;
};

// What they mean for each stream, where so many threads have a share of the total each.
SharedLimits limits_of_streams(const TCPServerOptions& options, std::size_t shares = 1);

class TCPServer {
 public:
  explicit TCPServer(const TCPServerOptions& options = {});
  // A derived server whose conversations use its members calls close_all_connections() in its own
  // destructor, for these members are gone by the time this one runs.
  virtual ~TCPServer();
  TCPServer(const TCPServer&) = delete;
  TCPServer& operator=(const TCPServer&) = delete;

  // Begins to accept. May be repeated for more ports; see bind_sockets for what it throws.
  void listen(std::uint16_t port, const std::string& address = "");
  void add_sockets(std::vector<UniqueFd> listeners);  // made by bind_sockets, or elsewhere: all
  void add_socket(UniqueFd listener);                 // listening, of any family
  std::vector<SocketAddress> addresses() const;       // where it listens

  // Begins later, perhaps in several processes, which share what was bound:
  //
  //   server.bind(8000);
  //   if (const auto code = server.start(0)) return *code;  // the parent, after the last child
  //   IOLoop::current().start();
  //
  // bind() listens as listen() does, but accepts only from start() on; after it, at once.
  void bind(std::uint16_t port, const std::string& address = "");
  // One process: accepts. More, or none for one on each core: forks them, and there must be no loop
  // yet. Gives nothing where serving goes on, on the thread's loop, which is made and kept by the
  // server where there is none; in the parent, once all children have ended, the exit code.
  // Limits are of each process. See fork_processes for what it throws; InvalidStateError when
  // called twice.
  [[nodiscard]] std::optional<int> start(int processes = 1, const ForkOptions& options = {});

  // Stops accepting; conversations go on, who waits in the kernel's queue is dropped. Safe at any
  // time, also within handle_stream, and twice.
  void stop();
  // Takes in what has reached the machine, stops accepting, and waits for the conversations, at
  // most so long; for a TLS handshake that has begun, a second, and for one that has not, no time.
  // Gives how many are left: close_all_connections() ends them. CancelledError when the server is
  // dropped meanwhile.
  Future<std::size_t> drain(Duration patience);
  void close_all_connections();

  std::size_t connections() const { return conversations_->size() + starting_; }
  std::size_t refused() const { return refused_; }  // beyond max_connections, so far
  const BufferBudget& buffers() const { return *limits_->budget; }

 protected:
  // One conversation. It is over when the Future is done: the stream, if it still lives then,
  // should be gone. A coroutine of either kind owns the stream and does just that; plain code that
  // keeps the stream elsewhere returns a Future of its own, or a done one, and is then not counted.
  // With TLS, the stream is a TLSIOStream whose handshake may not have begun: reads and writes
  // wait.
  virtual Future<> handle_stream(std::unique_ptr<IOStream> stream, SocketAddress address) = 0;
  // One above max_connections: closes it, unless overridden to say why first.
  virtual Future<> refuse_stream(std::unique_ptr<IOStream> stream, SocketAddress address);
  // The server drains: conversations that wait for a next request should end.
  virtual void draining() {}

 private:
  class Entry;  // of one in streams_, while it lives
  template <class Stream>
  class Accepted;
  // Shared by nobody: weak pointers tell whether the server outlived the user's code that ran.
  using Conversations = std::shared_ptr<CoroutineSet>;

  std::optional<int> fork_workers(int processes, ForkOptions options);
  std::unique_ptr<IOStream> make_stream(UniqueFd socket);
  void accepted(UniqueFd socket, const SocketAddress& address);
  Future<> converse(bool welcome, std::unique_ptr<IOStream> stream, const SocketAddress& address);

  std::unique_ptr<IOLoop> own_loop_;  // goes last
  const TCPServerOptions options_;
  const SharedLimits limits_;    // of the accepted streams
  std::vector<UniqueFd> bound_;  // until start()
  bool started_ = false;
  Listeners listeners_;
  HandshakeQueue handshakes_;
  List<Entry> streams_;  // not owned
  const Conversations conversations_;
  const Conversations refusals_;
  std::size_t starting_ = 0;  // it may ask how many there are before it first waits
  std::size_t refused_ = 0;
};

}  // namespace eddy
