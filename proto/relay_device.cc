#include "relay_device.h"

#include <utility>

#include "relay_frame.h"

namespace eddy {

// --- A viewer ------------------------------------------------------------------------------------

RelayViewer::~RelayViewer() {
  if (!watching_) return;
  --device_->watchers_;
  if (behind()) device_->caught_up();
}

void RelayViewer::meet(std::shared_ptr<RelayDevice> device) {
  device_ = std::move(device);
  device_->acquainted_.push_back(*this);
}

void RelayViewer::watch() {
  device_->watching_.push_back(*this);
  ++device_->watchers_;
  watching_ = true;
  position_ = device_->backlog_.end();
}

bool RelayViewer::behind() const { return watching_ && position_ != device_->backlog_.end(); }

std::string_view RelayViewer::take() {
  if (!behind()) return {};
  const std::string_view frames = device_->backlog_.at(position_);
  position_ += frames.size();
  if (!behind()) device_->caught_up();
  return frames;
}

void RelayViewer::skip_what_is_dropped() {
  const std::uint64_t begin = device_->backlog_.begin();
  if (position_ >= begin) return;
  lost_ += (begin - position_) / device_->frame_size();
  position_ = begin;
}

// --- A device ------------------------------------------------------------------------------------

RelayDevice::RelayDevice(std::string uuid, std::string keys, std::size_t max_behind)
    : uuid_(std::move(uuid)),
      keys_(std::move(keys)),
      backlog_(split_relay_keys(keys_).size() * kRelayBytesPerKey, max_behind) {}

void RelayDevice::feed(const RelaySource& source, std::string_view frames) {
  if (&source != source_ || frames.empty() || watchers_ == 0) return;
  backlog_.append(frames);
  behind_ = watchers_;
  watching_.for_each([](RelayViewer& viewer) {
    viewer.skip_what_is_dropped();
    viewer.frames_arrived();
  });
}

void RelayDevice::set_source(RelaySource* source) {
  RelaySource* const before = std::exchange(source_, source);
  if (before && source) before->replaced();
}

void RelayDevice::gone() {
  unlink();
  if (RelaySource* const before = std::exchange(source_, nullptr)) before->replaced();
  for (List<RelayViewer>* viewers : {&acquainted_, &watching_})
    viewers->for_each([](RelayViewer& viewer) { viewer.device_gone(); });
}

void RelayDevice::caught_up() {
  if (--behind_ == 0) backlog_.clear();
}

}  // namespace eddy
