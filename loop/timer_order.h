// TimerOrder: which of many timers is due next.
//
// Stands for the heapq inside tornado.ioloop.PollIOLoop, but most timers are timeouts: started,
// cancelled, and never due. So only the next ones stand in order, in a 4-ary heap. The others wait
// unsorted in a few parts behind it, each due later than the one before and some times as large:
//
//   entries_   [ heap | nearest part |   ...   |           furthest part           ]
//
// When the heap is empty, the nearest part is divided by time until its first piece is small enough
// to be the next heap. To let one in or out of the middle, each part behind it passes one place on.
// (Navarro and Paredes call it a quickheap, 2010.)
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "clock.h"

namespace eddy {

class TimerOrder {
 public:
  struct Entry {
    TimePoint when;
    std::uint32_t order;  // of adding, among those due at the same time; it may wrap around
    std::uint32_t timer;  // its number
    bool before(const Entry& other) const {
      return when != other.when ? when < other.when
                                : static_cast<std::int32_t>(order - other.order) < 0;
    }
  };

  TimerOrder() { parts_.reserve(kParts + 1); }  // so that adding asks for no memory

  void reserve(std::size_t count);  // for timers of lower numbers; nothing else may fail
  void add(const Entry& entry);
  void remove(std::uint32_t timer);  // harmless when it does not stand here

  bool empty() const { return entries_.empty(); }
  const Entry& first() const { return entries_.front(); }
  void clear();
  void forget_numbers();  // gives memory back; when it is empty, until the next reserve()

 private:
  static constexpr std::uint32_t kNowhere = UINT32_MAX;
  static constexpr std::size_t kHeap = 256;    // a part so small becomes the heap
  static constexpr std::size_t kGrown = 1024;  // a heap larger than this is divided
  static constexpr std::size_t kGrowth = 4;    // where a part ends, to where it begins: at least
  static constexpr std::size_t kParts = 32;
  static constexpr std::size_t kSamples = 32;

  struct Part {
    TimePoint from;  // due then or later, and whatever stands before it is due earlier
    std::size_t begin;
  };

  std::size_t end_of(std::size_t part) const {  // parts_.size() is the heap
    return part == 0 ? entries_.size() : parts_[part - 1].begin;
  }
  std::size_t heap_end() const { return end_of(parts_.size()); }
  std::size_t part_of(std::size_t at) const;

  void put(std::size_t at, const Entry& entry);
  void pass_on_gap(std::size_t at, std::size_t part);

  void sift_up(std::size_t at, const Entry& entry);
  void sift_down(std::size_t at, std::size_t end, const Entry& entry);
  std::size_t least_of(std::size_t first, std::size_t end) const;
  void remove_from_heap(std::size_t at);

  void divide_heap();
  void fill_heap();
  bool divide_nearest_part();
  bool choose_pivot(std::size_t end, TimePoint& pivot) const;
  void make_heap();

  std::vector<Entry> entries_;
  std::vector<std::uint32_t> places_;  // where each timer stands
  std::vector<Part> parts_;            // the furthest first
  std::size_t grown_ = kGrown;
};

}  // namespace eddy
