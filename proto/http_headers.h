// HTTPHeaders: the fields of a message, in the order in which they stand.
//
// RFC 9110, section 5. Mirrors tornado.httputil.HTTPHeaders. Names are the same whatever their
// case; a name may come more than once, and none of its values is lost. What cannot stand in a
// message is refused here, so that no text of an application ends a field and begins another.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace eddy {

class HTTPHeaders {
 public:
  struct Field {
    std::string name;  // as it was given
    std::string value;
  };

  // One more of that name; set() puts it in the place of all of them. Both throw
  // std::invalid_argument when the name is no token, or the value has a control character.
  void add(std::string_view name, std::string_view value);
  void set(std::string_view name, std::string_view value);
  void remove(std::string_view name);

  bool contains(std::string_view name) const { return count(name) > 0; }
  std::size_t count(std::string_view name) const;
  std::string_view first(std::string_view name) const;  // of its values; none: empty
  std::string get(std::string_view name) const;         // all its values, `, ` between; none: empty
  std::vector<std::string_view> get_list(std::string_view name) const;  // valid until it changes

  const std::vector<Field>& fields() const { return fields_; }
  bool empty() const { return fields_.empty(); }
  std::size_t size() const { return fields_.size(); }

 private:
  std::vector<Field> fields_;
};

bool is_http_token(std::string_view text);                           // of RFC 9110, section 5.6.2
bool has_control_characters(std::string_view text);                  // a tab is none
bool is_same_ignoring_case(std::string_view a, std::string_view b);  // of ASCII letters

std::string_view without_blanks_around(std::string_view text);

// Takes the first part of a list away, and the separator behind it, and gives it without blanks.
std::string_view take_part(std::string_view& list, char separator);

}  // namespace eddy
