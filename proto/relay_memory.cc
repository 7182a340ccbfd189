#include "relay_memory.h"

#include "../loop/log.h"

namespace eddy {

void RelayMemory::count(std::size_t before, std::size_t now) {
  held_ = held_ - before + now;
  if (held_ <= limit_ / 2) told_ = false;
  if (is_short() && !told_) tell();
}

void RelayMemory::tell() {
  told_ = true;
  log::warning("the backlogs of all devices hold more than max_total_backlog = ", limit_,
               " bytes: viewers that are behind lose frames");
}

}  // namespace eddy
