// HTTPFiles: the files of a folder, as answers.
//
//   routes.get("/static/(.*)", HTTPFiles("/srv/www"));
//
// Mirrors tornado.web.StaticFileHandler. There is no way out of the folder: a path is followed name
// by name, and neither links nor names that begin with a dot are; what is asked for must be a plain
// file. A file leaves through the kernel (IOStream::send_file), whole or the part that is asked
// for, and who has it already is told so. Reading may wait for the disk, as it does in Tornado.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "../loop/unique_fd.h"
#include "http_request.h"
#include "http_response.h"

namespace eddy {

struct HTTPFilesOptions {
  std::string index = "index.html";               // of a path that is empty or ends in a slash
  std::optional<std::chrono::seconds> max_age{};  // how long a cache need not ask; none: not said
};

class HTTPFiles {
 public:
  // Throws std::system_error when the folder can't be opened. Copies share it.
  explicit HTTPFiles(const std::string& folder, HTTPFilesOptions options = {});

  // `path` is relative and decoded, as a route captures it. 404 when there is no such file, 403
  // when we may not read it, 503 when no descriptor is left; 206, 304, 412, 416.
  HTTPResponse operator()(const HTTPRequest& request, const std::string& path) const;

 private:
  UniqueFd open(std::string_view path) const;

  std::shared_ptr<const UniqueFd> folder_;
  HTTPFilesOptions options_;
};

// What a browser takes a file of that name for; application/octet-stream when it is not known.
std::string_view media_type_of(std::string_view name);

}  // namespace eddy
