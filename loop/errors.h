// The errors of the loop's room. A system call's failure is a std::system_error with its errno.
#pragma once

#include <stdexcept>
#include <string>

namespace eddy {

// A deadline passed: mirrors tornado.util.TimeoutError.
class TimeoutError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Somebody called cancel(), or what would have set the Future was ended: asyncio.CancelledError.
class CancelledError : public std::runtime_error {
 public:
  explicit CancelledError(const std::string& what = "cancelled") : std::runtime_error(what) {}
};

// A Promise was destroyed before it was set.
class BrokenPromiseError : public CancelledError {
 public:
  BrokenPromiseError() : CancelledError("broken promise: its maker went away without an answer") {}
};

// A caller's mistake: the object is not in a state that allows the call.
class InvalidStateError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

// A caller's mistake: called on one thread what belongs to another; the text names both.
class WrongThreadError : public std::logic_error {
 public:
  WrongThreadError(const std::string& call, long owner, long caller)
      : std::logic_error(call + ": called on thread " + std::to_string(caller) +
                         ", but it belongs to thread " + std::to_string(owner)) {}
};

// A bound that protects the process was reached; the text names the limit.
class LimitError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace eddy
