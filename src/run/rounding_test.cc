#include "src/run/rounding.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "chalkgrad/ops.h"

namespace chalk {
namespace {

constexpr double kUnit = 0x1p-24;

/// How far the elements of y move, if x has these values.
std::vector<double> rounding(Value y, Value x, std::vector<double> values) {
  Reference reference(y.graph(), 1);
  reference.set(x.id(), std::move(values));
  return rounding_of(reference, {{y.id()}}, kUnit)[0];
}

TEST(Rounding, IsThatOfWhatCancels) {
  Graph g;
  const Value x = g.input("x", {3});
  const double large = rounding(sum(x), x, {1000.1, -1000.1 + 1e-3, 0.3})[0];
  EXPECT_GT(large, 100 * kUnit);
  EXPECT_LT(large, 3000 * kUnit);
  EXPECT_LT(rounding(sum(x), x, {0.1, 1e-3, 0.3})[0], kUnit);
}

TEST(Rounding, ScalesWithTheNumbers) {
  Graph g;
  const Value x = g.input("x", {2});
  const Value y = sum(x * g.constant(1e-20));
  EXPECT_LT(rounding(y, x, {0.7, -0.3})[0], 4e-20 * kUnit);
  EXPECT_GT(rounding(y, x, {0.7, -0.3})[0], 1e-22 * kUnit);
}

TEST(Rounding, LeavesEqualNumbersEqual) {
  Graph g;
  const Value x = g.input("x", {3});
  EXPECT_EQ(rounding(x - x, x, {0.1, -0.7, 3.3}), (std::vector<double>{0, 0, 0}));
  EXPECT_EQ(rounding(first_max(x), x, {0.1, 0.7, 0.7}), (std::vector<double>{0, 0, 0}));
  EXPECT_EQ(rounding(relu(x - x), x, {0.1, 0.7, 0.7}), (std::vector<double>{0, 0, 0}));
}

TEST(Rounding, LeavesChoicesAndWholeNumbersExact) {
  Graph g;
  const Value x = g.input("x", {1, 4, 4});
  std::vector<double> values(16);
  std::iota(values.begin(), values.end(), -5.5);
  EXPECT_EQ(rounding(pool_argmax(x), x, values), (std::vector<double>{0, 0, 0, 0}));
  Graph h;
  const Value whole = h.input("x", {3});
  EXPECT_EQ(rounding(whole, whole, {1, -7, 1e6}), (std::vector<double>{0, 0, 0}));
}

TEST(Rounding, OfDoublesIsThatOfTheirLastPlace) {
  Graph g;
  const Value x = g.input("x", {2});
  const Value y = exp(sum(x));
  Reference reference(g, 1);
  reference.set(x.id(), {0.3, 0.4});
  const double moved = double_rounding_of(reference, {{y.id()}})[0][0];
  EXPECT_GT(moved, 0x1p-54);
  EXPECT_LT(moved, 0x1p-50);
  EXPECT_DOUBLE_EQ(reference.value(y.id())[0], std::exp(0.7)) << "the last run is without rounding";
}

}  // namespace
}  // namespace chalk
