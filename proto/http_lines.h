// What the lines of a message say that Beast reads otherwise, or not at all.
//
// RFC 9112, sections 2.3, 7.1 and 7.1.2. Part of what tornado.http1connection reads by hand. Pure.
#pragma once

#include <string>
#include <string_view>

namespace eddy {

// Without its end, of which nothing may have come, or a half.
std::string_view first_line(std::string_view bytes);

// Of a head: "GET / HTTP/2.0" is of another major version. One of a newer minor version, such as
// HTTP/1.2, is read as of the newest that we know: RFC 9110, section 2.5.
bool is_of_another_major_version(std::string_view head);
bool is_of_newer_minor_version(std::string_view head);
std::string as_of_minor_version_one(std::string_view head);

// The line of a chunk; `bytes` may begin with the end of the chunk before.
std::string_view chunk_line_of(std::string_view bytes);
bool is_chunk_line(std::string_view line);  // a size, of at most 16 digits, and its extensions
bool is_last_chunk(std::string_view line);
bool is_folded(std::string_view trailers);

}  // namespace eddy
