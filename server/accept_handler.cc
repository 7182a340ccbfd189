#include "accept_handler.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "../loop/log.h"
#include "../loop/run_logged.h"
#include "process.h"

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
    loop_.add_handler(listener_, kEvents, *this);
  }

  void stop() {
    stopped_ = true;
    if (!IOLoop::current_or_null()) return;  // the loop went before us
    loop_.remove_timeout(resume_);
    loop_.remove_handler(listener_);
  }
  bool paused() const { return paused_; }

  void suspend() {
    suspended_ = true;
    paused_ = false;
    loop_.remove_timeout(resume_);
    loop_.remove_handler(listener_);
  }
  void resume() {
    if (std::exchange(suspended_, false)) watch();
  }

  void handle_events(std::uint32_t) override {
    if (is_one_of_many_)
      accept_a_few();
    else
      accept_some(kAcceptsPerTurn);
  }

  bool accept_some(int most) {  // true: there may be more
    const std::shared_ptr<Acceptor> keep = shared_from_this();
    for (int accepts = 0; accepts < most && !stopped_ && !suspended_; ++accepts)
      if (!accept_one()) return false;
    return true;
  }

 private:
  static constexpr std::uint32_t kEvents = kRead | kExclusive;

  void accept_a_few() {
    const std::shared_ptr<Acceptor> keep = shared_from_this();
    const bool more = accept_some(kAcceptsPerTurnOfMany);
    if (stopped_ || suspended_ || paused_) return;
    loop_.remove_handler(listener_);
    if (more)
      resume_ = loop_.call_later(kStandingAside, [this] { watch(); });
    else
      watch();
  }

  void watch() try {
    loop_.add_handler(listener_, kEvents, *this);
  } catch (const std::system_error& error) {
    pause(error.code().value());
  }

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
    loop_.remove_handler(listener_);
    loop_.remove_timeout(resume_);
    resume_ = loop_.call_later(patience_, [this] { try_again(); });
    patience_ = std::min(2 * patience_, kLongestPause);
  }

  void try_again() {
    paused_ = false;
    watch();
    if (!paused_)
      accept_some(kAcceptsPerTurn);  // nobody there any more? Then only this tells that it is over
  }

  IOLoop& loop_;
  const int listener_;
  const Accepted accepted_;
  const bool is_one_of_many_ = task_id().has_value();
  IOLoop::Timeout resume_;
  Duration patience_ = kFirstPause;  // longer while nobody at all comes in
  int failures_ = 0;                 // in a row
  bool told_ = false;                // of the shortage, until all have come in
  bool paused_ = false;              // by a shortage
  bool suspended_ = false;           // by our owner
  bool stopped_ = false;
};

AcceptHandler::AcceptHandler(int listener, Accepted accepted)
    : acceptor_(std::make_shared<Acceptor>(listener, std::move(accepted))) {}

AcceptHandler::~AcceptHandler() { acceptor_->stop(); }

void AcceptHandler::accept_waiting() { acceptor_->accept_some(kMostWaiting); }

void AcceptHandler::suspend() { acceptor_->suspend(); }

void AcceptHandler::resume() { acceptor_->resume(); }

bool AcceptHandler::paused() const { return acceptor_->paused(); }

}  // namespace eddy
