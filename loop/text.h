// printable: text from a stranger, made fit for a log, a terminal or an error message.
//
// Mirrors tornado.escape.utf8 and repr(), through which Tornado's logs show what a peer has sent.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace eddy {

// Whole UTF-8 characters stay as they are. Control characters (ESC, DEL and U+0080 to U+009F among
// them), the marks that turn the direction of writing, and bytes that are no UTF-8 become \xNN.
// Only the first `max_bytes` of `text` are shown; three dots tell that there was more.
std::string printable(std::string_view text, std::size_t max_bytes = 128);

}  // namespace eddy
