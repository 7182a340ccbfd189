// PipeIOStream: a stream over one end of a pipe, which reads or writes, not both.
//
// Mirrors tornado.iostream.PipeIOStream. Owns the descriptor and makes it non-blocking.
#pragma once

#include "../loop/unique_fd.h"
#include "base_io_stream.h"

namespace eddy {

class PipeIOStream : public BaseIOStream {
 public:
  explicit PipeIOStream(UniqueFd end, SharedLimits limits = default_limits());
  PipeIOStream(UniqueFd end, const StreamLimits& limits)
      : PipeIOStream(std::move(end), share(limits)) {}
  ~PipeIOStream() override { close(); }

  int fileno() const override { return end_.get(); }

 protected:
  ssize_t read_from_fd(char* data, std::size_t size) override;
  ssize_t write_to_fd(const char* data, std::size_t size) override;
  void shutdown_fd() override { close(); }
  void close_fd() override { end_.reset(); }
  int fd_error() override;

 private:
  UniqueFd end_;
};

}  // namespace eddy
