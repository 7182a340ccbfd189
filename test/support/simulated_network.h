// SimulatedNetwork: a platform on which every address answers as, and when, a test says.
//
// Install it before the IOLoop is made. What nobody spoke of never answers: a black hole. Sockets
// are the kernel's own, all of one family, and who answers is one listener on the loopback: a
// machine without IPv6 will do.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <eddy/loop/unique_fd.h>
#include <eddy/stream/socket_address.h>

#include "faulty_platform.h"

namespace eddy {

class SimulatedNetwork : public FaultyPlatform {
 public:
  struct Attempt {
    std::string address;
    Duration at;  // after the first
    bool operator==(const Attempt&) const = default;
  };

  SimulatedNetwork() : listener_(FaultyPlatform::socket(AF_INET, SOCK_STREAM, 0)) {
    FaultyPlatform::listen(listener_.get(), 128);
  }

  // With a connection, or this errno, so long after it was asked; without a delay, connect() itself
  // says the errno.
  void answers(const std::string& address, Duration delay = {}, int error_number = 0) {
    answers_[address] = {delay, error_number};
  }

  const std::vector<Attempt>& attempts() const { return attempts_; }
  std::vector<std::string> tried() const {
    std::vector<std::string> addresses;
    for (const Attempt& attempt : attempts_) addresses.push_back(attempt.address);
    return addresses;
  }
  const std::vector<std::string>& bound() const { return bound_; }
  std::size_t open_sockets() const { return open_.size(); }
  UniqueFd accept_one() {
    return UniqueFd(FaultyPlatform::accept(listener_.get(), nullptr, nullptr));
  }

  int socket(int, int type, int protocol) override {
    const int fd = FaultyPlatform::socket(AF_INET, type, protocol);
    if (fd >= 0) open_.insert(fd);
    return fd;
  }
  int bind(int fd, const sockaddr* address, socklen_t size) override {
    bound_.push_back(SocketAddress::from(address, size).to_string());
    const SocketAddress anywhere = SocketAddress::parse("127.0.0.1", 0).value();
    return FaultyPlatform::bind(fd, anywhere.get(), anywhere.size());
  }
  int connect(int fd, const sockaddr* address, socklen_t size) override {
    const std::string text = SocketAddress::from(address, size).to_string();
    if (attempts_.empty()) began_ = now();
    attempts_.push_back({text, now() - began_});
    const auto known = answers_.find(text);
    const Answer answer = known == answers_.end() ? Answer{} : known->second;
    const bool at_once = answer.delay && *answer.delay == Duration::zero();
    errno = at_once && answer.error_number != 0 ? answer.error_number : EINPROGRESS;
    if (at_once && answer.error_number == 0) return reach_listener(fd);
    if (errno == EINPROGRESS) pending_[fd] = {answer, now(), {}, -1};
    return -1;
  }
  int getsockopt(int fd, int level, int name, void* value, socklen_t* size) override {
    const auto error = errors_.find(fd);
    if (error == errors_.end() || name != SO_ERROR)
      return FaultyPlatform::getsockopt(fd, level, name, value, size);
    *static_cast<int*>(value) = error->second;
    return 0;
  }
  int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) override {
    const auto pending = pending_.find(fd);
    if (pending == pending_.end()) return FaultyPlatform::epoll_ctl(epoll, operation, fd, event);
    pending->second.epoll = epoll;
    pending->second.event = event ? std::optional(*event) : std::nullopt;
    return 0;
  }
  int epoll_wait(int epoll, epoll_event* events, int capacity, Duration timeout) override {
    for (auto& [fd, pending] : pending_)
      if (pending.answer.delay)
        timeout = std::min(timeout, std::max(pending.due() - now(), Duration::zero()));
    const int ready = FaultyPlatform::epoll_wait(epoll, events, capacity, timeout);
    if (ready != 0) return ready;
    answer_who_is_due();
    return FaultyPlatform::epoll_wait(epoll, events, capacity, Duration::zero());
  }
  int close(int fd) override {
    open_.erase(fd);
    pending_.erase(fd);
    errors_.erase(fd);
    return FaultyPlatform::close(fd);
  }

 private:
  struct Answer {
    std::optional<Duration> delay{};  // none: never
    int error_number = 0;
  };
  struct Pending {
    Answer answer;
    TimePoint asked;
    std::optional<epoll_event> event;  // what the loop wants to know, once there is an answer
    int epoll;
    TimePoint due() const { return asked + answer.delay.value(); }
  };

  int reach_listener(int fd) {
    const SocketAddress address = SocketAddress::local_of(listener_.get());
    return FaultyPlatform::connect(fd, address.get(), address.size());
  }
  void answer_who_is_due() {
    for (auto at = pending_.begin(); at != pending_.end();) {
      const auto [fd, pending] = *at;
      if (!pending.answer.delay || pending.due() > now()) {
        ++at;
        continue;
      }
      at = pending_.erase(at);
      if (pending.answer.error_number != 0)
        errors_[fd] = pending.answer.error_number;
      else
        reach_listener(fd);
      epoll_event event = pending.event.value();
      FaultyPlatform::epoll_ctl(pending.epoll, EPOLL_CTL_ADD, fd, &event);
    }
  }

  UniqueFd listener_;
  std::map<std::string, Answer> answers_;
  std::vector<Attempt> attempts_;
  std::vector<std::string> bound_;
  TimePoint began_;
  std::set<int> open_;
  std::map<int, Pending> pending_;  // connecting
  std::map<int, int> errors_;       // of those that were refused
};

}  // namespace eddy
