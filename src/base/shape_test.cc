#include "chalkgrad/shape.h"

#include <gtest/gtest.h>

#include <limits>

namespace chalk {
namespace {

TEST(Elements, CountsPlaces) {
  EXPECT_EQ(elements({}), 1);
  EXPECT_EQ(elements({3, 32, 32}), 3072);
}

TEST(Elements, StopsAtTheLargestNumber) {  // found by fuzzing: 1048576c1-1041045c6178-…
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(elements({1041045, 1048576, 6178, 6178}), kMost);
  EXPECT_EQ(elements({kMost, 2, 1}), kMost);
}

TEST(ToString, WritesShapesAndTypes) {
  EXPECT_EQ(to_string(Shape{}), "scalar");
  EXPECT_EQ(to_string(Shape{3, 32, 32}), "3×32×32");
  EXPECT_EQ(to_string(Type{{10}, true}), "batched 10");
  EXPECT_EQ(to_string(Type{{}, false}), "shared scalar");
}

}  // namespace
}  // namespace chalk
