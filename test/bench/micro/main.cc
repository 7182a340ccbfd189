// micro: what the steps of an event loop cost, ours beside those of other libraries; and how often
// each asks the heap for memory.
//
// The counter stands before malloc in this very program, and so must cost next to nothing: each
// thread counts in a place of its own, with a plain addition. Nothing is done when memory is freed.
#include <malloc.h>

#include <array>
#include <atomic>

#include "micro.h"

// glibc's own entries: what the plain names mean when nobody stands before them.
extern "C" void* __libc_malloc(std::size_t size);
extern "C" void* __libc_calloc(std::size_t count, std::size_t size);
extern "C" void* __libc_realloc(void* block, std::size_t size);
extern "C" void* __libc_memalign(std::size_t alignment, std::size_t size);

namespace {

// More places than threads that live at one time: a place has one writer.
struct alignas(64) Place {
  std::atomic<std::size_t> count{0};
};
constinit std::array<Place, 16> places;
constinit std::atomic<std::size_t> next_place{0};
constinit thread_local std::atomic<std::size_t>* own_count = nullptr;

void count_one() {
  if (!own_count) own_count = &places[next_place++ % places.size()].count;
  own_count->store(own_count->load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

}  // namespace

extern "C" void* malloc(std::size_t size) noexcept {
  count_one();
  return __libc_malloc(size);
}

extern "C" void* calloc(std::size_t number, std::size_t size) noexcept {
  count_one();
  return __libc_calloc(number, size);
}

extern "C" void* realloc(void* block, std::size_t size) noexcept {
  count_one();
  return __libc_realloc(block, size);
}

extern "C" void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  count_one();
  return __libc_memalign(alignment, size);
}

extern "C" int posix_memalign(void** block, std::size_t alignment, std::size_t size) noexcept {
  count_one();
  *block = __libc_memalign(alignment, size);
  return *block ? 0 : 12;  // ENOMEM, which errno must not carry here
}

namespace micro {

std::size_t allocations() {
  std::size_t sum = 0;
  for (const Place& place : places) sum += place.count.load(std::memory_order_relaxed);
  return sum;
}

std::size_t heap_bytes() {
  const struct mallinfo2 heap = ::mallinfo2();
  return heap.uordblks + heap.hblkhd;
}

}  // namespace micro

BENCHMARK_MAIN();
