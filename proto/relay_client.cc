#include "relay_client.h"

#include <utility>

#include "../loop/await.h"
#include "../loop/text.h"

namespace eddy {
namespace {

void refuse(const std::string& problem) {
  if (!problem.empty()) throw RelayError(problem);
}

void check_acknowledged(const std::string& answer) {
  if (answer.front() != kRelayOk)
    throw RelayError("the relay answers '" + printable(answer) + "', which no relay says here");
}

Future<> introduce(IOStream& stream, std::string first_words) {
  co_await stream.write(first_words);
  check_acknowledged(co_await stream.read_bytes(1));
}

}  // namespace

Future<> relay_as_device(IOStream& stream, std::string uuid, std::string keys) {
  refuse(relay_length_problem("UUID", uuid.size()));
  refuse(relay_length_problem("key list", keys.size()));
  refuse(relay_keys_problem(keys));
  co_await introduce(stream, std::string(1, kRelayDevice) + format_relay_string(uuid));
  check_acknowledged(co_await stream.read_bytes(1));
  co_await introduce(stream, format_relay_string(keys));
}

Future<std::string> relay_as_viewer(IOStream& stream, std::string uuid) {
  refuse(relay_length_problem("UUID", uuid.size()));
  co_await introduce(stream, std::string(1, kRelayViewer) + format_relay_string(uuid));
  const std::string known = co_await stream.read_bytes(1);
  if (known.front() == kRelayUnknown) throw RelayError("no device '" + printable(uuid) + '\'');
  check_acknowledged(known);
  const std::size_t length = parse_relay_length(co_await stream.read_bytes(kRelayLengthSize));
  refuse(relay_length_problem("key list", length));
  std::string keys = co_await stream.read_bytes(length);
  refuse(relay_keys_problem(keys));
  co_await stream.write(std::string(1, kRelayOk));
  co_return keys;
}

}  // namespace eddy
