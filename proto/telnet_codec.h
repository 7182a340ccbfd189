// TelnetCodec: takes telnet's commands out of a byte stream and cuts the rest into lines.
//
// RFC 854 (the protocol), 855 (options), 860 (TIMING-MARK), 1143 (no answer loops). Mirrors the
// `read_until(b"\n")` with which a Tornado line server begins, for peers that really run `telnet`.
// Every option is declined, and every option only once. It does no I/O and keeps nothing but the
// line being typed: bytes that were not asked for stay with the caller.
//
//   text --IAC--> command --WILL/WONT/DO/DONT--> option --any--> text
//   command --IAC--> text, with a data byte 255
//   command --SB--> subnegotiation --IAC--> subnegotiation_command --SE--> text
//   subnegotiation_command --any other--> subnegotiation
//   command --any other--> text
//   text --EOT on an empty line, or a line too long--> ended      command --EOF likewise--> ended
//
// A line ends in `\n`, `\r\n`, `\n\r` or `\r\0`; telnet's commands may stand in between. A `\r`
// behind a `\n` belongs to that line end, even if it comes late, unless a `\n` or `\0` follows and
// makes it the end of an empty line. Any other `\r`, as NUL and backspace, is data like any byte.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <string>
#include <string_view>

namespace eddy {

class TelnetCodec {
 public:
  enum class Event {
    none,           // all input is used up
    line,           // line() is complete
    reply,          // reply() must be sent to the peer
    interrupt,      // IP: the line being typed has been dropped
    are_you_there,  // AYT: the peer wants to see a sign of life
    end_of_input,   // EOT or IAC EOF on an empty line; the rest of the stream is passed over
    line_too_long,  // likewise: nothing behind it will be read
  };

  explicit TelnetCodec(std::size_t max_line) : max_line_(max_line) {}
  TelnetCodec(const TelnetCodec&) = delete;
  TelnetCodec& operator=(const TelnetCodec&) = delete;

  // Removes bytes from the front of `input`, up to the end of the next event, and says which.
  Event next(std::string_view& input);

  // Without its end. Valid until the next call, and while the bytes given to next() are: a line
  // that came in one piece is not copied.
  std::string_view line() const { return complete_; }
  std::string_view reply() const { return {reply_.data(), reply_.size()}; }

  bool holds_unfinished_line() const { return !line_given_ && !line_.empty(); }  // worth a log line

 private:
  enum class State { text, command, option, subnegotiation, subnegotiation_command, ended };
  enum class LineEnd { none, after_cr, after_lf, after_lf_cr };  // what of it has arrived

  Event read_text(std::string_view& input);
  Event read_run(std::string_view& input, std::size_t size);
  bool take_line_end(std::string_view& input);
  Event carriage_return();
  Event data(std::string_view bytes);
  Event end_line(LineEnd so_far);
  Event end(Event why);

  Event step(unsigned char byte);
  Event command(unsigned char byte);
  Event option(unsigned char option);
  void drop_line();
  void clear_line();
  void erase_character();
  bool line_is_empty() const { return line_.empty() && line_end_ != LineEnd::after_cr; }

  std::size_t max_line_;
  std::string line_;           // of the line being typed, what came in earlier pieces
  std::string_view complete_;  // the last line: line_, or a part of the caller's bytes
  bool line_given_ = false;    // line_ has been handed out
  State state_ = State::text;
  LineEnd line_end_ = LineEnd::none;
  unsigned char verb_ = 0;  // the one that waits for its option
  std::array<char, 3> reply_{};
  std::bitset<512> answered_;  // WILL and DO, 256 options each
};

// Doubles every byte 255, as data must be sent.
std::string escape_iac(std::string text);

}  // namespace eddy
