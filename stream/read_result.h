// ReadResult: the bytes that a read gives, whose memory serves a later read.
//
// Tornado makes a new bytes object for each read. Most programs look at it and drop the Future, and
// its string would go back to the heap only to be asked for again with the next line. So a thread
// keeps a few dropped results with their strings. What is moved out of a Future, as by
// `std::string line = co_await ...`, is its new owner's: a short one is never lent much room.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "../loop/future.h"

namespace eddy {

class ReadResult final : public FutureStateOf<std::string> {
 public:
  static constexpr std::size_t kSpares = 64;       // kept by each thread
  static constexpr std::size_t kKeptBytes = 1024;  // a longer string is not kept

  ReadResult(const char* what, Location where) : FutureStateOf(what, where) {}
  // A Future that is done.
  static Future<std::string> make(const char* what, Location where, std::string_view bytes);
  // What a pending one will be set to.
  static std::string copy(std::string_view bytes);

 private:
  ReadResult(const char* what, Location where, std::string_view bytes)
      : FutureStateOf(what, where, std::in_place, bytes) {}
  static ReadResult* spare_for(std::size_t size);
  void dispose() override;
  bool worth_keeping() const;
};

}  // namespace eddy
