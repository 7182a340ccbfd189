// RequestPlace: where the requests of a RequestServer run; and OpenRequests, those that are not
// over.
//
// What socketserver.ThreadingMixIn and ForkingMixIn are to Python's servers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "../loop/future.h"
#include "../loop/io_loop.h"
#include "../loop/unique_fd.h"
#include "../stream/socket_address.h"

namespace eddy {

// On the server's thread.
class OpenRequests : public std::enable_shared_from_this<OpenRequests> {
 public:
  class Ticket;
  Ticket add(std::string client);
  std::size_t size() const { return entries_.size(); }
  std::size_t at_worker(std::size_t worker) const;
  std::vector<std::string> clients() const;
  Future<> over(Location where = Location::current());  // done when none is left

 private:
  struct Entry {
    std::string client;
    std::size_t worker;
  };
  static constexpr std::size_t kNowhere = SIZE_MAX;
  void assign(std::uint64_t number, std::size_t worker);
  void remove(std::uint64_t number);

  std::map<std::uint64_t, Entry> entries_;  // in the order of their coming
  std::vector<std::size_t> at_worker_;
  std::uint64_t last_ = 0;
  Promise<> over_{nullptr};
};

// A request is open while its ticket lives, which may end on any thread.
class OpenRequests::Ticket {
 public:
  Ticket(Ticket&& other) noexcept = default;
  Ticket& operator=(Ticket&&) = delete;
  ~Ticket();
  void assign(std::size_t worker) const;  // on the server's thread

 private:
  friend class OpenRequests;
  Ticket(OpenRequests& open, std::uint64_t number)
      : open_(open.shared_from_this()), number_(number), door_(IOLoop::current().door()) {}

  std::weak_ptr<OpenRequests> open_;  // none: moved from
  std::uint64_t number_;
  LoopDoor door_;
};

struct AcceptedRequest {
  OpenRequests::Ticket ticket;  // goes last
  std::string client_name;
  SocketAddress client;
  UniqueFd socket;
};

class RequestRunner;

class RequestPlace {
 public:
  virtual ~RequestPlace() = default;
  // Throws LimitError when there is no room.
  virtual void process(AcceptedRequest request) = 0;
  virtual bool full() const { return false; }  // the next one should wait unaccepted
  virtual void close() = 0;                    // ends all; twice is harmless
  virtual std::vector<std::string> workers() const { return {}; }
  virtual RequestRunner* for_datagrams() { return nullptr; }  // none: they are not served here
};

}  // namespace eddy
