#include "pool.h"

namespace eddy {

thread_local constinit Pool::FreeList Pool::lists_[kLists] = {};
thread_local constinit bool Pool::begun_ = false;

Pool::AtThreadExit::~AtThreadExit() {
  for (FreeList& list : lists_) {
    list.room = 0;  // what other thread-local objects still release is not kept
    while (Block* block = list.first) {
      list.first = block->next;
      ::operator delete(block);
    }
  }
}

void Pool::refuse(void* memory) noexcept {
  ::operator delete(memory);
  if (!begun_) make_room();
}

void Pool::make_room() noexcept {
  static thread_local AtThreadExit at_thread_exit;
  static_cast<void>(at_thread_exit);
  begun_ = true;
  for (std::size_t index = 0; index < kLists; ++index)
    lists_[index].room = static_cast<std::uint32_t>(kKeptBytes / size_of(index));
}

}  // namespace eddy
