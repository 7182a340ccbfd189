#include "rpc_message.h"

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <utility>

#include "../loop/text.h"
#include "telnet_codec.h"

namespace eddy {
namespace {

constexpr std::string_view kBlanks = " \t";

bool is_blank(char byte) { return byte == ' ' || byte == '\t'; }

std::string take_plain(std::string_view& rest) {
  const std::size_t size = std::min(rest.find_first_of(kBlanks), rest.size());
  std::string word(rest.substr(0, size));
  rest.remove_prefix(size);
  return word;
}

// The rest behind an opening quote, up to and with the closing one; false when there is none.
bool take_quoted(std::string_view& rest, std::string& word) {
  for (std::size_t at = 0; at < rest.size(); ++at) {
    if (rest[at] == '"') {
      rest.remove_prefix(at + 1);
      return true;
    }
    const std::string_view next = rest.substr(at + 1, 1);
    if (rest[at] == '\\' && (next == "\"" || next == "\\")) ++at;
    word += rest[at];
  }
  return false;
}

RpcWords ill_formed(std::string reason) { return {{}, std::move(reason)}; }

std::string one_line(std::string_view text) {
  std::string line;
  line.reserve(text.size());
  for (const char byte : text) {
    if (byte == '\r')
      line += "\\r";
    else if (byte == '\n')
      line += "\\n";
    else
      line += byte;
  }
  return escape_iac(std::move(line));
}

std::string answer(std::uint64_t number, std::string_view kind, std::string_view text) {
  std::string line = "[" + std::to_string(number) + "] ";
  line += kind;
  if (!text.empty()) line += ' ' + one_line(text);
  return line + "\r\n";
}

bool remove_prefix(std::string_view& text, std::string_view prefix) {
  if (text.substr(0, prefix.size()) != prefix) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// `ok`, or `ok` and a blank and more; but not `okay`.
bool remove_kind(std::string_view& text, std::string_view kind) {
  std::string_view rest = text;
  if (!remove_prefix(rest, kind) || (!rest.empty() && !remove_prefix(rest, " "))) return false;
  text = rest;
  return true;
}

bool remove_number(std::string_view& text, std::uint64_t& number) {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
  return true;
}

}  // namespace

RpcWords split_words(std::string_view line) {
  RpcWords result;
  std::string_view rest = line;
  for (;;) {
    rest.remove_prefix(std::min(rest.find_first_not_of(kBlanks), rest.size()));
    if (rest.empty()) return result;
    if (!remove_prefix(rest, "\"")) {
      result.words.push_back(take_plain(rest));
      continue;
    }
    if (!take_quoted(rest, result.words.emplace_back())) return ill_formed("a quote is not closed");
    if (!rest.empty() && !is_blank(rest.front()))
      return ill_formed("a blank must follow a closing quote");
  }
}

std::string quote_word(std::string_view word) {
  if (word.find_first_of("\r\n") != word.npos)
    throw std::invalid_argument("an argument contains a line end: " + printable(word));
  const bool is_plain =
      !word.empty() && word.front() != '"' && word.find_first_of(kBlanks) == word.npos;
  if (is_plain) return std::string(word);
  std::string quoted = "\"";
  for (const char byte : word) {
    if (byte == '"' || byte == '\\') quoted += '\\';
    quoted += byte;
  }
  return quoted + '"';
}

std::string join_words(std::span<const std::string> words) {
  std::string joined;
  for (const std::string& word : words) {
    if (&word != words.data()) joined += ' ';
    joined += word;
  }
  return joined;
}

std::string format_ok(std::uint64_t number, std::string_view text) {
  return answer(number, "ok", text);
}

std::string format_error(std::uint64_t number, std::string_view text) {
  return answer(number, "error", text);
}

std::string format_row(std::uint64_t number, std::string_view text) {
  return answer(number, "|", text);
}

std::string format_result(std::uint64_t number, std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.find('\n') == text.npos) return format_ok(number, text);
  std::string lines;
  for (;;) {
    const std::size_t size = text.find('\n');
    lines += format_row(number, text.substr(0, size));
    if (size == text.npos) return lines + format_ok(number);
    text.remove_prefix(size + 1);
  }
}

std::string printable_name(std::string_view name) { return printable(name.substr(0, 64)); }

RpcAnswer parse_answer(std::string_view line) {
  using Kind = RpcAnswer::Kind;
  constexpr std::pair<std::string_view, Kind> kKinds[] = {
      {"ok", Kind::ok}, {"error", Kind::error}, {"|", Kind::row}};
  std::uint64_t number = 0;
  std::string_view rest = line;
  if (remove_prefix(rest, "[") && remove_number(rest, number) && remove_prefix(rest, "] "))
    for (const auto& [word, kind] : kKinds)
      if (remove_kind(rest, word)) return {kind, number, std::string(rest)};
  return {Kind::notice, 0, std::string(line)};
}

}  // namespace eddy
