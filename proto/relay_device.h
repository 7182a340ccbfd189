// RelayDevice: what is known of one device: its keys, who feeds it, and who watches it.
//
// What the article's server keeps in `self.devices[uuid]`. It does no I/O: frames come in by
// feed(), and each viewer is told of them, takes them when it can, and loses the oldest when it
// can't for long. Devices are made by a RelayHub, and live on until the last viewer has left.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "../loop/clock.h"
#include "../loop/list.h"
#include "relay_backlog.h"
#include "relay_memory.h"

namespace eddy {

class RelayDevice;

// Where a device's frames come from. The calls of this and the next class come from within feed()
// and the hub's methods: what they do must not reach back there, nor destroy anybody.
class RelaySource {
 public:
  virtual void replaced() = 0;  // a newer source of the same device has taken its place

 protected:
  ~RelaySource() = default;
};

// Where they go.
//
//   strange --meet()--> acquainted --watch()--> watching
//                            \---------------------\---device_gone()--> nothing new comes
class RelayViewer : public ListNode {
 public:
  RelayViewer() = default;
  ~RelayViewer();

  void meet(std::shared_ptr<RelayDevice> device);
  void watch();  // from now on, each frame that comes is for us

  // The frames that come next, some of them: whole ones, in one piece, valid until the device is
  // fed again. Empty: we have them all.
  std::string_view take();
  bool behind() const;
  std::uint64_t lost() const { return lost_; }  // frames, so far
  const RelayDevice& device() const { return *device_; }

 private:
  friend class RelayDevice;
  virtual void frames_arrived() = 0;
  virtual void device_gone() = 0;
  void skip_what_is_dropped();

  std::shared_ptr<RelayDevice> device_;
  std::uint64_t position_ = 0;  // in the device's backlog
  std::uint64_t lost_ = 0;
  bool watching_ = false;
};

class RelayDevice : public ListNode {
 public:
  // Who is behind by more than `max_behind` bytes loses the oldest frames; when all devices hold
  // too much together, who is behind at all may.
  RelayDevice(std::string uuid, std::string keys, std::size_t max_behind,
              std::shared_ptr<RelayMemory> of_all);
  ~RelayDevice();
  RelayDevice(const RelayDevice&) = delete;
  RelayDevice& operator=(const RelayDevice&) = delete;

  const std::string& uuid() const { return uuid_; }
  const std::string& keys() const { return keys_; }
  std::size_t frame_size() const { return backlog_.frame_size(); }
  std::size_t memory() const { return backlog_.memory(); }  // bytes that its backlog holds

  // Whole frames for all who watch. Frames of a source that was replaced are dropped.
  void feed(const RelaySource& source, std::string_view frames);

 private:
  friend class RelayHub;
  friend class RelayViewer;
  void set_source(RelaySource* source);
  void gone();
  void caught_up();
  void left_by_a_watcher(bool behind);
  void hold(std::string_view frames);
  void count_memory();

  const std::string uuid_;
  const std::string keys_;
  RelayBacklog backlog_;
  const std::shared_ptr<RelayMemory> of_all_;
  std::size_t counted_ = 0;        // bytes of the backlog, there
  RelaySource* source_ = nullptr;  // none: absent
  TimePoint left_{};               // when it became so
  List<RelayViewer> acquainted_;
  List<RelayViewer> watching_;
  std::size_t watchers_ = 0;
  std::size_t behind_ = 0;  // of them, who have not taken everything
};

}  // namespace eddy
