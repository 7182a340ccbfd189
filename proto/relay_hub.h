// RelayHub: the devices that a relay knows, by UUID.
//
// What the article's server keeps in `self.devices`. It does no I/O and has no clock: whoever has
// one tells it the time, and asks when the next device is to be forgotten.
//
//   unknown --connect--> fed --disconnect--> absent --device_ttl passes--> unknown
//                        ^ \--connect, same keys: the newest source feeds--> fed
//                        \------------connect, same keys------------/
//
// With other keys, connect makes a new device of the same UUID, and the old one is gone.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "relay_device.h"

namespace eddy {

struct RelayHubOptions {
  std::size_t max_write_buffer = 1 << 20;          // bytes that a viewer may be behind
  std::size_t max_total_backlog = 256 << 20;       // bytes that wait for viewers, of all devices
  Duration device_ttl = std::chrono::seconds(60);  // how long one without a source stays known
  std::size_t max_devices = 10'000;  // above it, who is absent for longest is forgotten
};

class RelayHub {
 public:
  explicit RelayHub(const RelayHubOptions& options = {})
      : options_(options), memory_(std::make_shared<RelayMemory>(options.max_total_backlog)) {}

  // From now on `source`, which must stay until disconnect, feeds the device. The keys are well.
  // Throws LimitError when max_devices are known and none is absent.
  std::shared_ptr<RelayDevice> connect(const std::string& uuid, const std::string& keys,
                                       RelaySource& source);
  // Harmless when the source was replaced.
  void disconnect(RelayDevice& device, const RelaySource& source, TimePoint now);

  std::shared_ptr<RelayDevice> find(const std::string& uuid) const;  // none: unknown

  std::optional<TimePoint> next_expiry();  // of an absent device; none: there is none
  void expire(TimePoint now);              // forgets those whose device_ttl has passed
  void forget_all();                       // every viewer is told

  std::size_t size() const { return devices_.size(); }
  std::size_t memory() const { return memory_->held(); }  // bytes, of all backlogs
  const RelayHubOptions& options() const { return options_; }

 private:
  void make_room();
  void forget(RelayDevice& device);

  const RelayHubOptions options_;
  const std::shared_ptr<RelayMemory> memory_;                    // devices may outlive us
  std::map<std::string, std::shared_ptr<RelayDevice>> devices_;  // beside us, viewers own them
  List<RelayDevice> absent_;                                     // who left first comes first
};

}  // namespace eddy
