#include "rpc_arguments.h"

#include <algorithm>
#include <system_error>

#include "rpc_message.h"

namespace eddy::detail {
namespace {

constexpr std::string_view kDigits = "0123456789";

std::string quoted(const std::string& word) { return '\'' + printable_name(word) + '\''; }

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of(kDigits) == text.npos;
}

// `007` as `7`, and `000` as `0`.
std::string_view without_leading_zeros(std::string_view number) {
  return number.substr(std::min(number.find_first_not_of('0'), number.size() - 1));
}

std::string_view without_trailing_zeros(std::string_view fraction) {
  return fraction.substr(0, fraction.find_last_not_of('0') + 1);
}

// The digits behind the point, without trailing zeros, rounded up.
Duration nanoseconds(std::string_view fraction) {
  Duration::rep count = 0;
  for (std::size_t at = 0; at < 9; ++at)
    count = count * 10 + (at < fraction.size() ? fraction[at] - '0' : 0);
  return Duration(count + (fraction.size() > 9 ? 1 : 0));
}

}  // namespace

std::string read_word(const std::string& word, std::string& value) {
  value = word;
  return {};
}

std::string read_word(const std::string& word, std::int64_t& value) {
  const char* const end = word.data() + word.size();
  const auto [stop, error] = std::from_chars(word.data(), end, value);
  if (stop != end || error == std::errc::invalid_argument)
    return quoted(word) + " is not an integer";
  return error == std::errc() ? "" : quoted(word) + " does not fit in 64 bits";
}

std::string out_of_range(const std::string& word, std::int64_t least, std::int64_t most) {
  return quoted(word) + " is not between " + std::to_string(least) + " and " + std::to_string(most);
}

std::string read_seconds(const std::string& word, std::int64_t most, Duration& value,
                         std::string& text) {
  const std::size_t point = std::min(word.find('.'), word.size());
  const bool has_fraction = point < word.size();
  std::string_view whole = std::string_view(word).substr(0, point);
  std::string_view fraction = std::string_view(word).substr(has_fraction ? point + 1 : point);
  if (!is_number(whole) || is_number(fraction) != has_fraction)
    return quoted(word) + " is not a number of seconds";

  whole = without_leading_zeros(whole);
  fraction = without_trailing_zeros(fraction);
  std::int64_t seconds = 0;
  const std::errc error = std::from_chars(whole.data(), whole.data() + whole.size(), seconds).ec;
  if (error != std::errc() || seconds > most || (seconds == most && !fraction.empty()))
    return out_of_range(word, 0, most);

  value = std::chrono::seconds(seconds) + nanoseconds(fraction);
  text = whole;
  if (!fraction.empty()) text.append(".").append(fraction);
  return {};
}

std::string read_argument(std::span<const std::string> words, RpcText& text) {
  text.value = join_words(words);
  return {};
}

std::string to_text(const std::vector<std::string>& rows) {
  std::string lines;
  for (const std::string& row : rows) lines.append(row).append("\n");
  return lines;
}

}  // namespace eddy::detail
