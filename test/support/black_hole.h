// BlackHole: name servers that answer nobody, and the lookups that hang for it.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <eddy/server/threaded_resolver.h>

namespace eddy {

class BlackHole {
 public:
  BlackHole() = default;
  ~BlackHole() {
    open();
    while (shared_.use_count() > 1) std::this_thread::yield();  // until the last thread has gone
  }
  BlackHole(const BlackHole&) = delete;
  BlackHole& operator=(const BlackHole&) = delete;

  ThreadedResolver::LookUp look_up() const {
    return [shared = shared_](const std::string& host, std::uint16_t port, int) {
      std::unique_lock lock(shared->mutex);
      shared->asked.push_back(host);
      shared->changed.notify_all();
      shared->changed.wait(lock, [&] { return shared->open; });
      return Addresses{SocketAddress::parse("192.0.2.1", port).value()};
    };
  }
  void open() {  // every lookup is answered: 192.0.2.1
    const std::lock_guard lock(shared_->mutex);
    shared_->open = true;
    shared_->changed.notify_all();
  }
  void wait_for(std::size_t lookups) {  // that have begun
    std::unique_lock lock(shared_->mutex);
    shared_->changed.wait(lock, [&] { return shared_->asked.size() >= lookups; });
  }
  std::vector<std::string> asked() const {
    const std::lock_guard lock(shared_->mutex);
    return shared_->asked;
  }

 private:
  struct Shared {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::string> asked;
    bool open = false;
  };
  const std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

}  // namespace eddy
