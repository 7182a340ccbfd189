// Heap: which of them comes first, threaded through its own elements.
//
// What heapq is to tornado.queues.PriorityQueue. It is a pairing heap: a tree in which nobody comes
// before his parent. Nothing is allocated, so putting an element in cannot fail.
#pragma once

#include <utility>

namespace eddy {

template <class T>
class HeapNode {
 private:
  template <class U, class Before>
  friend class Heap;
  T* child_ = nullptr;  // the first of them, and
  T* next_ = nullptr;   // the next of its parent's
};

template <class T, class Before>  // T derives from HeapNode<T>
class Heap {
 public:
  explicit Heap(Before before = Before()) : before_(std::move(before)) {}
  Heap(const Heap&) = delete;
  Heap& operator=(const Heap&) = delete;

  bool empty() const { return !root_; }
  void push(T& element) { root_ = meld(root_, &element); }
  T& pop() {
    T& first = *root_;
    root_ = meld_all(std::exchange(first.HeapNode<T>::child_, nullptr));
    return first;
  }

 private:
  T* meld(T* one, T* other) {
    if (!one || !other) return one ? one : other;
    if (before_(*other, *one)) std::swap(one, other);
    next(other) = std::exchange(one->HeapNode<T>::child_, other);
    return one;
  }

  // In two passes: neighbours in pairs, and the pairs from the last to the first. That is what
  // makes it quick: a pop costs the logarithm of the size, on the whole.
  T* meld_all(T* brothers) {
    T* pairs = nullptr;
    while (brothers) {
      T* const one = take_first(brothers);
      T* const pair = meld(one, brothers ? take_first(brothers) : nullptr);
      next(pair) = std::exchange(pairs, pair);
    }
    T* all = nullptr;
    while (pairs) all = meld(all, take_first(pairs));
    return all;
  }

  static T*& next(T* element) { return element->HeapNode<T>::next_; }
  static T* take_first(T*& from) {
    T* const first = from;
    from = std::exchange(next(first), nullptr);
    return first;
  }

  Before before_;
  T* root_ = nullptr;
};

}  // namespace eddy
