// Subprocess: another program beside the loop, its pipes as streams.
//
// Mirrors tornado.process.Subprocess. No SIGCHLD is needed, and nobody else's children are touched.
//
//   Subprocess sort({"sort"}, {.input = Subprocess::kStream, .output = Subprocess::kStream});
//   co_await sort.input->write("b\na\n");
//   sort.input.reset();
//   const std::string sorted = co_await sort.output->read_until_close();
//   co_await sort.wait_for_exit();
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "../loop/future.h"
#include "../stream/pipe_io_stream.h"

namespace eddy {

// A program ended in another way than with 0, or nobody knows how it ended.
class CalledProcessError : public std::runtime_error {
 public:
  CalledProcessError(const std::string& program, std::optional<int> returncode);
  // The exit code, or minus the signal that ended it; nothing when somebody else in this process
  // has waited for it, which the kernel answers only once.
  std::optional<int> returncode() const { return returncode_; }

 private:
  std::optional<int> returncode_;
};

class Subprocess {
 public:
  enum Standard { kInherit, kNull, kStream };  // ours, /dev/null, or a pipe whose other end is here
  struct Options {
    Standard input = kInherit;
    Standard output = kInherit;
    Standard error = kInherit;
    StreamLimits limits{};  // of the streams
  };

  // Runs `arguments.front()`, looked for in PATH, with no descriptor of ours but the standard ones,
  // and none of our signals blocked or SIGPIPE ignored. Throws std::system_error, naming the
  // program, when it cannot be run; std::invalid_argument without a program.
  explicit Subprocess(const std::vector<std::string>& arguments)
      : Subprocess(arguments, Options()) {}
  Subprocess(const std::vector<std::string>& arguments, const Options& options);
  // The program goes on, with its pipes closed here; the loop, while it runs, takes note of its
  // end.
  ~Subprocess();
  Subprocess(Subprocess&&) noexcept;
  Subprocess& operator=(Subprocess&&) noexcept;

  pid_t pid() const { return pid_; }
  void send_signal(int signal) const;  // harmless when it has ended

  // Its exit code, or minus the signal that ended it. Anything but 0 is a CalledProcessError,
  // unless `raise_error` is false; that nobody knows always is. May be called again, and given up.
  Future<int> wait_for_exit(bool raise_error = true);

  // Where asked for. Resetting one closes it.
  std::unique_ptr<PipeIOStream> input;
  std::unique_ptr<PipeIOStream> output;
  std::unique_ptr<PipeIOStream> error;

 private:
  class Watch;

  pid_t pid_ = 0;
  std::shared_ptr<Watch> watch_;  // also the loop's, until the program has ended
};

}  // namespace eddy
