#include "http_headers.h"

#include <algorithm>
#include <stdexcept>

#include "http_characters.h"

namespace eddy {
namespace {

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

constexpr CharacterSet kInTokens = kLettersAndDigits.with("!#$%&'*+-.^_`|~");

constexpr bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t') || byte == 0x7f;
}

constexpr std::size_t kUsualFields = 8;  // one allocation for so many

void check(std::string_view name, std::string_view value) {
  if (!is_http_token(name)) throw std::invalid_argument("HTTPHeaders: not the name of a field");
  if (has_control_characters(value))
    throw std::invalid_argument("HTTPHeaders: a control character in " + std::string(name));
}

}  // namespace

bool is_http_token(std::string_view text) { return !text.empty() && kInTokens.contains_all(text); }

bool has_control_characters(std::string_view text) {
  return std::any_of(text.begin(), text.end(), is_control);
}

bool is_same_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(),
                    [](char one, char other) { return lower(one) == lower(other); });
}

std::string_view without_blanks_around(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string_view take_part(std::string_view& list, char separator) {
  const std::size_t end = std::min(list.find(separator), list.size());
  const std::string_view part = list.substr(0, end);
  list.remove_prefix(std::min(end + 1, list.size()));
  return without_blanks_around(part);
}

void HTTPHeaders::add(std::string_view name, std::string_view value) {
  check(name, value);
  if (fields_.empty()) fields_.reserve(kUsualFields);
  fields_.push_back({std::string(name), std::string(value)});
}

void HTTPHeaders::set(std::string_view name, std::string_view value) {
  check(name, value);
  remove(name);
  add(name, value);
}

void HTTPHeaders::remove(std::string_view name) {
  std::erase_if(fields_,
                [&](const Field& field) { return is_same_ignoring_case(field.name, name); });
}

std::size_t HTTPHeaders::count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::count_if(fields_.begin(), fields_.end(),
                    [&](const Field& field) { return is_same_ignoring_case(field.name, name); }));
}

std::string_view HTTPHeaders::first(std::string_view name) const {
  const auto found = std::find_if(fields_.begin(), fields_.end(), [&](const Field& field) {
    return is_same_ignoring_case(field.name, name);
  });
  return found == fields_.end() ? std::string_view() : std::string_view(found->value);
}

std::vector<std::string_view> HTTPHeaders::get_list(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const Field& field : fields_)
    if (is_same_ignoring_case(field.name, name)) values.emplace_back(field.value);
  return values;
}

std::string HTTPHeaders::get(std::string_view name) const {
  std::string joined;
  const char* between = "";
  for (const std::string_view value : get_list(name)) {
    joined.append(between).append(value);
    between = ", ";
  }
  return joined;
}

}  // namespace eddy
