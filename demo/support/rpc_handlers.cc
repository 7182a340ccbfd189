#include "rpc_handlers.h"

#include <unistd.h>

#include <ctime>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <eddy/loop/await.h>
#include <eddy/loop/coroutine.h>
#include <eddy/loop/gen.h>
#include <eddy/loop/io_loop.h>

#include <eddy/loop/yield.h>

namespace demo {
namespace {

using eddy::Future;
using eddy::RpcCall;
using eddy::RpcError;
using eddy::RpcRange;
using eddy::RpcSeconds;
using eddy::RpcText;
using Integers = std::vector<std::int64_t>;

// echo

std::string say(RpcText text) { return std::move(text.value); }

// Only the letters of ASCII have a capital one here; all other bytes of UTF-8 stay as they are.
std::string upper(RpcText text) {
  for (char& byte : text.value)
    if (byte >= 'a' && byte <= 'z') byte = static_cast<char>(byte - 'a' + 'A');
  return std::move(text.value);
}

// math

[[noreturn]] void overflow() { throw RpcError("64-bit overflow"); }

std::int64_t add(std::int64_t sum, const Integers& more) {
  for (const std::int64_t number : more)
    if (__builtin_add_overflow(sum, number, &sum)) overflow();
  return sum;
}

std::int64_t multiply(std::int64_t product, const Integers& more) {
  for (const std::int64_t number : more)
    if (__builtin_mul_overflow(product, number, &product)) overflow();
  return product;
}

std::int64_t divide(std::int64_t dividend, std::int64_t divisor) {
  if (divisor == 0) throw RpcError("division by zero");
  if (dividend == INT64_MIN && divisor == -1) overflow();
  return dividend / divisor;
}

class Fibonacci : public eddy::Coroutine<std::int64_t> {
 public:
  explicit Fibonacci(std::int64_t n) : left_(n) {}

 private:
  void body() override;

  std::int64_t left_;
  std::int64_t number_ = 0;
  std::int64_t next_ = 1;
};

void Fibonacci::body() {
  CO_BEGIN;
  for (; left_ > 0; --left_) {
    number_ = std::exchange(next_, number_ + next_);
    CO_AWAIT(eddy::moment);  // a turn for the others
  }
  CO_RETURN(number_);
  CO_END;
}

// time

std::string now() {
  const std::time_t seconds = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  char text[64];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc)};  // RFC 3339
}

Future<std::string> sleep(RpcSeconds<3600> time) {
  co_await eddy::sleep(time.duration);
  co_return "slept " + time.text;
}

Future<> count(RpcCall& call, RpcRange<0, 1'000'000> rows, RpcSeconds<3600> pause) {
  for (std::int64_t row = 1; row <= rows; ++row) {
    if (row > 1) co_await eddy::sleep(pause.duration);
    co_await call.row(std::to_string(row));
  }
}

// sys

std::vector<std::string> rows_of(const RpcStatistics& numbers) {
  const auto uptime = std::chrono::floor<std::chrono::seconds>(numbers.uptime).count();
  return {"connections " + std::to_string(numbers.connections),
          "calls_served " + std::to_string(numbers.calls_served),
          "in_flight " + std::to_string(numbers.in_flight), "uptime " + std::to_string(uptime),
          "rss " + std::to_string(numbers.resident_bytes)};
}

std::string tasks() { return eddy::IOLoop::current().dump_tasks(); }

}  // namespace

std::uint64_t resident_bytes() {
  std::uint64_t whole = 0;
  std::uint64_t resident = 0;
  std::ifstream("/proc/self/statm") >> whole >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

void declare_rpc_handlers(eddy::RpcRegistry& registry, std::function<RpcStatistics()> statistics) {
  eddy::RpcHandler& echo = registry.handler("echo");
  echo.method("say", {"TEXT…"}, say);
  echo.method("upper", {"TEXT…"}, upper);

  eddy::RpcHandler& math = registry.handler("math");
  math.method("add", {"A", "B…"}, add);
  math.method("mul", {"A", "B…"}, multiply);
  math.method("div", {"A", "B"}, divide);
  math.method("fib", {"N"},
              [](RpcRange<0, 90> n) { return eddy::start_coroutine<Fibonacci>(n.value); });

  eddy::RpcHandler& time = registry.handler("time");
  time.method("now", {}, now);
  time.method("sleep", {"SECONDS"}, sleep);
  time.method("count", {"N", "SECONDS"}, count);

  eddy::RpcHandler& sys = registry.handler("sys");
  sys.method("stats", {}, [ask = std::move(statistics)] { return rows_of(ask()); });
  sys.method("tasks", {}, tasks);
}

}  // namespace demo
