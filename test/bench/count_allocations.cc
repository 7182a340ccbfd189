// count_allocations: stands before malloc and counts, so that "no allocation per message" is a
// number. Linked into a twin of each server of the benchmark; SIGUSR1 makes it say on stderr
//
//   allocations COUNT bytes LIVE
//
// how often it has allocated since it started, and how many bytes it holds now.
#include <malloc.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstddef>
#include <cstdio>

// glibc's own entries: what the plain names mean when nobody stands before them.
extern "C" void* __libc_malloc(std::size_t size);
extern "C" void* __libc_calloc(std::size_t count, std::size_t size);
extern "C" void* __libc_realloc(void* block, std::size_t size);
extern "C" void* __libc_memalign(std::size_t alignment, std::size_t size);
extern "C" void __libc_free(void* block);

namespace {

std::atomic<std::size_t> allocations{0};
std::atomic<std::size_t> live_bytes{0};

// The servers have one thread: load and store cost what a plain integer costs, where fetch_add
// would cost a locked instruction in what is being measured.
void add(std::atomic<std::size_t>& counter, std::size_t amount) {
  counter.store(counter.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
}

void* counted(void* block) {
  if (!block) return nullptr;
  add(allocations, 1);
  add(live_bytes, ::malloc_usable_size(block));
  return block;
}

void forget(void* block) {
  if (block) add(live_bytes, std::size_t{0} - ::malloc_usable_size(block));
}

void report(int) {
  char line[96];
  const int size = std::snprintf(line, sizeof line, "allocations %zu bytes %zu\n",
                                 allocations.load(), live_bytes.load());
  [[maybe_unused]] const ssize_t written =
      ::write(STDERR_FILENO, line, static_cast<std::size_t>(size));
}

[[maybe_unused]] const auto installed = std::signal(SIGUSR1, report);

}  // namespace

extern "C" void* malloc(std::size_t size) noexcept { return counted(__libc_malloc(size)); }

extern "C" void* calloc(std::size_t count, std::size_t size) noexcept {
  return counted(__libc_calloc(count, size));
}

extern "C" void* realloc(void* block, std::size_t size) noexcept {
  forget(block);
  return counted(__libc_realloc(block, size));
}

extern "C" void* memalign(std::size_t alignment, std::size_t size) noexcept {
  return counted(__libc_memalign(alignment, size));
}

extern "C" void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  return counted(__libc_memalign(alignment, size));
}

extern "C" int posix_memalign(void** block, std::size_t alignment, std::size_t size) noexcept {
  *block = counted(__libc_memalign(alignment, size));
  return *block ? 0 : 12;  // ENOMEM, which errno must not carry here
}

extern "C" void free(void* block) noexcept {
  forget(block);
  __libc_free(block);
}
