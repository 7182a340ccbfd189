// Callback: a function to be called later, once or more, moved but never copied.
//
// What Python's closures are to tornado.ioloop: it may own sockets, promises and buffers. Captures
// of up to 48 bytes live inside; the whole is one cache line of 64.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace eddy {

class Callback {
 public:
  static constexpr std::size_t kInline = 48;

  Callback() = default;

  template <class F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, Callback> &&
             std::is_invocable_v<std::decay_t<F>&>)
  Callback(F&& function) {  // NOLINT(google-explicit-constructor): a lambda is a callback
    using Function = std::decay_t<F>;
    if constexpr (fits<Function>) {
      ::new (static_cast<void*>(storage_)) Function(std::forward<F>(function));
    } else {
      static_assert(sizeof(Function*) <= kInline);
      ::new (static_cast<void*>(storage_)) Function*(new Function(std::forward<F>(function)));
    }
    call_ = &call<Function>;
    if constexpr (!(fits<Function> && std::is_trivially_copyable_v<Function> &&
                    std::is_trivially_destructible_v<Function>))
      manage_ = &manage<Function>;
  }

  Callback(Callback&& other) noexcept { take(other); }
  Callback& operator=(Callback&& other) noexcept {
    if (this != &other) {
      reset();
      take(other);
    }
    return *this;
  }
  ~Callback() { reset(); }

  explicit operator bool() const { return call_ != nullptr; }
  void operator()() { call_(storage_); }

  void reset() {  // lets go of what it holds
    if (manage_) std::exchange(manage_, nullptr)(storage_, nullptr);
    call_ = nullptr;
  }

 private:
  template <class F>
  static constexpr bool fits =
      sizeof(F) <= kInline &&
      alignof(F) <= alignof(std::max_align_t) && std::is_nothrow_move_constructible_v<F>;

  template <class F>
  static F& function_in(void* storage) {
    if constexpr (fits<F>)
      return *std::launder(static_cast<F*>(storage));
    else
      return **static_cast<F**>(storage);
  }

  template <class F>
  static void call(void* storage) {
    function_in<F>(storage)();
  }

  // Moves to `target`, or destroys when there is none. Trivial captures need neither.
  template <class F>
  static void manage(void* storage, void* target) {
    if constexpr (fits<F>) {
      if (target) ::new (target) F(std::move(function_in<F>(storage)));
      std::destroy_at(&function_in<F>(storage));
    } else if (target) {
      std::memcpy(target, storage, sizeof(F*));
    } else {
      delete &function_in<F>(storage);
    }
  }

  void take(Callback& other) noexcept {
    if (other.manage_)
      other.manage_(other.storage_, storage_);
    else
      std::memcpy(storage_, other.storage_, kInline);
    call_ = std::exchange(other.call_, nullptr);
    manage_ = std::exchange(other.manage_, nullptr);
  }

  alignas(std::max_align_t) std::byte storage_[kInline];
  void (*call_)(void*) = nullptr;
  void (*manage_)(void*, void*) = nullptr;
};

static_assert(sizeof(Callback) == 64);

}  // namespace eddy
