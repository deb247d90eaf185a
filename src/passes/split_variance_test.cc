#include <gtest/gtest.h>

#include <cmath>

#include "chalkgrad/layers.h"
#include "chalkgrad/losses.h"
#include "src/ops/registry.h"
#include "src/passes/passes.h"
#include "src/passes/simplify_testing.h"

namespace chalk {
namespace {

int sums_over_samples(const Graph& g) {
  int n = 0;
  for (NodeId id = 0; id < g.size(); ++id) n += g.node(id).op == &op_batch_sum ? 1 : 0;
  return n;
}

Graph normalised(const Shape& sample) {
  Graph g;
  g.output("y", batch_norm_layer(g.input("x", sample)));
  return simplify(training_form(g));
}

TEST(SplitVariance, IsTheSameVariance) {
  const Graph whole = normalised({3, 4, 2}), split = split_variance(whole);
  split.verify();
  EXPECT_EQ(sums_over_samples(whole), 2);
  EXPECT_EQ(sums_over_samples(split), 3) << split.print();
  const auto fed = testing::some_values(whole, 5, -2, 3);
  const auto before = testing::evaluate(whole, fed, 5), after = testing::evaluate(split, fed, 5);
  for (const auto& [name, values] : before) {
    for (std::size_t i = 0; i < values.size(); ++i) EXPECT_NEAR(after.at(name)[i], values[i], 1e-12) << name;
  }
}

TEST(SplitVariance, LeavesVectorsAndOtherSquares) {
  const Graph vectors = normalised({3});
  EXPECT_EQ(split_variance(vectors).print(), vectors.print());
  Graph g;
  const Value x = g.input("x", {3, 4, 2}), d = x - g.shared_input("mu", {3, 1, 1});
  g.output("y", batch_mean(mean(d * d, {1, 2})));
  const Graph other = simplify(g);
  EXPECT_EQ(split_variance(other).print(), other.print());
}

}  // namespace
}  // namespace chalk
