#include "request_place.h"

#include <utility>

namespace eddy {

OpenRequests::Ticket OpenRequests::add(std::string client) {
  entries_.emplace(++last_, Entry{std::move(client), kNowhere});
  return {*this, last_};
}

std::size_t OpenRequests::at_worker(std::size_t worker) const {
  return worker < at_worker_.size() ? at_worker_[worker] : 0;
}

std::vector<std::string> OpenRequests::clients() const {
  std::vector<std::string> all;
  for (const auto& [number, entry] : entries_) all.push_back(entry.client);
  return all;
}

Future<> OpenRequests::over(Location where) {
  if (entries_.empty()) return {};
  if (!over_) over_ = Promise<>("requests to end", where);
  return over_.future();
}

void OpenRequests::assign(std::uint64_t number, std::size_t worker) {
  entries_.at(number).worker = worker;
  if (worker >= at_worker_.size()) at_worker_.resize(worker + 1);
  ++at_worker_[worker];
}

void OpenRequests::remove(std::uint64_t number) {
  const auto entry = entries_.find(number);
  if (entry->second.worker != kNowhere) --at_worker_[entry->second.worker];
  entries_.erase(entry);
  if (entries_.empty() && over_) std::exchange(over_, Promise<>(nullptr)).set_result();
}

void OpenRequests::Ticket::assign(std::size_t worker) const {
  if (const auto open = open_.lock()) open->assign(number_, worker);
}

OpenRequests::Ticket::~Ticket() {
  if (open_.expired()) return;
  const auto remove = [open = std::move(open_), number = number_] {
    if (const auto alive = open.lock()) alive->remove(number);
  };
  if (door_.is_of_this_thread())
    remove();
  else
    door_.add_callback(remove);
}

}  // namespace eddy
