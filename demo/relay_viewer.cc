// relay_viewer: prints what a device streams: its keys, and then a line for each frame.
//
//   relay_viewer --uuid U

#include <charconv>

#include <eddy/loop/await.h>
#include <eddy/loop/text.h>
#include <eddy/proto/relay_client.h>

#include "support/client.h"
#include "support/flags.h"

namespace {

using eddy::Future;

constexpr const char* kProgram = "relay_viewer";

std::string text_of(float value) {  // the shortest that reads back as the same
  char digits[32];
  return {digits, std::to_chars(digits, digits + sizeof digits, value).ptr};
}

std::string line_of(const std::string& frame) {
  std::string line;
  for (const float value : eddy::parse_relay_frame(frame))
    line += (line.empty() ? "" : ",") + text_of(value);
  return line + '\n';
}

Future<> watch(demo::Endpoint server, std::string uuid) {
  const auto stream = co_await demo::connect(server);
  const std::string keys = co_await eddy::relay_as_viewer(*stream, uuid);
  const std::size_t frame_size = eddy::split_relay_keys(keys).size() * eddy::kRelayBytesPerKey;
  demo::print(eddy::printable(keys, eddy::kRelayMaxString) + '\n');
  for (;;) {
    if (stream->read_buffer_size() < frame_size) demo::flush();  // before what may be a wait
    demo::print(line_of(co_await stream->read_bytes(frame_size)));
  }
}

}  // namespace

int main(int count, char** arguments) {
  demo::Endpoint server;
  server.port = 1234;
  std::string uuid;
  demo::Flags line(kProgram, "Prints what a device streams: its keys, then a line for each frame.");
  line.add(server);
  line.add_text("--uuid", uuid, "U", "the device's name");
  if (const auto exit_code = line.parse(count, arguments)) return *exit_code;
  if (const auto problem = eddy::relay_length_problem("UUID", uuid.size()); !problem.empty())
    return demo::usage_error(kProgram, problem);
  return demo::converse_until_stopped(kProgram, [&] { return watch(server, uuid); });
}
