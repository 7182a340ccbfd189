// Pooled: memory for what comes and goes with every message.
//
// A class that derives from Pooled (Future states, callbacks in the queue, coroutines), and the
// buffers of the streams, are allocated from short lists of free blocks that each thread keeps, so
// that the steady path asks the heap for nothing. A list keeps at most 1 MiB; a burst beyond that
// goes back to the heap. A sanitizer sees every block come and go as usual.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <new>

namespace eddy {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kPooling = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool kPooling = false;
#else
inline constexpr bool kPooling = true;
#endif
#else
inline constexpr bool kPooling = true;
#endif

class Pool {
 public:
  static constexpr std::size_t kGrain = 16;                 // small sizes: its multiples, and 8
  static constexpr std::size_t kSmall = 1032;               // larger ones powers of two
  static constexpr std::size_t kLargest = (64 << 10) + 64;  // 64 KiB and who speaks for them
  static constexpr std::size_t kKeptBytes = 1 << 20;        // per size and thread

  // The room that a block of this size really has: as much as glibc's malloc would give it.
  static constexpr std::size_t rounded(std::size_t size) {
    return size > kLargest ? size : size_of(index_of(size));
  }

  static void* allocate(std::size_t size) {
    if (!kPooling || size > kLargest) return ::operator new(size);
    FreeList& list = lists_[index_of(size)];
    if (!list.first) return ::operator new(rounded(size));
    Block* block = list.first;
    list.first = block->next;
    ++list.room;
    return block;
  }

  static void release(void* memory, std::size_t size) noexcept {
    if (!kPooling || size > kLargest) return ::operator delete(memory);
    FreeList& list = lists_[index_of(size)];
    if (list.room == 0) return refuse(memory);
    list.first = ::new (memory) Block{list.first};
    --list.room;
  }

 private:
  struct Block {
    Block* next;
  };
  struct FreeList {
    Block* first;
    std::uint32_t room;  // how many more it may keep
  };
  struct AtThreadExit {
    ~AtThreadExit();  // frees the thread's lists
  };

  static constexpr std::size_t index_of(std::size_t size) {
    if (size <= kSmall) return (size + kGrain / 2 - 1) / kGrain;
    return kSmall / kGrain + static_cast<std::size_t>(std::bit_width((size - 1) / 1024));
  }
  static constexpr std::size_t size_of(std::size_t index) {  // of a list's blocks
    if (index <= kSmall / kGrain) return index * kGrain + kGrain / 2;
    return std::min(std::size_t{1024} << (index - kSmall / kGrain), kLargest);
  }
  static void refuse(void* memory) noexcept;  // to the heap; lets a new thread keep from now on
  static void make_room() noexcept;

  static constexpr std::size_t kLists = kSmall / kGrain + 1 + 7;
  static thread_local constinit FreeList lists_[kLists];
  static thread_local constinit bool begun_;  // this thread has made room; once only
};

class Pooled {
 public:
  static void* operator new(std::size_t size) { return Pool::allocate(size); }
  static void operator delete(void* memory, std::size_t size) { Pool::release(memory, size); }

  // What asks for a rare alignment comes from the heap.
  static void* operator new(std::size_t size, std::align_val_t alignment) {
    return ::operator new(size, alignment);
  }
  static void operator delete(void* memory, std::size_t, std::align_val_t alignment) {
    ::operator delete(memory, alignment);
  }

  template <class T>
  static void release(T* destroyed) {  // the memory of what was destroyed by its own name
    if constexpr (alignof(T) > __STDCPP_DEFAULT_NEW_ALIGNMENT__)
      operator delete(destroyed, sizeof(T), std::align_val_t(alignof(T)));
    else
      Pool::release(destroyed, sizeof(T));
  }
};

}  // namespace eddy
