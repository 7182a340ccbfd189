#include "timer_order.h"

#include <algorithm>
#include <array>
#include <utility>

namespace eddy {

void TimerOrder::reserve(std::size_t count) {
  if (count > entries_.capacity()) entries_.reserve(std::max(count, 2 * entries_.capacity()));
  if (count > places_.size()) places_.resize(count, kNowhere);
}

void TimerOrder::add(const Entry& entry) {
  std::size_t gap = entries_.size();
  entries_.push_back(entry);
  for (Part& part : parts_) {  // who is due before a part lets its first one go to its end
    if (entry.when >= part.from) return put(gap, entry);
    if (gap != part.begin) put(gap, entries_[part.begin]);
    gap = part.begin++;
  }
  sift_up(gap, entry);
  if (heap_end() > grown_) divide_heap();
}

void TimerOrder::remove(std::uint32_t timer) {
  const std::size_t at = std::exchange(places_[timer], kNowhere);
  if (at == kNowhere) return;
  const std::size_t part = part_of(at);
  if (part < parts_.size()) return pass_on_gap(at, part);
  remove_from_heap(at);
  pass_on_gap(heap_end() - 1, part);
  if (heap_end() == 0) fill_heap();
}

void TimerOrder::clear() {
  entries_.clear();
  std::fill(places_.begin(), places_.end(), kNowhere);
  parts_.clear();
  grown_ = kGrown;
}

void TimerOrder::forget_numbers() {
  clear();
  entries_ = std::vector<Entry>();
  places_ = std::vector<std::uint32_t>();
}

std::size_t TimerOrder::part_of(std::size_t at) const {
  std::size_t part = 0;
  while (part < parts_.size() && at < parts_[part].begin) ++part;
  return part;
}

void TimerOrder::put(std::size_t at, const Entry& entry) {
  entries_[at] = entry;
  places_[entry.timer] = static_cast<std::uint32_t>(at);
}

// The last of the part fills it, and so that of each part behind, until the gap is at the end.
void TimerOrder::pass_on_gap(std::size_t at, std::size_t part) {
  for (;; --part) {
    const std::size_t last = end_of(part) - 1;
    if (at != last) put(at, entries_[last]);
    at = last;
    if (part == 0) break;
    parts_[part - 1].begin = at;
  }
  entries_.pop_back();
}

void TimerOrder::sift_up(std::size_t at, const Entry& entry) {
  while (at > 0) {
    const std::size_t parent = (at - 1) / 4;
    if (!entry.before(entries_[parent])) break;
    put(at, entries_[parent]);
    at = parent;
  }
  put(at, entry);
}

void TimerOrder::sift_down(std::size_t at, std::size_t end, const Entry& entry) {
  for (std::size_t first = 4 * at + 1; first < end; first = 4 * at + 1) {
    const std::size_t least = least_of(first, std::min(first + 4, end));
    if (!entries_[least].before(entry)) break;
    put(at, entries_[least]);
    at = least;
  }
  put(at, entry);
}

// Keeps the least time at hand, or each comparison would wait for the address that the one before
// it chose.
std::size_t TimerOrder::least_of(std::size_t first, std::size_t end) const {
  std::size_t least = first;
  TimePoint when = entries_[first].when;
  for (std::size_t at = first + 1; at < end; ++at) {
    const Entry& entry = entries_[at];
    if (entry.when != when ? entry.when < when : entry.before(entries_[least])) {
      least = at;
      when = entry.when;
    }
  }
  return least;
}

// Leaves the gap at the heap's end.
void TimerOrder::remove_from_heap(std::size_t at) {
  const std::size_t end = heap_end() - 1;
  const Entry last = entries_[end];
  if (at == end) return;
  if (at > 0 && last.before(entries_[(at - 1) / 4]))
    sift_up(at, last);
  else
    sift_down(at, end, last);
}

// What was the heap becomes the nearest part, one with those behind it that are not much larger:
// so there are few, whatever the order in which timers come.
void TimerOrder::divide_heap() {
  parts_.push_back({.from = TimePoint::min(), .begin = 0});
  while (parts_.size() > kParts ||
         (parts_.size() > 1 && end_of(parts_.size() - 2) < kGrowth * end_of(parts_.size() - 1)))
    parts_.erase(parts_.end() - 2);
  fill_heap();
}

void TimerOrder::fill_heap() {
  grown_ = kGrown;
  while (heap_end() == 0 && !parts_.empty())
    if (!divide_nearest_part()) make_heap();
}

bool TimerOrder::divide_nearest_part() {
  const std::size_t end = end_of(parts_.size() - 1);
  TimePoint pivot;
  if (end <= kHeap || parts_.size() == kParts || !choose_pivot(end, pivot)) return false;
  std::size_t middle = 0;
  for (std::size_t at = 0; at < end; ++at) {
    if (entries_[at].when >= pivot) continue;
    const Entry near = entries_[at];
    put(at, entries_[middle]);
    put(middle++, near);
  }
  parts_.back() = {.from = pivot, .begin = middle};
  parts_.push_back({.from = TimePoint::min(), .begin = 0});
  return true;
}

// Some are due before it, about an eighth, but not all; false where no such time is found.
bool TimerOrder::choose_pivot(std::size_t end, TimePoint& pivot) const {
  std::array<TimePoint, kSamples> samples;
  for (std::size_t i = 0; i < kSamples; ++i) samples[i] = entries_[i * end / kSamples].when;
  std::sort(samples.begin(), samples.end());
  const auto later = std::upper_bound(samples.begin(), samples.end(), samples.front());
  if (later == samples.end()) return false;
  pivot = std::max(*later, samples[kSamples / 8]);
  return true;
}

void TimerOrder::make_heap() {
  parts_.pop_back();
  for (std::size_t at = 0; at < heap_end(); ++at) sift_up(at, Entry(entries_[at]));
  grown_ = std::max(kGrown, 2 * heap_end());
}

}  // namespace eddy
