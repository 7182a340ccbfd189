// viable_pattern: what a regular expression looks like to text that has only half arrived.
//
// For a pattern R it writes a pattern V that matches at a place exactly when the bytes from there
// to the end hold a match of R or can still grow into one. A search that found nothing drops all
// before V's first match and never looks at it again. Tornado has no such part: its
// read_until_regex searches the whole buffer anew each time.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace eddy {

// V is R with `(?:X|\z)` in the place of every atom and every assertion X: what has not arrived
// yet is taken for granted. Groups, alternatives, repeats and flags stay as they are. `pattern`
// is one that RE2 accepts; nothing, when it holds an escape that is unknown here.
std::optional<std::string> viable_pattern(std::string_view pattern);

}  // namespace eddy
