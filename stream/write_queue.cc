#include "write_queue.h"

namespace eddy {

void WriteQueue::sent(std::size_t bytes) {
  total_write_done_index_ += bytes;
  while (!pending_.empty()) {
    Pending& first = pending_.front();
    if (first.end() > total_write_done_index_) return;
    first.unlink();
    first.done();
    delete &first;
  }
}

void WriteQueue::fail(const std::exception_ptr& error) {
  while (!pending_.empty()) {
    Pending& first = pending_.pop_front();
    first.fail(error);
    delete &first;
  }
}

}  // namespace eddy
