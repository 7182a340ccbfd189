// RequestHandler: what becomes of one request of a RequestServer.
//
// Mirrors socketserver.BaseRequestHandler and StreamRequestHandler. A request is a connection, or
// one datagram, as the server's sockets have it, and the same handler may serve both. Its methods
// are coroutines of either face, or plain code that returns {}. In a thread or a child of its own,
// plain code may also wait for its client by recv() and send(), as the article's does:
//
//   Future<> handle() override {
//     for (;;) {
//       const std::string data = request().recv(1024);
//       if (data == "quit" || data.empty()) return {};
//       request().send(client_name() + ' ' + data);
//     }
//   }
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "../loop/list.h"
#include "../stream/io_stream.h"

namespace eddy {

class RequestServer;
struct RequestBells;

// The client's side of a request. While the server drains, what has arrived is still read, and
// then comes the end, as if the client had ended.
class Request : public ListNode {
 public:
  static constexpr std::size_t kReadSize = 64 << 10;

  bool is_datagram() const { return stream_ == nullptr; }
  IOStream& stream() const;  // the connection; InvalidStateError for a datagram

  // What one read gives, `most` bytes of a connection at most; empty at its end. A datagram is
  // given once and whole, and then comes the end. A reset fails with StreamClosedError.
  Future<std::string> read(std::size_t most = kReadSize);
  // A line without its LF or CRLF; nothing at the end, when an unfinished one is dropped and
  // logged. UnsatisfiableReadError for a line that is longer than `most` bytes.
  Future<std::optional<std::string>> read_line(std::size_t most = kReadSize);
  // To a connection: done at once, unless the client does not keep pace: see IOStream::drain. To a
  // datagram: another one, as its answer.
  Future<> write(std::string_view data);

  // The same for plain code, by blocking its thread; and wait() for any other Future that the
  // stream itself gave. That of a coroutine or of a timer, such as with_timeout, would never be
  // done, for the loop stands still meanwhile: hence `timeout`, after which they throw TimeoutError
  // and no byte is lost: what came is for the next read, what was sent still leaves. On the
  // server's own loop, which serves others too, they throw InvalidStateError; CancelledError when
  // the server closes.
  std::string recv(std::size_t most = kReadSize, Duration timeout = Duration::max());
  // The kernel has taken all of it. The stream's write_stall_timeout holds here, too.
  void send(std::string_view data, Duration timeout = Duration::max());
  template <class T>
  T wait(Future<T> future, Duration timeout = Duration::max()) {
    check_may_block();
    const TimePoint deadline = deadline_after(timeout);
    if (!future.done()) future.state()->begin_wait();
    while (!future.done()) wait_for_event(deadline);
    if constexpr (std::is_void_v<T>)
      return future.result();
    else
      return future.state()->take();
  }

  // For those who run it. `bells` tell of the server's end; without them nothing may block.
  Request(IOStream& stream, std::string client_name, const RequestBells* bells);
  using Reply = std::function<Future<>(std::string_view answer)>;
  Request(std::string_view datagram, std::string client_name, Reply reply);
  ~Request() = default;
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;
  void drain();

 private:
  bool start_read(std::size_t most);
  std::string take_read();
  Future<std::string> receive(std::size_t most);
  std::string take_unread(std::size_t most);
  std::optional<std::string> take_line(std::size_t most);
  void check_may_block() const;
  TimePoint deadline_after(Duration timeout) const;
  void wait_for_event(TimePoint deadline);

  IOStream* const stream_ = nullptr;
  const std::string client_name_;
  const RequestBells* const bells_ = nullptr;
  const Reply reply_;
  StreamBuffer unread_;       // what read_line() has left; the datagram
  std::size_t searched_ = 0;  // bytes of it that hold no line end
  Future<std::string> reading_;
  std::size_t left_to_read_ = SIZE_MAX;  // bytes, until nothing more is wanted
  bool draining_ = false;
};

class RequestHandler {
 public:
  RequestHandler() = default;
  virtual ~RequestHandler() = default;
  RequestHandler(const RequestHandler&) = delete;
  RequestHandler& operator=(const RequestHandler&) = delete;

  // In this order. finish() comes whenever setup() succeeded, whatever becomes of handle(); when
  // the server closes first, as far as it goes without a wait.
  virtual Future<> setup() { return {}; }
  virtual Future<> handle() = 0;
  virtual Future<> finish() { return {}; }

 protected:  // from setup() on
  Request& request() const { return *request_; }
  const SocketAddress& client_address() const { return client_address_; }
  const std::string& client_name() const { return client_name_; }  // as the server calls it
  RequestServer& server() const { return *server_; }  // its loop may be another thread's

 private:
  friend class RequestRunner;
  Request* request_ = nullptr;
  SocketAddress client_address_;
  std::string client_name_;
  RequestServer* server_ = nullptr;
};

}  // namespace eddy
