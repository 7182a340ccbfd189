#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>

#include <eddy/loop/callback.h>

namespace eddy {
namespace {

TEST(CallbackTest, CallsWhatItHoldsAsOftenAsAsked) {
  int calls = 0;
  Callback callback = [&] { ++calls; };
  callback();
  callback();
  EXPECT_EQ(calls, 2);
}

TEST(CallbackTest, AnEmptyOneSaysSo) {
  Callback callback;
  EXPECT_FALSE(callback);
  callback = [] {};
  EXPECT_TRUE(callback);
  const Callback taken = std::move(callback);
  EXPECT_TRUE(taken);
  EXPECT_FALSE(callback);  // NOLINT(bugprone-use-after-move): that is the question
}

TEST(CallbackTest, OwnsWhatCanOnlyBeMovedSmallOrLarge) {
  auto small = std::make_shared<int>(1);
  auto large = std::make_shared<int>(2);
  int sum = 0;
  {
    Callback first = [&sum, small, only = std::make_unique<int>(1)] { sum += *small + *only; };
    Callback second = [&sum, large, filling = std::array<char, 100>()] {
      sum += *large + filling[0];
    };
    Callback moved = std::move(first);
    first = std::move(second);
    moved();
    first();
    EXPECT_EQ(small.use_count() + large.use_count(), 4);
  }
  EXPECT_EQ(sum, 4);
  EXPECT_EQ(small.use_count() + large.use_count(), 2) << "and destroys it once";
}  // NOLINT(clang-analyzer-cplusplus.NewDeleteLeaks): it loses sight of who destroys

TEST(CallbackTest, AssigningDestroysWhatItHeld) {
  auto held = std::make_shared<int>(1);
  Callback callback = [held] {};
  callback = [] {};
  EXPECT_EQ(held.use_count(), 1);
}

TEST(CallbackTest, KeepsAnObjectWhoseMoveIsNotTrivialInOrder) {
  std::string said;
  Callback callback = [&said, text = std::string("short")] { said = text; };
  Callback moved = std::move(callback);
  moved();
  EXPECT_EQ(said, "short");
}

}  // namespace
}  // namespace eddy
