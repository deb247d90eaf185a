#include "src/plan/phases.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "chalkgrad/differentiate.h"
#include "chalkgrad/layers.h"
#include "src/ops/registry.h"
#include "src/passes/passes.h"

namespace chalk {
namespace {

/// Values that a later phase reads, by operation.
std::vector<std::string_view> kept(const PhasedGraph& p) {
  std::vector<std::string_view> found;
  for (NodeId id = 0; id < p.graph.size(); ++id) {
    const Node& node = p.graph.node(id);
    if (!node.type.batched || node.inputs.empty()) continue;
    bool later = false;
    for (NodeId user = id + 1; user < p.graph.size(); ++user) {
      const auto& in = p.graph.node(user).inputs;
      later = later || (std::count(in.begin(), in.end(), id) > 0 && p.phase[user] > p.phase[id]);
    }
    if (later) found.push_back(node.op->name.value);
  }
  return found;
}

Graph normalised_network() {
  Graph g;
  g.layer("conv");
  const Value z = conv_layer(g.input("x", {2, 6, 6}), {.filters = 3, .bias = Bias::none});
  g.layer("bn");
  g.output("y", relu(batch_norm_layer(z)));
  Graph training = training_form(g);
  const Value loss = batch_sum(sum(tanh(training.value(training.outputs()[0].second))));
  training.clear_outputs();
  const auto parameters = training.parameters();
  const auto d = gradients(loss, parameters);
  for (std::size_t i = 0; i < d.size(); ++i) training.output("d " + parameters[i].name(), d[i]);
  return split_variance(simplify(training));
}

TEST(Phases, RunEachNodeAfterTheSumsItNeeds) {
  Graph g;
  const Value x = g.input("x", {3}), total = batch_sum(x), twice = batch_sum(x * total);
  g.output("y", x - twice);
  const auto p = find_phases(g, false);
  EXPECT_EQ(p.graph.print(), g.print());
  EXPECT_EQ(std::vector<int>(p.phase.begin(), p.phase.end()), (std::vector<int>{0, 0, 1, 1, 2}));
}

TEST(Phases, DenseLayersWithManyWeightsTakeWhatAllMicrobatchesHaveMade) {
  Graph g;
  const Value x = g.input("x", {512}), w = g.parameter("w", {512, 512}, {}), v = g.parameter("v", {4, 512}, {});
  const Value z = dense(x, w), y = dense(tanh(z), v);
  const Value loss = batch_sum(sum(tanh(y)));
  const Value of[] = {w, v};
  const auto d = gradients(loss, of);
  g.output("dw", d[0]);
  g.output("dv", d[1]);
  const auto p = find_phases(g, true);
  std::map<std::string, std::vector<int>> phases;
  for (NodeId id = 0; id < p.graph.size(); ++id) {
    const Node& node = p.graph.node(id);
    phases[std::string(node.op->name.value)].push_back(p.phase[id]);
  }
  EXPECT_EQ(phases["dense"][0], 1);                             // z, after x has been gathered
  EXPECT_EQ(phases["tanh"][0], 1);                              // microbatch by microbatch
  for (const int phase : phases["outer"]) EXPECT_EQ(phase, 2);  // after all tanh and δ
  EXPECT_EQ(phases["batch_sum"].back(), 2);                     // and there at once
  const auto plain = find_phases(g, false);
  EXPECT_EQ(*std::max_element(plain.phase.begin(), plain.phase.end()), 0);
}

TEST(Phases, UpdatesWaitForTheLastPhase) {
  Graph g;
  const Value x = g.input("x", {3}), w = g.parameter("w", {3}, {}), total = batch_sum(x);
  g.update(w, w - total);
  g.output("y", batch_sum(x * batch_sum(x * total)));
  const auto p = find_phases(g, true);
  EXPECT_EQ(p.phase[p.graph.updates()[0].second], 3);
}

TEST(Phases, CheapValuesAreMadeAnewRatherThanKept) {
  const Graph g = normalised_network();
  const auto plain = find_phases(g, false), anew = find_phases(g, true);
  anew.graph.verify();
  const auto before = kept(plain), after = kept(anew);
  EXPECT_GT(std::count(before.begin(), before.end(), "sub"), 0);
  for (const auto name : {"sub", "mul", "add", "relu", "greater", "select"})
    EXPECT_EQ(std::count(after.begin(), after.end(), name), 0) << name;
  EXPECT_EQ(std::count(after.begin(), after.end(), "conv2d"), 1);
  EXPECT_LT(after.size(), before.size());
}

TEST(Phases, WhatAConvolutionReadsLaterIsKept) {
  Graph g;
  const Value x = g.input("x", {2, 6, 6});
  const Value a = conv2d(x, g.parameter("w", {2, 2, 1, 1})), b = relu(a * sub(x, g.constant(1)));
  const Value total = batch_sum(b);
  g.output("y", conv2d(b, g.parameter("v", {2, 2, 1, 1}) * reshape(sum(total, {1, 2}), {2, 1, 1, 1})));
  const auto p = find_phases(g, true);
  EXPECT_EQ(kept(p), (std::vector<std::string_view>{"relu"}));
}

TEST(Phases, PooledGradientsAreScatteredAnew) {
  Graph g;
  const Value x = g.input("x", {2, 6, 6}), small = max_pool(x),
              scattered = pool_scatter(small, pool_argmax(x), {2, 6, 6});
  g.output("y", scattered * batch_sum(scattered));
  const auto p = find_phases(g, true);
  EXPECT_EQ(kept(p), (std::vector<std::string_view>{"max_pool", "pool_argmax"}));
}

TEST(Phases, SharedValuesWaitForTheirUse) {
  Graph g;
  const Value x = g.input("x", {3}), w = g.parameter("w", {3});
  const Value half = g.constant(0.5) * w;
  g.output("y", half * batch_sum(x));
  const auto p = find_phases(g, true);
  EXPECT_EQ(p.phase[half.id()], 1);
}

}  // namespace
}  // namespace chalk
