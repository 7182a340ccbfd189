#include "http_files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <system_error>
#include <utility>

#include "../loop/log.h"
#include "../loop/platform.h"
#include "http_conditions.h"

namespace eddy {
namespace {

using MediaType = std::pair<std::string_view, std::string_view>;

constexpr std::array kMediaTypes = {
    MediaType{".avif", "image/avif"},
    MediaType{".css", "text/css; charset=utf-8"},
    MediaType{".csv", "text/csv; charset=utf-8"},
    MediaType{".gif", "image/gif"},
    MediaType{".htm", "text/html; charset=utf-8"},
    MediaType{".html", "text/html; charset=utf-8"},
    MediaType{".ico", "image/vnd.microsoft.icon"},
    MediaType{".jpeg", "image/jpeg"},
    MediaType{".jpg", "image/jpeg"},
    MediaType{".js", "text/javascript; charset=utf-8"},
    MediaType{".json", "application/json"},
    MediaType{".md", "text/markdown; charset=utf-8"},
    MediaType{".mjs", "text/javascript; charset=utf-8"},
    MediaType{".mp3", "audio/mpeg"},
    MediaType{".mp4", "video/mp4"},
    MediaType{".pdf", "application/pdf"},
    MediaType{".png", "image/png"},
    MediaType{".svg", "image/svg+xml"},
    MediaType{".txt", "text/plain; charset=utf-8"},
    MediaType{".wasm", "application/wasm"},
    MediaType{".webm", "video/webm"},
    MediaType{".webp", "image/webp"},
    MediaType{".woff", "font/woff"},
    MediaType{".woff2", "font/woff2"},
    MediaType{".xml", "text/xml; charset=utf-8"},
};

HTTPResponse plain(int status) {
  return {status, std::to_string(status) + ' ' + std::string(reason_of(status))};
}

HTTPResponse failure(int error_number, const std::string& path) {
  switch (error_number) {
    case EACCES:
    case EPERM: return plain(403);
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
    case ENXIO:
    case ENAMETOOLONG: return plain(404);
    default: break;
  }
  log::error("cannot open a file: ", path, ": ", std::generic_category().message(error_number));
  const bool exhausted = error_number == EMFILE || error_number == ENFILE || error_number == ENOMEM;
  return plain(exhausted ? 503 : 500);
}

struct File {
  std::shared_ptr<const UniqueFd> fd;
  std::string name;
  std::uint64_t size = 0;
  HTTPValidators validators{};
};

// Another version has another time or another size.
HTTPValidators validators_of(const struct stat& file) {
  constexpr std::int64_t kNanoseconds = 1'000'000'000;
  const std::int64_t time = file.st_mtim.tv_sec * kNanoseconds + file.st_mtim.tv_nsec;
  return {'"' + std::to_string(time) + '-' + std::to_string(file.st_size) + '"',
          std::min<std::time_t>(file.st_mtim.tv_sec, std::time(nullptr))};
}

HTTPResponse not_within(const File& file) {
  HTTPResponse response = plain(416);
  response.headers.set("Content-Range", "bytes */" + std::to_string(file.size));
  return response;
}

HTTPResponse content_of(const File& file, const HTTPRange& part) {
  HTTPResponse response;
  response.headers.set("Content-Type", media_type_of(file.name));
  if (part.begin > 0 || part.end < file.size) {
    response.status = 206;
    response.headers.set("Content-Range", "bytes " + std::to_string(part.begin) + '-' +
                                              std::to_string(part.end - 1) + '/' +
                                              std::to_string(file.size));
  }
  response.stream_length = part.end - part.begin;
  response.stream = [fd = file.fd, part](HTTPBodyWriter& out) {
    return out.send_file(fd->get(), part.begin, part.end - part.begin);
  };
  return response;
}

HTTPResponse answer_to(const HTTPRequest& request, const File& file) {
  if (const auto status = check_conditions(request, file.validators)) return plain(*status);
  const auto part = requested_range(request, file.size, file.validators);
  return part ? content_of(file, *part) : not_within(file);
}

}  // namespace

std::string_view media_type_of(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  const std::string_view extension = dot == name.npos ? "" : name.substr(dot);
  const auto* const known = std::find_if(
      kMediaTypes.begin(), kMediaTypes.end(),
      [&](const MediaType& type) { return is_same_ignoring_case(type.first, extension); });
  return known == kMediaTypes.end() ? "application/octet-stream" : known->second;
}

HTTPFiles::HTTPFiles(const std::string& folder, HTTPFilesOptions options)
    : options_(std::move(options)) {
  UniqueFd opened(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!opened) throw std::system_error(errno, std::generic_category(), "HTTPFiles: " + folder);
  folder_ = std::make_shared<const UniqueFd>(std::move(opened));
}

// -1: errno.
UniqueFd HTTPFiles::open(std::string_view path) const {
  Platform& platform = Platform::current();
  UniqueFd folder;
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    const std::string name(path.substr(0, slash));
    const bool is_last = slash == path.size();
    path.remove_prefix(is_last ? slash : slash + 1);
    if (name.empty() || name.starts_with('.')) break;
    const int flags = is_last ? O_RDONLY | O_NONBLOCK | O_NOCTTY : O_PATH | O_DIRECTORY;
    const int from = folder ? folder.get() : folder_->get();
    UniqueFd next(platform.openat(from, name.c_str(), flags | O_NOFOLLOW | O_CLOEXEC));
    if (!next || is_last) return next;
    folder = std::move(next);
  }
  errno = ENOENT;
  return {};
}

HTTPResponse HTTPFiles::operator()(const HTTPRequest& request, const std::string& path) const {
  const bool is_folder = path.empty() || path.ends_with('/');
  File file{.fd = nullptr, .name = is_folder ? path + options_.index : path};
  file.fd = std::make_shared<const UniqueFd>(open(file.name));
  struct stat status {};
  if (!*file.fd || ::fstat(file.fd->get(), &status) < 0) return failure(errno, file.name);
  if (!S_ISREG(status.st_mode)) return plain(404);
  file.size = static_cast<std::uint64_t>(status.st_size);
  file.validators = validators_of(status);

  HTTPResponse response = answer_to(request, file);
  response.headers.set("ETag", file.validators.etag);
  response.headers.set("Last-Modified", format_http_date(file.validators.last_modified));
  response.headers.set("Accept-Ranges", "bytes");
  if (options_.max_age)
    response.headers.set("Cache-Control", "max-age=" + std::to_string(options_.max_age->count()));
  return response;
}

}  // namespace eddy
