// Listeners: the sockets that the flags of a server demo ask for.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <string>
#include <vector>

#include <eddy/loop/unique_fd.h>

#include "flags.h"

namespace demo {

class Listeners {
 public:
  explicit Listeners(const ServerFlags& flags);  // throws what names the address
  ~Listeners() { remove_file(); }
  Listeners(const Listeners&) = delete;
  Listeners& operator=(const Listeners&) = delete;

  void announce() const;  // a line for each, on stdout
  std::vector<eddy::UniqueFd> take() { return std::move(sockets_); }
  void close() { sockets_.clear(); }
  // Of a Unix socket, if it is still ours; a worker that was forked since leaves it alone.
  void remove_file() const;

 private:
  const pid_t owner_;
  std::vector<eddy::UniqueFd> sockets_;
  std::string file_;  // empty: there is none
  struct stat made_ {};
};

}  // namespace demo
