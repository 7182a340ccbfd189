// rpc_message: the words of a call and the lines of its answer.
//
// What json.loads and json.dumps would be to a Tornado handler, for a protocol that people type.
// Pure text in, pure text out; telnet's line ends and commands are telnet_codec's affair.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace eddy {

// The words of a call line, or why it has none.
struct RpcWords {
  std::vector<std::string> words;
  std::string error;  // empty when the line is well-formed
};

// Words are separated by spaces and tabs. A `"` opens one only at its start; inside, `\"` and `\\`
// stand for `"` and `\`, and behind the closing quote a blank or the end must follow. Elsewhere
// quotes and backslashes are ordinary bytes.
RpcWords split_words(std::string_view line);

// One word as split_words will read it, quoted only when it must be. Throws std::invalid_argument
// when it holds a CR or LF: that would end the line.
std::string quote_word(std::string_view word);

std::string join_words(std::span<const std::string> words);  // with single spaces between

// Answers as they go over the wire: `[3] ok 42`, `[3] error division by zero`, `[3] | one line`,
// each with its CR LF and with 255 doubled. A CR or LF inside `text` would begin a line that nobody
// sent: it is written as `\r` or `\n`, two characters.
std::string format_ok(std::uint64_t number, std::string_view text = {});
std::string format_error(std::uint64_t number, std::string_view text);
std::string format_row(std::uint64_t number, std::string_view text);
// A whole result: one line as `ok`, several as a row each and an empty `ok`.
std::string format_result(std::uint64_t number, std::string_view text);

// A name that a peer sent, for an answer or a log: cut to 64 bytes, then escaped.
std::string printable_name(std::string_view name);

struct RpcAnswer {
  enum class Kind {
    ok,
    error,
    row,
    notice,  // belongs to no call: `[yes]`, `error line too long`
  };
  Kind kind = Kind::notice;
  std::uint64_t number = 0;  // of the call
  std::string text;
};

// What a client makes of a line of its server. A line that is no answer is a notice.
RpcAnswer parse_answer(std::string_view line);

}  // namespace eddy
