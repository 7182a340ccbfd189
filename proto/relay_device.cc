#include "relay_device.h"

#include <algorithm>
#include <utility>

#include "relay_frame.h"

namespace eddy {

// --- A viewer ------------------------------------------------------------------------------------

RelayViewer::~RelayViewer() {
  if (watching_) device_->left_by_a_watcher(behind());
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

RelayDevice::RelayDevice(std::string uuid, std::string keys, std::size_t max_behind,
                         std::shared_ptr<RelayMemory> of_all)
    : uuid_(std::move(uuid)),
      keys_(std::move(keys)),
      backlog_(split_relay_keys(keys_).size() * kRelayBytesPerKey, max_behind),
      of_all_(std::move(of_all)) {}

RelayDevice::~RelayDevice() { of_all_->count(counted_, 0); }

void RelayDevice::feed(const RelaySource& source, std::string_view frames) {
  if (&source != source_ || frames.empty() || watchers_ == 0) return;
  hold(frames);
  behind_ = watchers_;
  watching_.for_each([](RelayViewer& viewer) {
    viewer.skip_what_is_dropped();
    viewer.frames_arrived();
  });
}

void RelayDevice::hold(std::string_view frames) {
  backlog_.append(frames);
  count_memory();
  if (!of_all_->is_short()) return;
  backlog_.drop_from_front(std::max(frames.size(), RelayMemory::kShare));
  count_memory();
}

void RelayDevice::count_memory() {
  of_all_->count(counted_, backlog_.memory());
  counted_ = backlog_.memory();
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
  if (--behind_ > 0) return;
  backlog_.clear();
  count_memory();
}

void RelayDevice::left_by_a_watcher(bool behind) {
  if (behind) caught_up();
  if (--watchers_ > 0) return;
  backlog_.release();
  count_memory();
}

}  // namespace eddy
