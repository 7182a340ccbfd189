#include "telnet_codec.h"

#include <algorithm>
#include <cstring>

namespace eddy {
namespace {

constexpr char kEOT = 4;

enum : unsigned char {
  kEOF = 236,
  kSE = 240,
  kIP = 244,
  kAYT = 246,
  kEC = 247,
  kEL = 248,
  kSB = 250,
  kWILL = 251,
  kWONT = 252,
  kDO = 253,
  kDONT = 254,
  kIAC = 255,
};

constexpr unsigned char kTimingMark = 6;

// How many bytes at the front are neither line end nor command. Three memchr are quicker than one
// loop of our own, and the window keeps their work linear when commands stand close together.
std::size_t ordinary_run(std::string_view text) {
  constexpr std::size_t kWindow = 512;
  std::size_t size = std::min(text.size(), kWindow);
  for (const int special : {int{'\n'}, int{'\r'}, int{kIAC}})
    if (const void* found = std::memchr(text.data(), special, size))
      size = static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
  return size;
}

bool is_utf8_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; }

}  // namespace

// Trail 8: the codec takes telnet out of the bytes and hands on a line, which is a request.
TelnetCodec::Event TelnetCodec::next(std::string_view& input) {
  if (line_given_) clear_line();
  Event event = Event::none;
  while (event == Event::none && !input.empty()) {
    if (state_ == State::ended) {
      input = {};
    } else if (state_ == State::text) {
      event = read_text(input);
    } else {
      const auto byte = static_cast<unsigned char>(input.front());
      input.remove_prefix(1);
      event = step(byte);
    }
  }
  return event;
}

TelnetCodec::Event TelnetCodec::read_text(std::string_view& input) {
  if (const std::size_t size = ordinary_run(input)) return read_run(input, size);
  const char byte = input.front();
  input.remove_prefix(1);
  if (byte == '\n') return end_line(LineEnd::after_lf);
  if (byte == '\r') return carriage_return();
  state_ = State::command;
  return Event::none;
}

TelnetCodec::Event TelnetCodec::read_run(std::string_view& input, std::size_t size) {
  const bool after_cr = line_end_ == LineEnd::after_cr || line_end_ == LineEnd::after_lf_cr;
  if (after_cr && input.front() == '\0') {
    input.remove_prefix(1);
    return end_line(LineEnd::none);
  }
  if (line_is_empty() && input.front() == kEOT) {
    input.remove_prefix(1);
    return end(Event::end_of_input);
  }
  const std::string_view run = input.substr(0, size);
  input.remove_prefix(size);
  if (!line_is_empty() || size > max_line_ || !take_line_end(input)) return data(run);
  complete_ = run;
  return Event::line;
}

// The line end at the front of `input`, if it is there in one piece.
bool TelnetCodec::take_line_end(std::string_view& input) {
  const std::size_t line_feed = input.substr(0, 1) == "\r" ? 1 : 0;
  if (line_feed >= input.size()) return false;
  const char last = input[line_feed];
  if (last != '\n' && (last != '\0' || line_feed == 0)) return false;
  line_end_ = last == '\n' ? LineEnd::after_lf : LineEnd::none;
  input.remove_prefix(line_feed + 1);
  return true;
}

TelnetCodec::Event TelnetCodec::carriage_return() {
  if (line_end_ == LineEnd::after_lf) {
    line_end_ = LineEnd::after_lf_cr;
    return Event::none;
  }
  const Event event = line_end_ == LineEnd::after_cr ? data({}) : Event::none;
  line_end_ = LineEnd::after_cr;
  return event;
}

// Bytes of the line being typed. A `\r` before them turns out to be one, too.
TelnetCodec::Event TelnetCodec::data(std::string_view bytes) {
  const std::string_view held = line_end_ == LineEnd::after_cr ? "\r" : "";
  line_end_ = LineEnd::none;
  if (held.size() + bytes.size() > max_line_ - line_.size()) return end(Event::line_too_long);
  line_.append(held).append(bytes);
  return Event::none;
}

TelnetCodec::Event TelnetCodec::end_line(LineEnd so_far) {
  line_end_ = so_far;
  complete_ = line_;
  line_given_ = true;
  return Event::line;
}

TelnetCodec::Event TelnetCodec::end(Event why) {
  drop_line();
  state_ = State::ended;
  return why;
}

TelnetCodec::Event TelnetCodec::step(unsigned char byte) {
  switch (state_) {
    case State::command: return command(byte);
    case State::option: return option(byte);
    case State::subnegotiation:
      if (byte == kIAC) state_ = State::subnegotiation_command;
      return Event::none;
    default: state_ = byte == kSE ? State::text : State::subnegotiation; return Event::none;
  }
}

TelnetCodec::Event TelnetCodec::command(unsigned char byte) {
  state_ = State::text;
  switch (byte) {
    case kIAC: return data("\xff");
    case kSB: state_ = State::subnegotiation; return Event::none;
    case kWILL:
    case kWONT:
    case kDO:
    case kDONT:
      verb_ = byte;
      state_ = State::option;
      return Event::none;
    case kIP: drop_line(); return Event::interrupt;
    case kAYT: return Event::are_you_there;
    case kEC: erase_character(); return Event::none;
    case kEL: drop_line(); return Event::none;
    case kEOF: return line_is_empty() ? end(Event::end_of_input) : Event::none;
    default: return Event::none;
  }
}

TelnetCodec::Event TelnetCodec::option(unsigned char option) {
  state_ = State::text;
  if (verb_ == kWONT || verb_ == kDONT) return Event::none;  // as it is already
  const std::size_t asked = option + (verb_ == kDO ? 256u : 0u);
  // After Ctrl-C the usual telnet shows no output until a timing mark comes back: every time.
  const bool each_time = verb_ == kDO && option == kTimingMark;
  if (answered_[asked] && !each_time) return Event::none;
  answered_.set(asked);
  const unsigned char refusal = verb_ == kDO ? kWONT : kDONT;
  reply_ = {static_cast<char>(kIAC), static_cast<char>(refusal), static_cast<char>(option)};
  return Event::reply;
}

void TelnetCodec::drop_line() {
  clear_line();
  if (line_end_ == LineEnd::after_cr) line_end_ = LineEnd::none;
}

void TelnetCodec::clear_line() {
  constexpr std::size_t kKeptCapacity = 1024;  // one long line must not cost memory ever after
  line_given_ = false;
  line_.clear();
  if (line_.capacity() > kKeptCapacity) line_.shrink_to_fit();
}

void TelnetCodec::erase_character() {
  if (line_end_ == LineEnd::after_cr) {
    line_end_ = LineEnd::none;
    return;
  }
  for (int rest = 3; rest > 0 && !line_.empty() && is_utf8_continuation(line_.back()); --rest)
    line_.pop_back();
  if (!line_.empty()) line_.pop_back();
}

std::string escape_iac(std::string text) {
  const std::size_t first = text.find('\xff');
  if (first == text.npos) return text;
  std::string escaped(text, 0, first);
  for (const char byte : std::string_view(text).substr(first))
    escaped.append(byte == '\xff' ? 2 : 1, byte);
  return escaped;
}

}  // namespace eddy
