#include "read_result.h"

#include <array>
#include <utility>

namespace eddy {
namespace {

// Of this thread. They are plain data and outlive its objects, the last of which may still come.
thread_local constinit std::array<ReadResult*, ReadResult::kSpares> spares = {};
thread_local constinit std::size_t count = 0;
thread_local constinit bool keeps = false;
thread_local constinit bool ended = false;

struct AtThreadExit {
  ~AtThreadExit() {
    keeps = false;
    ended = true;
    while (count > 0) delete spares[--count];
  }
};

bool may_keep() {
  if (keeps || ended) return keeps;
  static thread_local AtThreadExit at_thread_exit;
  static_cast<void>(at_thread_exit);
  return keeps = true;
}

}  // namespace

// The last one that was kept, if it suits bytes of this length; one that is much too large goes.
ReadResult* ReadResult::spare_for(std::size_t size) {
  if (count == 0 || size <= std::string().capacity()) return nullptr;
  ReadResult* const last = spares[count - 1];
  if (last->value_.capacity() <= 4 * size) return last;
  --count;
  delete last;
  return nullptr;
}

Future<std::string> ReadResult::make(const char* what, Location where, std::string_view bytes) {
  ReadResult* const spare = spare_for(bytes.size());
  if (!spare) return Future<std::string>(new ReadResult(what, where, bytes));
  spare->value_.clear();
  spare->value_.append(bytes);  // may find no memory: then nothing has happened
  --count;
  spare->begin_again(what, where);
  return Future<std::string>(spare);
}

std::string ReadResult::copy(std::string_view bytes) {
  ReadResult* const spare = spare_for(bytes.size());
  if (!spare) return std::string(bytes);
  --count;
  std::string copied = std::move(spare->value_);
  delete spare;
  copied.assign(bytes);
  return copied;
}

void ReadResult::dispose() {
  if (kPooling && count < kSpares && worth_keeping() && may_keep())
    spares[count++] = this;
  else
    delete this;
}

bool ReadResult::worth_keeping() const {
  if (!done() || failed() || !at_home()) return false;
  const std::size_t room = value_.capacity();
  return room > std::string().capacity() && room <= kKeptBytes;
}

}  // namespace eddy
