#include "pool.h"

namespace eddy {

thread_local constinit Pool::FreeList Pool::lists_[kLists] = {};
thread_local constinit bool Pool::keeps_ = false;
thread_local constinit bool Pool::ended_ = false;

Pool::AtThreadExit::~AtThreadExit() {
  keeps_ = false;
  ended_ = true;  // what is released from now on, by other thread-local objects, is not kept
  for (FreeList& list : lists_) {
    while (Block* block = list.first) {
      list.first = block->next;
      ::operator delete(block);
    }
    list.count = 0;
  }
}

void Pool::refuse(void* memory) noexcept {
  ::operator delete(memory);
  if (keeps_ || ended_) return;
  static thread_local AtThreadExit at_thread_exit;
  static_cast<void>(at_thread_exit);
  keeps_ = true;
}

}  // namespace eddy
