// The pass that applies the chain rule. The rules themselves are checked operation by operation in src/ops.
#include "chalkgrad/differentiate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

#include "chalkgrad/error.h"
#include "chalkgrad/layers.h"
#include "chalkgrad/losses.h"
#include "src/ops/registry.h"
#include "src/passes/simplify_testing.h"

namespace chalk {
namespace {

using testing::evaluate;
using testing::output_expression;
using testing::some_values;

TEST(Differentiate, ASharedValueUsedPerSampleGathersOverTheSamples) {
  Graph g;
  const Value x = g.input("x", {3}), w = g.parameter("w", {3});
  const Value y = x * w, dy = g.input("dy", {3});
  const auto d = differentiate(y, dy, {{x, w}});
  EXPECT_EQ(d[0].type(), x.type());
  EXPECT_EQ(d[1].type(), w.type());
  g.output("dx", d[0]);
  g.output("dw", d[1]);
  EXPECT_EQ(output_expression(g, "dx"), "mul(dy, w)");
  EXPECT_EQ(output_expression(g, "dw"), "batch_sum(mul(dy, x))");
}

TEST(Differentiate, ABatchedValueUsedInASumOverSamplesGetsTheSameForEach) {
  Graph g;
  const Value x = g.input("x", {3});
  const Value dy = g.shared_input("dy", {3});
  const auto d = differentiate(batch_sum(x), dy, {{x}});
  EXPECT_EQ(d[0].type(), x.type());
  g.output("dx", d[0]);
  EXPECT_EQ(output_expression(g, "dx"), "batch_broadcast(dy)");
}

TEST(Differentiate, ASharedCotangentOfABatchedValueIsRepeated) {
  Graph g;
  const Value x = g.input("x", {3});
  const auto d = differentiate(tanh(x), g.constant(1, {3}), {{x}});
  EXPECT_EQ(d[0].type(), x.type());
}

TEST(Differentiate, CotangentsOfSeveralUsesAdd) {
  Graph g;
  const Value x = g.input("x", {}), dy = g.input("dy", {});
  g.output("d", differentiate(x * x * x, dy, {{x}})[0]);
  EXPECT_EQ(evaluate(g, {{"x", {2, -3}}, {"dy", {1, 10}}}, 2).at("d"), (std::vector<double>{12, 270}));
}

TEST(Differentiate, TheResultItselfMayBeAskedFor) {
  Graph g;
  const Value x = g.input("x", {}), dy = g.input("dy", {});
  EXPECT_EQ(differentiate(x, dy, {{x}})[0], dy);
}

TEST(Differentiate, AnInnerValueMayBeAskedFor) {
  Graph g;
  const Value x = g.input("x", {3}), h = relu(x), dy = g.input("dy", {3});
  g.name(h, "h");
  const auto d = differentiate(neg(h), dy, {{h, x}});
  g.output("dh", d[0]);
  g.output("dx", d[1]);
  EXPECT_EQ(output_expression(g, "dh"), "neg(dy)");
  EXPECT_EQ(output_expression(g, "dx"), "select(greater(h, 0), neg(dy), 0)");
}

TEST(Differentiate, WhatDoesNotDependHasNone) {
  Graph g;
  const Value x = g.input("x", {3}), other = g.input("other", {3}), dy = g.input("dy", {3});
  const Value y = select(greater(x, g.constant(0)), other, g.constant(1));
  const Value later = tanh(x);
  const auto d = differentiate(y, dy, {{x, other, later}});
  EXPECT_FALSE(d[0]);  // only through a comparison
  EXPECT_TRUE(d[1]);
  EXPECT_FALSE(d[2]);  // made after y
}

TEST(Differentiate, WritesNothingForBranchesThatLeadNowhere) {
  Graph g;
  const Value x = g.input("x", {3}), w = g.parameter("w", {3}), dy = g.input("dy", {3});
  const Value y = exp(tanh(x)) * w;
  const NodeId before = g.size();
  differentiate(y, dy, {{w}});
  for (NodeId id = before; id < g.size(); ++id) EXPECT_NE(g.node(id).op, &op_exp) << g.print();
  EXPECT_LE(g.size() - before, 3);  // the two products of mul's rule and the sum over samples
}

TEST(Gradients, UnusedParametersGetZeros) {
  Graph g;
  const Value x = g.input("x", {3}), w = g.parameter("w", {3}), unused = g.parameter("unused", {2, 2});
  const auto d = gradients(batch_sum(sum(x * w)), {{w, unused, x}});
  EXPECT_EQ(d[1].type(), unused.type());
  g.output("d", d[1]);
  EXPECT_EQ(output_expression(g, "d"), "0[2×2]");
  EXPECT_EQ(d[2].type(), x.type());
}

TEST(Gradients, ZerosOfABatchedValueAreBatched) {
  Graph g;
  const Value x = g.input("x", {3}), w = g.parameter("w", {});
  const Value zeros = gradients(tanh(w), {{x}})[0];
  EXPECT_EQ(zeros.type(), x.type());
}

TEST(Gradients, ALossIsOneNumber) {
  Graph g;
  const Value x = g.input("x", {3});
  EXPECT_THROW(gradients(x, {{x}}), ShapeError);
  EXPECT_THROW(gradients(sum(x), {{x}}), ShapeError);
  try {
    gradients(sum(x), {{x}});
  } catch (const ShapeError& e) {
    EXPECT_STREQ(e.what(),
                 "a loss must be one number for the whole batch, not batched scalar; sum over its elements and its "
                 "samples (batch_sum)");
  }
}

TEST(Differentiate, KeepsTheLayersOfWhatItDifferentiates) {
  Graph g;
  const Value x = g.input("x", {4});
  g.layer("fc1");
  const Value h = dense_layer(x, {.outputs = 3});
  g.layer("act1");
  const Value y = tanh(h);
  g.layer("loss");
  const Value loss = batch_mean(sum(y));
  g.layer("after");
  const NodeId before = g.size();
  gradients(loss, g.parameters());
  EXPECT_EQ(g.layer(), "after");
  bool outer_in_fc1 = false;
  for (NodeId id = before; id < g.size(); ++id) {
    const Node& node = g.node(id);
    if (node.op == &op_outer) outer_in_fc1 = node.layer == "fc1";
    if (node.op == &op_batch_broadcast) {
      EXPECT_EQ(node.layer, "loss");
    }
    EXPECT_NE(node.layer, "after");
  }
  EXPECT_TRUE(outer_in_fc1);
}

TEST(Differentiate, GradientsCanBeDifferentiatedAgain) {
  Graph g;
  const Value w = g.parameter("w", {});
  const Value y = w * w * w;  // 3w², 6w
  const Value first = gradients(y, {{w}})[0], second = gradients(first, {{w}})[0];
  g.output("first", first);
  g.output("second", second);
  const auto found = evaluate(g, {{"w", {5}}}, 1);
  EXPECT_EQ(found.at("first")[0], 75);
  EXPECT_EQ(found.at("second")[0], 30);
}

/// A convolution before a pool, a dense layer and a loss: central differences of the loss against its gradients.
void expect_gradients_by_differences(const DerivativeRules& rules, bool right) {
  Graph g;
  const Value x = g.input("x", {1, 6, 6}), t = g.input("t", {3}, true);
  g.layer("conv1");
  Value h = relu(conv_layer(x, {.filters = 2, .kernel = {3, 3}, .options = {}}));
  h = max_pool(h);
  g.layer("fc1");
  h = dense_layer(h, {.outputs = 3});
  const Value loss = batch_mean(cross_entropy(h, t));
  const auto weights = g.parameters();
  const auto d = gradients(loss, weights, rules);
  g.output("loss", loss);
  for (std::size_t i = 0; i < d.size(); ++i) g.output("d " + weights[i].name(), d[i]);
  g.verify();

  const auto fed = some_values(g, 2, -1, 1);
  const auto found = evaluate(g, fed, 2);
  double worst = 0;
  for (const auto& w : weights) {
    for (std::size_t i = 0; i < fed.at(w.name()).size(); ++i) {
      constexpr double kStep = 1e-6;
      auto moved = fed;
      moved.at(w.name())[i] += kStep;
      const double up = evaluate(g, moved, 2).at("loss")[0];
      moved.at(w.name())[i] -= 2 * kStep;
      const double down = evaluate(g, moved, 2).at("loss")[0];
      const double error = std::abs((up - down) / (2 * kStep) - found.at("d " + w.name())[i]);
      worst = error <= worst ? worst : error;  // a NaN stays
    }
  }
  EXPECT_EQ(worst < 1e-8, right) << worst;
}

TEST(Differentiate, ANetworksGradientsAgreeWithDifferences) { expect_gradients_by_differences({}, true); }

TEST(Differentiate, AWrongRuleIsNoticed) {
  const auto doubled = [](const Node&, std::span<const Value> in, Value y, Value dy) {
    const Value zero = y.graph().constant(0);
    return std::vector<Value>{select(greater(in[0], zero), dy + dy, zero)};
  };
  expect_gradients_by_differences({{"relu", doubled}}, false);
}

TEST(Differentiate, ARuleThatForgetsACotangentIsNoticed) {
  const auto forgetful = [](const Node&, std::span<const Value>, Value, Value) { return std::vector<Value>{{}, {}}; };
  expect_gradients_by_differences({{"dense", forgetful}}, false);
}

TEST(Differentiate, ARuleThatGivesACotangentOfAnotherShapeIsADefect) {
  Graph g;
  const Value x = g.input("x", {3}), dy = g.input("dy", {3});
  const auto wrong = [](const Node&, std::span<const Value>, Value, Value d) { return std::vector<Value>{sum(d)}; };
  EXPECT_THROW(differentiate(tanh(x), dy, {{x}}, {{"tanh", wrong}}), std::logic_error);
}

}  // namespace
}  // namespace chalk
