#include "tls_io_stream.h"

#include <cerrno>
#include <stdexcept>
#include <utility>

#include "../loop/errors.h"
#include "../loop/log.h"
#include "tls_session.h"

namespace eddy {

using Status = TLSSession::Status;

// What is needed only until the handshake is done.
class TLSIOStream::Handshake final : public HandshakeQueue::Member {
 public:
  Handshake(TLSIOStream& stream, HandshakeOptions options)
      : stream_(stream), options_(std::move(options)) {}
  ~Handshake() {
    if (options_.queue) options_.queue->leave(*this);
    if (IOLoop::current_or_null()) stream_.loop().remove_timeout(deadline_);
  }
  Handshake(const Handshake&) = delete;
  Handshake& operator=(const Handshake&) = delete;

  const std::string& server_hostname() const { return options_.server_hostname; }

  void begin() {
    if (deadline_.serial != 0) return;
    end_at(after(stream_.loop().time(), options_.timeout), "handshake_timeout", options_.timeout);
    if (options_.queue) options_.queue->come(*this);
  }
  void ask_for_step() {
    if (!options_.queue) return take_step();
    stream_.watch(kNone);
    options_.queue->ask(*this);
  }
  void take_step() override { stream_.take_step(); }
  void give_up(std::size_t limit) override {
    stream_.close(std::make_exception_ptr(
        LimitError("TLS: the peer was silent, others wait, and no more than max_handshakes = " +
                   std::to_string(limit) + " may be under way")));
  }
  void hurry() override {
    constexpr Duration kPatience = HandshakeQueue::kDrainPatience;
    if (!stream_.session_ && stream_.IOStream::arrived() == 0) return stream_.close();
    const TimePoint soon = after(stream_.loop().time(), kPatience);
    if (soon < ends_at_) end_at(soon, "the server drains, and kDrainPatience", kPatience);
  }

  Promise<> waiter{nullptr};

 private:
  void end_at(TimePoint time, const char* limit, Duration patience) {
    stream_.loop().remove_timeout(deadline_);
    ends_at_ = time;
    deadline_ = stream_.loop().call_at(
        time, [this, limit, patience] { stream_.time_is_up(limit, patience); });
  }

  TLSIOStream& stream_;
  const HandshakeOptions options_;
  IOLoop::Timeout deadline_{};
  TimePoint ends_at_{};
};

TLSIOStream::TLSIOStream(UniqueFd socket, std::shared_ptr<const TLSContext> context,
                         const HandshakeOptions& options, SharedLimits limits)
    : IOStream(std::move(socket), std::move(limits)),
      context_(std::move(context)),
      handshake_(std::make_unique<Handshake>(*this, options)) {
  if (context_->verifies_server() && options.server_hostname.empty())
    throw std::invalid_argument("TLSIOStream: a client that verifies needs the server_hostname");
  if (context_->is_server() || is_connected()) begin_handshake();
}

TLSIOStream::~TLSIOStream() { close(); }

// --- The handshake -------------------------------------------------------------------------------

// A server listens first, a client speaks first.
void TLSIOStream::begin_handshake() {
  begin_connecting();
  handshake_->begin();
  watch(context_->is_server() ? kRead : kWrite);
}

void TLSIOStream::handle_connect() {
  if (!handshake_) return take_step();
  if (!session_ && !context_->is_server() && was_refused()) return;
  handshake_->begin();
  handshake_->ask_for_step();
}

void TLSIOStream::take_step() {
  or_close([this] {
    if (!session_)
      session_ = std::make_unique<TLSSession>(*context_, handshake_->server_hostname(),
                                              loop().platform(), fileno());
    switch (session_->handshake()) {
      case Status::done: return handshake_done();
      case Status::wants_read: return watch(kRead);
      case Status::wants_write: return watch(kWrite);
      default: return connection_failed(session_->error_number(), "TLS handshake");
    }
  });
}

void TLSIOStream::handshake_done() {
  if (const std::unique_ptr<Handshake> done = std::move(handshake_))
    if (done->waiter) done->waiter.set_result();
  finish_connect();
}

// A message of the handshake's kind, such as a new key, may come at any time, and in pieces. Until
// it is complete OpenSSL neither writes what we give it nor reads what is behind it.
void TLSIOStream::let_handshake_go_on(std::uint32_t events) {
  begin_connecting();
  watch(events);
}

void TLSIOStream::fail_connect(const std::exception_ptr& error) {
  const std::unique_ptr<Handshake> failed = std::move(handshake_);
  if (failed && failed->waiter) {
    failed->waiter.state()->forgive();
    failed->waiter.set_exception(error);
  }
  IOStream::fail_connect(error);
}

void TLSIOStream::time_is_up(const char* limit, Duration patience) {
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(patience);
  close(std::make_exception_ptr(TimeoutError("TLS: " + std::string(limit) + " = " +
                                             std::to_string(milliseconds.count()) +
                                             " ms has passed")));
}

Future<> TLSIOStream::wait_for_handshake(Location where) {
  check_thread("TLSIOStream::wait_for_handshake");
  const auto failed = [where](std::exception_ptr reason) {
    return make_failed_future<void>(std::move(reason), "wait_for_handshake", where);
  };
  if (closed()) return failed(std::make_exception_ptr(StreamClosedError(error())));
  if (!handshake_) return {};
  Promise<>& waiter = handshake_->waiter;
  if (waiter && !waiter.done() && !waiter.state()->abandoned())
    return failed(std::make_exception_ptr(
        InvalidStateError("wait_for_handshake: somebody waits already, one at a time")));
  waiter = Promise<>("wait_for_handshake", where);
  return waiter.future();
}

// --- Reading and writing -------------------------------------------------------------------------

namespace {

ssize_t none_moved(const TLSSession& session, Status status) {
  errno = status == Status::failed ? session.error_number() : EAGAIN;
  return -1;
}

}  // namespace

ssize_t TLSIOStream::read_from_fd(char* data, std::size_t size) {
  const auto [bytes, status] = session_->read(data, size);
  if (status == Status::wants_write) let_handshake_go_on(kWrite);
  if (bytes > 0 || status == Status::ended) return static_cast<ssize_t>(bytes);
  return none_moved(*session_, status);
}

ssize_t TLSIOStream::write_to_fd(const char* data, std::size_t size) {
  const auto [bytes, status] = session_->write(data, size);
  if (status == Status::wants_read) let_handshake_go_on(kRead);
  read_waits();
  return bytes > 0 ? static_cast<ssize_t>(bytes) : none_moved(*session_, status);
}

// What TLS holds from now on, the kernel no longer does.
void TLSIOStream::read_waits() {
  if (session_ && session_->holds_unread()) loop().queue().add(*this);
}

// Only what is decrypted can be counted.
std::size_t TLSIOStream::arrived() {
  if (connecting() && session_) take_step();
  if (!connecting() && !closed()) take_in_what_came();
  return 0;
}

// --- The end -------------------------------------------------------------------------------------

bool TLSIOStream::say_goodbye() {
  switch (session_->say_goodbye()) {
    case Status::done: return true;
    case Status::wants_read: let_handshake_go_on(kRead); return false;
    case Status::failed: connection_failed(session_->error_number(), "TLS close"); return false;
    default: return false;
  }
}

void TLSIOStream::close_fd() {
  const bool nothing_is_dropped = !writing();
  if (established() && nothing_is_dropped && IOLoop::current_or_null()) session_->say_goodbye();
  session_.reset();
  if (!IOLoop::current_or_null()) handshake_.reset();  // its queue may go next
  IOStream::close_fd();
}

void TLSIOStream::connection_failed(int error_number, const char* what) {
  let_read_fail();  // a read until the close has not seen it all
  const std::exception_ptr reason = session_ ? session_->error() : nullptr;
  if (!reason) return IOStream::connection_failed(error_number, what);
  const bool told_elsewhere = handshake_ && !context_->is_server();  // to who connects
  if (!session_->truncated() && !told_elsewhere) log::warning("TLS failed: ", peer(), ": ", reason);
  close(reason);
}

std::string TLSIOStream::peer() const {
  try {
    return SocketAddress::peer_of(fileno()).to_string();
  } catch (const std::system_error&) {  // it is gone
    return "a peer";
  }
}

// --- What was agreed on --------------------------------------------------------------------------

const TLSSession* TLSIOStream::established() const {
  return session_ && session_->established() ? session_.get() : nullptr;
}

std::string TLSIOStream::alpn_protocol() const {
  return established() ? session_->alpn_protocol() : "";
}

std::string TLSIOStream::tls_version() const { return established() ? session_->version() : ""; }

std::string TLSIOStream::cipher() const { return established() ? session_->cipher() : ""; }

std::string TLSIOStream::peer_certificate_subject() const {
  return established() ? session_->peer_subject() : "";
}

}  // namespace eddy
