// relay_device: feeds a relay a sine for each key.
//
//   relay_device --uuid U --keys x,y,z [--rate FRAMES_PER_SECOND] [--frames N]

#include <cmath>
#include <numbers>

#include <eddy/loop/await.h>
#include <eddy/loop/gen.h>
#include <eddy/proto/relay_client.h>

#include "support/client.h"
#include "support/flags.h"

namespace {

using eddy::Future;

constexpr const char* kProgram = "relay_device";

struct Device {
  std::string uuid;
  std::string keys;
  std::size_t rate = 60;   // frames in a second
  std::size_t frames = 0;  // 0: until it is stopped
};

// Each key goes round once in a second, and they follow each other at even distances.
std::string sines(std::size_t keys, double seconds) {
  std::vector<float> values;
  for (std::size_t key = 0; key < keys; ++key) {
    const double rounds = seconds + static_cast<double>(key) / static_cast<double>(keys);
    values.push_back(static_cast<float>(std::sin(2 * std::numbers::pi * rounds)));
  }
  return eddy::format_relay_frame(values);
}

Future<> send_frames(eddy::IOStream& stream, Device device) {
  const std::size_t keys = eddy::split_relay_keys(device.keys).size();
  const eddy::TimePoint start = stream.loop().time();
  for (std::size_t sent = 0; device.frames == 0 || sent < device.frames; ++sent) {
    const std::chrono::duration<double> due(static_cast<double>(sent) /
                                            static_cast<double>(device.rate));
    co_await eddy::sleep(due - (stream.loop().time() - start));
    co_await stream.write(sines(keys, due.count()));
  }
  co_await stream.shutdown_write();
}

// A relay says nothing more; its end is what is waited for.
Future<> wait_for_the_end(eddy::IOStream& stream) {
  for (;;) co_await stream.read_bytes(1);
}

Future<> feed(demo::Endpoint server, Device device) {
  const auto stream = co_await demo::connect(server);
  co_await eddy::relay_as_device(*stream, device.uuid, device.keys);
  co_await demo::either(send_frames(*stream, device), wait_for_the_end(*stream));
}

}  // namespace

int main(int count, char** arguments) {
  demo::Endpoint server;
  server.port = 1234;
  Device device;
  demo::Flags line(kProgram, "Feeds a relay a sine for each key, until it is stopped.");
  line.add(server);
  line.add_text("--uuid", device.uuid, "U", "the device's name");
  line.add_text("--keys", device.keys, "x,y,z", "names of the numbers in a frame");
  line.add_number("--rate", device.rate, 1, "frames in a second");
  line.add_number("--frames", device.frames, 0, "how many; 0: until it is stopped");
  if (const auto exit_code = line.parse(count, arguments)) return *exit_code;
  for (const std::string& problem : {eddy::relay_length_problem("UUID", device.uuid.size()),
                                     eddy::relay_length_problem("key list", device.keys.size()),
                                     eddy::relay_keys_problem(device.keys)})
    if (!problem.empty()) return demo::usage_error(kProgram, problem);
  return demo::converse_until_stopped(kProgram, [&] { return feed(server, device); });
}
