#include "relay_hub.h"

#include <utility>

#include "../loop/errors.h"

namespace eddy {

std::shared_ptr<RelayDevice> RelayHub::connect(const std::string& uuid, const std::string& keys,
                                               RelaySource& source) {
  std::shared_ptr<RelayDevice> device = find(uuid);
  if (!device) make_room();
  if (!device || device->keys() != keys) {
    const auto before = std::move(device);
    device = std::make_shared<RelayDevice>(uuid, keys, options_.max_write_buffer, memory_);
    devices_[uuid] = device;
    if (before) before->gone();
  }
  device->unlink();
  device->set_source(&source);
  return device;
}

void RelayHub::make_room() {
  if (devices_.size() < options_.max_devices) return;
  if (absent_.empty())
    throw LimitError("max_devices = " + std::to_string(options_.max_devices) + " are known");
  forget(absent_.front());
}

void RelayHub::disconnect(RelayDevice& device, const RelaySource& source, TimePoint now) {
  if (device.source_ != &source) return;
  device.set_source(nullptr);
  device.left_ = now;
  absent_.push_back(device);
}

std::shared_ptr<RelayDevice> RelayHub::find(const std::string& uuid) const {
  const auto found = devices_.find(uuid);
  return found == devices_.end() ? nullptr : found->second;
}

std::optional<TimePoint> RelayHub::next_expiry() {
  if (absent_.empty()) return std::nullopt;
  return after(absent_.front().left_, options_.device_ttl);
}

void RelayHub::expire(TimePoint now) {
  for (auto due = next_expiry(); due && *due <= now; due = next_expiry()) forget(absent_.front());
}

void RelayHub::forget(RelayDevice& device) {
  const auto node = devices_.extract(device.uuid());
  device.gone();
}

void RelayHub::forget_all() {
  while (!devices_.empty()) forget(*devices_.begin()->second);
}

}  // namespace eddy
