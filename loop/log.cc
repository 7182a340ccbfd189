#include "log.h"

#include <pthread.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <mutex>

#include "clock.h"
#include "log_output.h"
#include "platform.h"
#include "text.h"

namespace eddy::log {
namespace {

std::atomic<Level> threshold{Level::info};
std::mutex mutex;  // guards what follows
Sink redirected;
std::size_t lost_lines = 0;  // that nobody was told of yet

// Who forks holds the mutex meanwhile: in the child, where other threads are gone, it is then free.
// What was lost is for the parent to tell.
[[maybe_unused]] const int atfork = ::pthread_atfork([] { mutex.lock(); }, [] { mutex.unlock(); },
                                                     [] { lost_lines = 0, mutex.unlock(); });

// The lines of one kind within the current second.
struct Budget {
  const char* kind = nullptr;
  TimePoint second_began{};
  int lines = 0;
  long suppressed = 0;
};
std::array<Budget, 64> budgets;

Budget& budget_of(const char* kind) {
  for (Budget& budget : budgets) {
    if (!budget.kind) budget.kind = kind;
    if (budget.kind == kind) return budget;
  }
  return budgets.back();  // more kinds than that share one budget
}

// spdlog's own sink for stderr waits for as long as nobody reads it.
class StderrSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    tell_of_the_lost();
    if (!write(message)) ++lost_lines;
  }
  void flush_() override {}

  void tell_of_the_lost() {
    if (lost_lines == 0) return;
    const char* const what = lost_lines == 1 ? " log line lost" : " log lines lost";
    const std::string text = std::to_string(lost_lines) + what;
    if (write({"eddy", spdlog::level::warn, text})) lost_lines = 0;
  }
  bool write(const spdlog::details::log_msg& message) {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    return output_.write({line.data(), line.size()});
  }

  LogOutput output_{STDERR_FILENO};
};

spdlog::logger& standard_logger() {
  static auto* logger = [] {
    auto* made = new spdlog::logger("eddy", std::make_shared<StderrSink>());
    made->set_level(spdlog::level::trace);
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%e %l %v");
    made->set_error_handler([](const std::string&) {});  // nowhere is left to complain
    return made;
  }();
  return *logger;
}

spdlog::level::level_enum spdlog_level(Level level) {
  switch (level) {
    case Level::trace: return spdlog::level::trace;
    case Level::debug: return spdlog::level::debug;
    case Level::info: return spdlog::level::info;
    case Level::warning: return spdlog::level::warn;
    case Level::error: return spdlog::level::err;
    case Level::off: break;
  }
  return spdlog::level::off;
}

std::string printable_lines(std::string_view text) {
  std::string shown;
  std::size_t end = 0;
  for (; (end = text.find('\n')) != text.npos; text.remove_prefix(end + 1))
    shown += printable(text.substr(0, end), kLongestLine) + '\n';
  return shown + printable(text, kLongestLine);
}

void emit(Level level, const std::string& line) {
  if (redirected) return redirected(level, line);
  standard_logger().log(spdlog_level(level), line);
}

}  // namespace

void set_level(Level level) { threshold.store(level, std::memory_order_relaxed); }
Level level() { return threshold.load(std::memory_order_relaxed); }

void set_sink(Sink sink) {
  const std::lock_guard lock(mutex);
  redirected = std::move(sink);
  budgets = {};
}

void always(std::string_view text) noexcept {
  try {
    const std::string shown = printable_lines(text);
    const std::lock_guard lock(mutex);
    emit(Level::error, shown);
  } catch (...) {  // as in compose()
  }
}

std::string describe(std::exception_ptr error) {
  try {
    if (error) std::rethrow_exception(error);
    return "no error";
  } catch (const std::exception& exception) {
    return exception.what();
  } catch (...) {
    return "an unknown exception";
  }
}

namespace detail {

bool allowed(Level wanted, const char* kind) {
  if (wanted < level()) return false;
  if (wanted <= Level::debug) return true;
  const std::lock_guard lock(mutex);
  Budget& budget = budget_of(kind);
  const TimePoint now = Platform::current().now();
  const Duration passed = now - budget.second_began;  // backward: another platform's clock
  if (passed >= std::chrono::seconds(1) || passed < Duration::zero()) {
    const long suppressed = budget.suppressed;
    budget = {.kind = kind, .second_began = now};
    if (suppressed > 0)
      emit(wanted, std::to_string(suppressed) + " suppressed like: " + std::string(kind));
  }
  if (++budget.lines <= kLinesPerSecond) return true;
  ++budget.suppressed;
  return false;
}

void write(Level level, const std::string& line) {
  const std::string shown = printable(line, kLongestLine);
  const std::lock_guard lock(mutex);
  emit(level, shown);
}

}  // namespace detail

}  // namespace eddy::log
