// log: the one place where eddy speaks.
//
// Lines go to stderr through spdlog until a host redirects or silences them. Mirrors tornado.log
// (app_log, gen_log). Callable on any thread; never throws, and never waits for who reads stderr:
// what that one has no room for is lost, and the next line that he has room for tells how many.
//
// Lines that begin with the same literal share a budget of kLinesPerSecond; what is beyond it is
// counted and reported with the next line, so that a flood of bad requests stays a trickle here.
// Each line passes through printable(): whatever a stranger sent, no control character is in it.
// Debug and trace lines are not limited: whoever turns them on wants them all.
#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <exception>
#include <functional>
#include <string>
#include <string_view>

namespace eddy::log {

enum class Level { trace, debug, info, warning, error, off };

inline constexpr int kLinesPerSecond = 20;

inline constexpr std::size_t kLongestLine = 2048;

// Gets one line at a time, on the thread that speaks; it may not speak itself.
using Sink = std::function<void(Level, std::string_view line)>;

void set_level(Level level);  // lines below it are dropped; info at the start
Level level();
void set_sink(Sink sink);  // an empty one brings spdlog back; all budgets begin anew

// Lines that leave whatever the level is: only for what a user explicitly asked to see.
void always(std::string_view text) noexcept;

std::string describe(std::exception_ptr error);  // its what(), or "an unknown exception"

namespace detail {

bool allowed(Level level, const char* kind);
void write(Level level, const std::string& line);

inline void append(std::string& line, std::string_view text) { line += text; }
template <std::integral Number>
void append(std::string& line, Number number) {
  char digits[24];
  line.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}
inline void append(std::string& line, const std::exception_ptr& error) { line += describe(error); }

template <class... Parts>
void compose(Level level, const char* kind, const Parts&... parts) noexcept {
  try {
    if (!allowed(level, kind)) return;
    std::string line(kind);
    (append(line, parts), ...);
    write(level, line);
  } catch (...) {  // no memory is left even for a line: what it told of matters more than it
  }
}

}  // namespace detail

// log::warning("cannot accept: ", reason, ", pausing for ", milliseconds, " ms");
template <class... Parts>
void debug(const char* kind, const Parts&... parts) {
  detail::compose(Level::debug, kind, parts...);
}
template <class... Parts>
void info(const char* kind, const Parts&... parts) {
  detail::compose(Level::info, kind, parts...);
}
template <class... Parts>
void warning(const char* kind, const Parts&... parts) {
  detail::compose(Level::warning, kind, parts...);
}
template <class... Parts>
void error(const char* kind, const Parts&... parts) {
  detail::compose(Level::error, kind, parts...);
}

}  // namespace eddy::log
