// List: a doubly linked list threaded through its own elements.
//
// Nothing is allocated, so putting an element in cannot fail, and an element that is destroyed
// leaves whatever list it stands in. Run queues, waiters and registries are made of it.
#pragma once

#include <cstddef>

namespace eddy {

class ListNode {
 public:
  ListNode() = default;
  ListNode(const ListNode&) = delete;
  ListNode& operator=(const ListNode&) = delete;
  ~ListNode() { unlink(); }

  bool linked() const { return next_ != this; }

  void unlink() {  // harmless when it stands in no list
    prev_->next_ = next_;
    next_->prev_ = prev_;
    next_ = prev_ = this;
  }

 private:
  template <class T>
  friend class List;
  ListNode* next_ = this;
  ListNode* prev_ = this;
};

template <class T>  // T derives from ListNode and stands in one list at a time
class List {
 public:
  bool empty() const { return !head_.linked(); }

  void push_back(T& element) {
    ListNode& node = element;
    if (node.linked()) node.unlink();
    link(head_, node, node);
  }

  template <class F>
  void insert_before_first(T& element, F belongs_before) {  // of which that holds; else at the end
    ListNode* place = head_.next_;
    while (place != &head_ && !belongs_before(static_cast<T&>(*place))) place = place->next_;
    ListNode& node = element;
    if (node.linked()) node.unlink();
    link(*place, node, node);
  }

  T& front() { return static_cast<T&>(*head_.next_); }
  T& back() { return static_cast<T&>(*head_.prev_); }

  T& pop_front() {
    ListNode& node = *head_.next_;
    node.unlink();
    return static_cast<T&>(node);
  }

  void take_all(List& other) {  // appends what `other` holds and leaves it empty
    if (other.empty()) return;
    ListNode& first = *other.head_.next_;
    ListNode& last = *other.head_.prev_;
    other.head_.next_ = other.head_.prev_ = &other.head_;
    link(head_, first, last);
  }

  template <class F>
  void for_each(F visit) {  // `visit` may not change the list
    for (ListNode* node = head_.next_; node != &head_; node = node->next_)
      visit(static_cast<T&>(*node));
  }

 private:
  static void link(ListNode& place, ListNode& first, ListNode& last) {  // before `place`
    first.prev_ = place.prev_;
    last.next_ = &place;
    place.prev_->next_ = &first;
    place.prev_ = &last;
  }

  ListNode head_;
};

}  // namespace eddy
