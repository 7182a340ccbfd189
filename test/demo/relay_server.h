// RelayProgram: a relay that runs on a free port; its devices and viewers, as plain sockets.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <eddy/proto/relay_frame.h>

#include "../support/demo_server.h"

namespace eddy {

class RelayProgram : public DemoServer {
 public:
  explicit RelayProgram(Words flags = {}) : DemoServer("relay", std::move(flags)) {}
};

class RelaySocket : public Client {
 public:
  using Client::Client;

  std::string read(std::size_t count) {  // exactly; throws when the relay ends before
    while (read_.size() < count) {
      const std::string more = read_some();
      if (more.empty()) throw std::runtime_error("the relay ended after: " + read_);
      read_ += more;
    }
    std::string taken = read_.substr(0, count);
    read_.erase(0, count);
    return taken;
  }
  std::string read_to_end() { return std::exchange(read_, {}) + Client::read_to_end(); }
  bool has_more() const {
    pollfd one{fd(), POLLIN, 0};
    return !read_.empty() || ::poll(&one, 1, 0) == 1;
  }

 private:
  std::string read_;
};

inline std::string device_words(const std::string& uuid, const std::string& keys) {
  return std::string(1, kRelayDevice) + format_relay_string(uuid) + format_relay_string(keys);
}

// Both have shaken hands with the relay, but for the viewer's last word, which may be under way.
class Device : public RelaySocket {
 public:
  explicit Device(const DemoServer& relay, const std::string& keys = "x", const Options& how = {})
      : RelaySocket(relay.port(), how) {
    send(device_words("d", keys));
    if (read(3) != std::string(3, '\0')) throw std::runtime_error("a device is not accepted");
  }
};

class Viewer : public RelaySocket {
 public:
  explicit Viewer(const DemoServer& relay, const std::string& keys = "x", const Options& how = {})
      : RelaySocket(relay.port(), how) {
    send(std::string(1, kRelayViewer) + format_relay_string("d") + '\0');
    if (read(6 + keys.size()) != std::string(2, '\0') + format_relay_string(keys))
      throw std::runtime_error("a viewer is not accepted");
  }
};

// From here on the viewers receive what the device sends next, and nothing that it sent before.
inline void begin_to_watch(Device& device, const std::vector<Viewer*>& viewers,
                           std::size_t frame_size = 4) {
  const std::string probe(frame_size, '?');
  const std::string last(frame_size, '!');
  for (const Viewer* viewer : viewers)
    if (!eventually([&] {
          device.send(probe);
          return viewer->has_more();
        }))
      throw std::runtime_error("a viewer gets no frames");
  device.send(last);
  for (Viewer* viewer : viewers)
    while (viewer->read(frame_size) != last) continue;
}

// Frames of `size` bytes, numbered, that differ in every byte a torn one would show.
inline std::string numbered_frames(std::size_t size, std::uint64_t first, std::size_t count) {
  std::string all;
  for (std::uint64_t number = first; number < first + count; ++number) {
    std::string frame = std::to_string(number) + '|';
    frame.resize(size, static_cast<char>('a' + number % 26));
    all += frame;
  }
  return all;
}

// How many of the frames from 0 to `count` are missing. Throws when one is torn or out of order.
inline std::uint64_t missing(const std::string& received, std::size_t size, std::uint64_t count) {
  if (received.size() % size != 0) throw std::runtime_error("a torn frame at the end");
  std::uint64_t next = 0;
  for (std::size_t at = 0; at < received.size(); at += size) {
    const std::uint64_t number = std::strtoull(received.c_str() + at, nullptr, 10);
    if (number < next || received.compare(at, size, numbered_frames(size, number, 1)) != 0)
      throw std::runtime_error("a torn frame, or one too late: number " + std::to_string(number));
    next = number + 1;
  }
  return count - received.size() / size;
}

}  // namespace eddy
