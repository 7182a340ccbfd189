#include "stream_errors.h"

#include <cerrno>
#include <system_error>

#include "../loop/log.h"

namespace eddy {

StreamClosedError::StreamClosedError(std::exception_ptr real_error)
    : std::runtime_error(real_error ? "stream closed: " + log::describe(real_error)
                                    : "stream closed"),
      real_error_(std::move(real_error)) {}

int StreamClosedError::error_number() const {
  if (!real_error_) return 0;
  try {
    std::rethrow_exception(real_error_);
  } catch (const std::system_error& error) {
    return error.code().value();
  } catch (...) {
    return 0;
  }
}

bool is_connection_reset(int error_number) {
  return error_number == ECONNRESET || error_number == ECONNABORTED || error_number == EPIPE ||
         error_number == ETIMEDOUT;
}

}  // namespace eddy
