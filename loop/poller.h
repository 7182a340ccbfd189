// Poller: the epoll set, and who is to be told of which descriptor's events.
//
// Mirrors tornado.platform.epoll and the _handlers and _events tables of
// tornado.ioloop.PollIOLoop. Level-triggered. Each registration has a generation, which travels
// with its events: an event of a registration that is gone, even when its number lives on in
// another one, reaches nobody. A change of interest is told to the kernel once, before the next
// wait, and only if it is still a change by then.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "platform.h"
#include "unique_fd.h"

namespace eddy {

enum Events : std::uint32_t { kNone = 0, kRead = 0x001, kWrite = 0x004, kError = 0x018 };

// Beside events: of the processes that watch the same open socket, one is woken, not all.
inline constexpr std::uint32_t kExclusive = 1U << 28;

// Is told of a descriptor's events: kRead, kWrite, kError (error or hang-up), or-ed.
class EventHandler {
 public:
  virtual void handle_events(std::uint32_t events) = 0;
  virtual ~EventHandler() = default;
};

class Poller {
 public:
  static constexpr int kEventsPerWait = 1024;

  explicit Poller(Platform& platform);
  ~Poller() { drop_owned(); }
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  // The handler is not owned and must stay until it is removed. kError is always watched.
  // Throws std::system_error when the kernel refuses the descriptor, InvalidStateError when it is
  // registered already; the first registration then stays as it was.
  void add(int fd, std::uint32_t events, EventHandler& handler);
  void add_owned(int fd, std::uint32_t events, std::unique_ptr<EventHandler> handler);
  void update(int fd, std::uint32_t events);  // throws InvalidStateError for an unknown one
  bool remove(int fd) noexcept;               // false, and harmless, for an unknown one

  int wait(Duration timeout);  // how many events; 0 also when a signal came
  bool dispatch_next();        // tells a handler of what the last wait found; false: all are told
  bool all_told() const { return next_ == ready_; }
  void tell_changes();  // of interest, to the kernel, now; wait() does it first
  void drop_owned();    // removes the handlers that belong to it

  int fd() const { return epoll_.get(); }
  std::size_t size() const { return registered_; }
  bool forked() const;            // this is a child that inherited the set
  void check_not_forked() const;  // throws in a child that inherited the set: it may not touch it

 private:
  struct Registration {
    EventHandler* handler = nullptr;  // none: free
    std::uint32_t generation = 0;
    std::uint8_t wanted = 0;
    std::uint8_t told = 0;  // what the kernel knows; kMuted: nothing, it is not in the set
    bool exclusive = false;
    bool owned = false;    // the handler dies with its registration
    bool changed = false;  // stands in changes_
  };
  static constexpr std::uint8_t kMuted = 0xff;

  Registration* find(int fd);
  bool is_live(int fd, const Registration& registration);
  Registration& make_room(int fd);
  int tell_kernel(int operation, int fd, std::uint32_t events, std::uint32_t generation);
  void forget(int fd, Registration& registration);
  void tell_change(int fd, Registration& registration);
  void deliver(const epoll_event& event);
  void call(EventHandler& handler, std::uint32_t events);
  void mute(int fd, Registration& registration);
  void rebuild();

  Platform& platform_;
  UniqueFd epoll_;
  std::vector<Registration> registrations_;  // by descriptor
  std::vector<int> changes_;
  EventHandler* called_ = nullptr;         // is on the stack now
  std::unique_ptr<EventHandler> retired_;  // it, when it was removed meanwhile
  std::vector<epoll_event> events_;
  int ready_ = 0;
  int next_ = 0;  // of those ready to be told
  std::size_t registered_ = 0;
  std::uint32_t last_generation_ = 0;
  bool removed_in_batch_ = false;
  struct Unmap {
    void operator()(void* page) const;
  };
  std::unique_ptr<void, Unmap> fork_mark_;  // a page that the kernel wipes in a child
};

}  // namespace eddy
