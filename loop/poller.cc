#include "poller.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "errors.h"
#include "run_logged.h"

namespace eddy {
namespace {

constexpr std::size_t kPage = 4096;

std::uint64_t pack(int fd, std::uint32_t generation) {
  return std::uint64_t{generation} << 32 | static_cast<std::uint32_t>(fd);
}

std::system_error system_error(const std::string& what) {
  return {errno, std::generic_category(), what};
}

// A page that reads 1 here and 0 in a forked child, at the price of a load.
void* make_fork_mark() {
  void* page = ::mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) throw system_error("mmap");
  ::madvise(page, kPage, MADV_WIPEONFORK);
  *static_cast<int*>(page) = 1;
  return page;
}

}  // namespace

void Poller::Unmap::operator()(void* page) const { ::munmap(page, kPage); }

Poller::Poller(Platform& platform)
    : platform_(platform),
      epoll_(above_standard_streams(UniqueFd(platform.epoll_create()))),
      events_(kEventsPerWait),
      fork_mark_(make_fork_mark()) {
  if (!epoll_) throw system_error("epoll_create1");
}

void Poller::check_not_forked() const {
  if (forked())
    throw InvalidStateError(
        "this IOLoop was made before a fork: make the child's loop in the child, after the fork");
}

bool Poller::forked() const { return *static_cast<const volatile int*>(fork_mark_.get()) == 0; }

void Poller::add(int fd, std::uint32_t events, EventHandler& handler) {
  if (fd < 0) throw std::system_error(EBADF, std::generic_category(), "add_handler");
  Registration& registration = make_room(fd);
  if (registration.handler) {
    if (is_live(fd, registration))
      throw InvalidStateError("add_handler: descriptor " + std::to_string(fd) +
                              " is registered already");
    remove(fd);
  }
  if (tell_kernel(EPOLL_CTL_ADD, fd, events, last_generation_ + 1) < 0)
    throw system_error("add_handler: epoll_ctl refuses descriptor " + std::to_string(fd));
  registration.handler = &handler;
  registration.generation = ++last_generation_;
  registration.wanted = registration.told = static_cast<std::uint8_t>(events & ~kError);
  registration.exclusive = (events & kExclusive) != 0;
  ++registered_;
}

// Closed without a word, and the number given out again? Then the kernel has forgotten it. (A muted
// one it does not know anyhow: that one is believed.) An exclusive one it knows, and never changes.
bool Poller::is_live(int fd, const Registration& registration) {
  return registration.told == kMuted ||
         tell_kernel(EPOLL_CTL_MOD, fd, registration.told, registration.generation) == 0 ||
         (registration.exclusive && errno == EINVAL);
}

void Poller::add_owned(int fd, std::uint32_t events, std::unique_ptr<EventHandler> handler) {
  add(fd, events, *handler);
  static_cast<void>(handler.release());
  registrations_[static_cast<std::size_t>(fd)].owned = true;
}

void Poller::update(int fd, std::uint32_t events) {
  Registration* registration = find(fd);
  if (!registration)
    throw InvalidStateError("update_handler: descriptor " + std::to_string(fd) +
                            " is not registered");
  const auto wanted = static_cast<std::uint8_t>(events & ~kError);
  if (wanted == std::exchange(registration->wanted, wanted) || registration->changed) return;
  changes_.push_back(fd);
  registration->changed = true;
}

bool Poller::remove(int fd) noexcept {
  Registration* registration = find(fd);
  if (!registration) return false;
  if (registration->told != kMuted && !forked())
    platform_.epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  std::unique_ptr<EventHandler> owned(registration->owned ? registration->handler : nullptr);
  const bool changed = registration->changed;  // its place in changes_ stays
  *registration = {};
  registration->changed = changed;
  --registered_;
  removed_in_batch_ = true;
  if (owned && owned.get() == called_) retired_ = std::move(owned);
  return true;  // what the handler captured dies here, when all is in order, and may come back to
                // us
}

int Poller::wait(Duration timeout) {
  tell_changes();
  const int ready = platform_.epoll_wait(epoll_.get(), events_.data(), kEventsPerWait, timeout);
  if (ready < 0 && errno != EINTR) throw system_error("epoll_wait");
  ready_ = ready < 0 ? 0 : ready;
  next_ = 0;
  removed_in_batch_ = false;
  return ready_;
}

bool Poller::dispatch_next() {
  if (all_told()) return false;
  deliver(events_[static_cast<std::size_t>(next_++)]);
  return true;
}

void Poller::deliver(const epoll_event& event) {
  const int fd = static_cast<int>(event.data.u64 & 0xffffffff);
  Registration* registration = find(fd);
  if (!registration || registration->generation != event.data.u64 >> 32) {
    // Gone since the wait: an earlier handler of this batch removed it. Gone before the wait: its
    // number was closed behind our back while a duplicate of it lives, and epoll cannot be told.
    if (!removed_in_batch_) rebuild();
    return;
  }
  const std::uint32_t generation = registration->generation;
  EventHandler& handler = *registration->handler;  // Trail 2: the loop finds the handler
  call(handler, event.events);
  registration = find(fd);
  const bool unwanted = (event.events & kError) && registration &&
                        registration->generation == generation &&
                        !(event.events & registration->wanted);
  if (unwanted) mute(fd, *registration);
}

// The handler may remove itself, or another; what owns it stays until it returns.
void Poller::call(EventHandler& handler, std::uint32_t events) {
  called_ = &handler;
  run_logged("Exception in event handler: ", [&] { handler.handle_events(events); });
  called_ = nullptr;
  retired_.reset();
}

// A hang-up is reported for ever, wanted or not. Who was told and did not go away is told no more
// until it changes its interest.
void Poller::mute(int fd, Registration& registration) {
  if (registration.told != kMuted) forget(fd, registration);
}

void Poller::forget(int fd, Registration& registration) {
  platform_.epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  registration.told = kMuted;
}

void Poller::tell_changes() {
  for (std::size_t at = 0; at < changes_.size(); ++at) {
    Registration& registration = registrations_[static_cast<std::size_t>(changes_[at])];
    registration.changed = false;
    if (registration.handler && registration.wanted != registration.told)
      tell_change(changes_[at], registration);
  }
  changes_.clear();
}

void Poller::tell_change(int fd, Registration& registration) {
  if (registration.exclusive && registration.told != kMuted) forget(fd, registration);
  const int operation = registration.told == kMuted ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  const std::uint32_t how = registration.exclusive ? kExclusive : 0;
  registration.told = registration.wanted;
  if (tell_kernel(operation, fd, registration.wanted | how, registration.generation) == 0) return;
  registration.told = kMuted;
  call(*registration.handler, kError);  // its owner learns of the failure as an error
}

int Poller::tell_kernel(int operation, int fd, std::uint32_t events, std::uint32_t generation) {
  check_not_forked();
  epoll_event event{.events = events | kError, .data = {.u64 = pack(fd, generation)}};
  return platform_.epoll_ctl(epoll_.get(), operation, fd, &event);
}

// The set's number stays, for a host that polls it; all but the muted are told to the new one
// before the next wait.
void Poller::rebuild() {
  const UniqueFd fresh(platform_.epoll_create());
  if (!fresh || ::dup3(fresh.get(), epoll_.get(), O_CLOEXEC) < 0)
    return;  // the ghost comes again with the next wait, and so do we
  log::warning("a closed descriptor still reports events: the epoll set is made anew");
  for (std::size_t fd = 0; fd < registrations_.size(); ++fd) {
    Registration& registration = registrations_[fd];
    if (!registration.handler || registration.told == kMuted) continue;
    registration.told = kMuted;
    if (!std::exchange(registration.changed, true)) changes_.push_back(static_cast<int>(fd));
  }
}

void Poller::drop_owned() {
  for (std::size_t fd = 0; fd < registrations_.size(); ++fd)
    if (registrations_[fd].owned) remove(static_cast<int>(fd));
}

Poller::Registration* Poller::find(int fd) {
  const auto at = static_cast<std::size_t>(fd);
  if (fd < 0 || at >= registrations_.size() || !registrations_[at].handler) return nullptr;
  return &registrations_[at];
}

Poller::Registration& Poller::make_room(int fd) {
  const auto at = static_cast<std::size_t>(fd);
  if (at >= registrations_.size()) {
    const std::size_t room = at + at / 4 + 16;
    changes_.reserve(room);  // so that a change never fails for want of memory
    registrations_.resize(room);
  }
  return registrations_[at];
}

}  // namespace eddy
