// IOStream::send_file: from a file to the peer.

#include <algorithm>
#include <cerrno>
#include <string>
#include <system_error>

#include "../loop/await.h"
#include "io_stream.h"

namespace eddy {
namespace {

[[noreturn]] void throw_error(int error_number) {
  throw std::system_error(error_number, std::generic_category(), "send_file");
}

}  // namespace

Future<> IOStream::send_file(int file, std::uint64_t offset, std::uint64_t count) {
  check_thread("IOStream::send_file");
  const std::uint64_t end = offset + count;
  const Future<> before = write("");
  if (!before.done()) flush();
  if (!before.done()) co_await wait_writable();
  before.result();  // what was written before has left
  if (is_plain()) offset = co_await send_in_kernel(file, offset, end);
  co_await send_by_copying(file, offset, end);
}

// Gives where it stopped: before the end if the kernel does not do that with such a file.
Future<std::uint64_t> IOStream::send_in_kernel(int file, std::uint64_t offset, std::uint64_t end) {
  while (offset < end) {
    if (closed()) throw StreamClosedError(error());
    const auto most =
        static_cast<std::size_t>(std::min<std::uint64_t>(end - offset, kBytesPerTurn));
    auto place = static_cast<off_t>(offset);
    const ssize_t sent = loop().platform().sendfile(fileno(), file, &place, most);
    if (sent == 0) throw_error(ENODATA);
    if (sent > 0) {
      offset += static_cast<std::uint64_t>(sent);
      co_await moment;  // others have their turn
    } else if (errno == EAGAIN) {
      co_await wait_writable();
    } else if (errno == EINVAL || errno == ENOSYS || errno == EOVERFLOW) {
      break;
    } else if (is_connection_reset(errno)) {
      connection_failed(errno, "sendfile");
    } else if (errno != EINTR) {
      throw_error(errno);
    }
  }
  co_return offset;
}

Future<> IOStream::send_by_copying(int file, std::uint64_t offset, std::uint64_t end) {
  std::string piece;
  while (offset < end) {
    piece.resize(static_cast<std::size_t>(std::min<std::uint64_t>(end - offset, kFlushAt)));
    const ssize_t count =
        loop().platform().pread(file, piece.data(), piece.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw_error(errno);
    if (count == 0) throw_error(ENODATA);
    piece.resize(static_cast<std::size_t>(count));
    const Future<> written = write(piece);
    if (!written.done()) flush();
    if (!written.done()) co_await wait_writable();  // whoever does not read is closed
    written.result();
    offset += piece.size();
  }
}

}  // namespace eddy
