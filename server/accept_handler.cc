#include "accept_handler.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "../loop/log.h"
#include "../loop/run_logged.h"

namespace eddy {
namespace {

// The peer was gone before we took it, or a signal came between; the next one may be there.
bool another_may_succeed(int error_number) {
  switch (error_number) {
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETDOWN:
    case ENETUNREACH:
    case ETIMEDOUT:
    case EPERM:  // a firewall's word
      return true;
    default: return false;
  }
}

}  // namespace

// Stays while it accepts, so that a callback may drop its handler.
class AcceptHandler::Acceptor : public EventHandler, public std::enable_shared_from_this<Acceptor> {
 public:
  Acceptor(int listener, Accepted accepted)
      : loop_(IOLoop::current()), listener_(listener), accepted_(std::move(accepted)) {
    loop_.add_handler(listener_, kRead, *this);
  }

  void stop() {
    stopped_ = true;
    if (!IOLoop::current_or_null()) return;  // the loop went before us
    loop_.remove_timeout(resume_);
    loop_.remove_handler(listener_);
  }
  bool paused() const { return paused_; }

  void handle_events(std::uint32_t) override { accept_some(kAcceptsPerTurn); }

  void accept_some(int most) {
    const std::shared_ptr<Acceptor> keep = shared_from_this();
    for (int accepts = 0; accepts < most && !stopped_; ++accepts)
      if (!accept_one()) return;
  }

 private:
  bool accept_one() {  // false: enough for now
    sockaddr_storage storage;
    socklen_t size = sizeof storage;
    auto* address = reinterpret_cast<sockaddr*>(&storage);
    UniqueFd socket =
        above_standard_streams(UniqueFd(loop_.platform().accept(listener_, address, &size)));
    if (!socket) return refused(errno);
    failures_ = 0;
    patience_ = kFirstPause;
    run_logged("Error in connection callback: ",
               [&] { accepted_(std::move(socket), SocketAddress::from(address, size)); });
    return true;
  }

  bool refused(int error_number) {
    if (error_number == EAGAIN || error_number == EWOULDBLOCK) {  // all have come in
      failures_ = 0;
      patience_ = kFirstPause;
      told_ = false;
      return false;
    }
    // So many in a row are no peers' doing.
    if (another_may_succeed(error_number) && ++failures_ < kAcceptsPerTurn) return true;
    pause(error_number);
    return false;
  }

  void pause(int error_number) {
    if (paused_) return;
    paused_ = true;
    if (!std::exchange(told_, true))
      log::warning("cannot accept connections: ", std::string_view(std::strerror(error_number)),
                   "; trying again from time to time");
    loop_.update_handler(listener_, kNone);
    resume_ = loop_.call_later(patience_, [this] { resume(); });
    patience_ = std::min(2 * patience_, kLongestPause);
  }

  void resume() {
    paused_ = false;
    loop_.update_handler(listener_, kRead);
    accept_some(kAcceptsPerTurn);  // nobody there any more? Then only this tells that it is over
  }

  IOLoop& loop_;
  const int listener_;
  const Accepted accepted_;
  IOLoop::Timeout resume_;
  Duration patience_ = kFirstPause;  // longer while nobody at all comes in
  int failures_ = 0;                 // in a row
  bool told_ = false;                // of the shortage, until all have come in
  bool paused_ = false;
  bool stopped_ = false;
};

AcceptHandler::AcceptHandler(int listener, Accepted accepted)
    : acceptor_(std::make_shared<Acceptor>(listener, std::move(accepted))) {}

AcceptHandler::~AcceptHandler() { acceptor_->stop(); }

void AcceptHandler::accept_waiting() { acceptor_->accept_some(kMostWaiting); }

bool AcceptHandler::paused() const { return acceptor_->paused(); }

}  // namespace eddy
