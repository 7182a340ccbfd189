// raw_rpc: `math.add` by hand, and nothing else of what the demo's RPC server can do.
//
// The floor of the benchmark's calls. A call is the line `math` and the line `add A B`; answers are
// numbered, and those of lines that came together leave in one send.
#include <charconv>
#include <cstdint>

#include "raw_serve.h"

namespace {

std::string_view take_line(std::string_view& lines) {
  const std::size_t end = lines.find('\n');
  std::string_view line = lines.substr(0, end);
  lines.remove_prefix(end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

bool take_integer(std::string_view& words, std::int64_t& value) {
  if (!words.starts_with(' ')) return false;
  words.remove_prefix(1);
  const auto [end, error] = std::from_chars(words.data(), words.data() + words.size(), value);
  words.remove_prefix(static_cast<std::size_t>(end - words.data()));
  return error == std::errc();
}

void append_number(std::string& text, std::int64_t number) {
  std::array<char, 24> digits;
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  text.append(digits.data(), end);
}

void answer_call(std::string_view call, std::size_t number, std::string& answers) {
  answers += '[';
  append_number(answers, static_cast<std::int64_t>(number));
  std::int64_t a = 0;
  std::int64_t b = 0;
  std::int64_t sum = 0;
  const bool is_add = call.starts_with("add");
  if (is_add) call.remove_prefix(3);
  if (is_add && take_integer(call, a) && take_integer(call, b) && call.empty() &&
      !__builtin_add_overflow(a, b, &sum)) {
    answers += "] ok ";
    append_number(answers, sum);
  } else {
    answers += "] error not an addition";
  }
  answers += "\r\n";
}

class Calls : public bench::RawServer {
 public:
  using RawServer::RawServer;

 private:
  bool receive(Connection& connection, std::string_view bytes) override {
    return split(connection, bytes, [&](std::string_view lines) {
      answers_.clear();
      while (!lines.empty()) {
        const std::string_view line = take_line(lines);
        if (line != "math") answer_call(line, ++connection.count, answers_);
      }
      return answers_.empty() || send(connection, answers_);
    });
  }

  std::string answers_;  // one for all: it is sent, or copied, before the next connection
};

}  // namespace

int main(int argc, char** argv) { Calls(bench::parse_options(argc, argv).port).run(); }
