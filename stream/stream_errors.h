// The errors of a stream. All of them arrive through the Future of the operation.
//
// Mirrors StreamClosedError, UnsatisfiableReadError and StreamBufferFullError of tornado.iostream.
#pragma once

#include <exception>
#include <stdexcept>
#include <string>

namespace eddy {

// The stream, or its reading side, has ended. real_error() says why; none for an orderly end.
class StreamClosedError : public std::runtime_error {
 public:
  explicit StreamClosedError(std::exception_ptr real_error = nullptr);

  const std::exception_ptr& real_error() const { return real_error_; }
  int error_number() const;  // the errno behind it; 0: there is none

 private:
  std::exception_ptr real_error_;
};

// What was asked for cannot come within the read's limit, which the text names.
class UnsatisfiableReadError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A buffer would pass its limit, which the text names.
class StreamBufferFullError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The peer took too long to read what waits for it.
class WriteStalledError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A caller's mistake: one read at a time.
class AlreadyReadingError : public std::logic_error {
 public:
  AlreadyReadingError() : std::logic_error("already reading: one read at a time on a stream") {}
};

// The peer is gone: everyday, and not worth a line in the log.
bool is_connection_reset(int error_number);

}  // namespace eddy
