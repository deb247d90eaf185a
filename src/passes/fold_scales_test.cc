#include <gtest/gtest.h>

#include <cmath>

#include "chalkgrad/layers.h"
#include "src/ops/registry.h"
#include "src/passes/passes.h"
#include "src/passes/simplify_testing.h"

namespace chalk {
namespace {

int count(const Graph& g, const Op& op, bool batched) {
  int n = 0;
  for (NodeId id = 0; id < g.size(); ++id) n += g.node(id).op == &op && g.node(id).type.batched == batched ? 1 : 0;
  return n;
}

void expect_same_values(const Graph& a, const Graph& b) {
  const auto fed = testing::some_values(a, 3);
  const auto before = testing::evaluate(a, fed, 3), after = testing::evaluate(b, fed, 3);
  ASSERT_EQ(before.size(), after.size());
  for (const auto& [name, values] : before) {
    const auto& found = after.at(name);
    ASSERT_EQ(values.size(), found.size());
    for (std::size_t i = 0; i < values.size(); ++i) EXPECT_NEAR(found[i], values[i], 1e-9 * (1 + std::abs(values[i])));
  }
}

TEST(FoldScales, TakesBatchNormalisationIntoTheConvolution) {
  Graph g;
  g.layer("conv");
  const Value z = conv_layer(g.input("x", {2, 4, 4}), {.filters = 3});
  g.layer("bn");
  const Value y = batch_norm_layer(z);
  g.name(y, "y");
  g.output("y", relu(y));
  const Graph simple = simplify(g), folded = fold_scales(simple);
  folded.verify();
  expect_same_values(simple, folded);
  EXPECT_EQ(count(simple, op_mul, true), 1);
  EXPECT_EQ(count(folded, op_mul, true), 0) << folded.print();
  EXPECT_EQ(count(folded, op_sub, true), 0);
  EXPECT_EQ(count(folded, op_add, true), 1) << "the bias";
  EXPECT_TRUE(folded.print().find(" y : ") != std::string::npos) << "keeps its name";
}

TEST(FoldScales, TakesBatchNormalisationIntoTheDenseLayer) {
  Graph g;
  g.layer("dense");
  const Value z = dense_layer(g.input("x", {5}), {.outputs = 3, .bias = Bias::none});
  g.layer("bn");
  g.output("y", batch_norm_layer(z));
  const Graph simple = simplify(g), folded = fold_scales(simple);
  expect_same_values(simple, folded);
  EXPECT_EQ(count(folded, op_mul, true), 0) << folded.print();
}

TEST(FoldScales, LeavesWhatIsUsedElsewhere) {
  Graph g;
  g.layer("conv");
  const Value z = conv_layer(g.input("x", {2, 4, 4}), {.filters = 3});
  g.layer("bn");
  g.output("y", batch_norm_layer(z));
  g.output("z", z);
  const Graph simple = simplify(g);
  EXPECT_EQ(fold_scales(simple).print(), simple.print());
}

TEST(FoldScales, LeavesShiftsAloneAndOtherShapes) {
  Graph g;
  const Value x = g.input("x", {2, 4, 4});
  g.layer("a");
  g.output("biased", conv_layer(x, {.filters = 3}));
  g.layer("b");
  const Value z = conv_layer(x, {.filters = 3, .kernel = {1, 1}, .options = {}});
  g.output("masked", g.parameter("mask", {3, 4, 4}) * z);
  g.layer("c");
  const Value v = conv_layer(x, {.filters = 3, .kernel = {1, 1}, .options = {}});
  g.output("by sample", g.input("s", {3, 1, 1}) * v);
  const Graph simple = simplify(g);
  EXPECT_EQ(fold_scales(simple).print(), simple.print());
}

}  // namespace
}  // namespace chalk
