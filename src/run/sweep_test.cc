// Sweeps give the bits of the operations that they do together.
#include <gtest/gtest.h>

#include <algorithm>

#include "chalkgrad/layers.h"
#include "chalkgrad/ops.h"
#include "src/run/program_testing.h"

namespace chalk {
namespace {

/// Nothing but elementwise operations and sums over the channels of each place, and over places.
Graph sums_by_place() {
  Graph g;
  const Value x = conv_layer(g.input("x", {2, 9, 8}), {.filters = 20, .kernel = {1, 1}});
  const Value m = mean(x, {0}, true), d = x - m, squares = mean(d * d, {0}, true);
  const Value normal = d / sqrt(squares + g.constant(0.01)), t = tanh(normal);
  g.output("normal", normal);
  g.output("total", sum(t, {0}));
  g.output("another", sum(t * slice(g.input("t", {4}, true), {0}, {1}) + m, {0}));
  g.output("by channel", sum(t * normal, {1, 2}, true));
  g.output("narrow", sum(slice(x, {0, 0, 0}, {20, 1, 3}), {0}));
  g.output("both", mean(sum(x * m, {0}, true) * normal, {0}));
  return g;
}

/// Nothing but elementwise operations and sums, by channel and otherwise.
Graph sums_by_channel() {
  Graph g;
  const Value x = g.input("x", {2, 9, 8}), s = g.input("t", {4}, true), w = g.parameter("w", {2, 1, 1}, Init::he(1));
  const Value m = mean(x, {1, 2}, true), d = x - m, squares = mean(d * d, {1, 2}, true);
  const Value normal = d / sqrt(squares + g.constant(0.01)) * w;  // one pass after the other
  const Value total = sum(normal * tanh(x), {1, 2}), row = sum(x, {1}), first = slice(s, {0}, {1});
  const Value mixed = relu(normal + reshape(total, {2, 1, 1})) * first + reshape(row, {2, 1, 8});
  const Value mu = batch_mean(mean(mixed, {1, 2}, true));
  g.output("normal", normal);
  g.output("total", total);
  g.output("later", sum((mixed - mu) * d, {1, 2}));
  g.output("all", batch_sum(sum((mixed - mu) * relu(d))));
  return g;
}

TEST(Sweeps, KeepTheArithmetic) {
  for (const Graph& g : {sums_by_channel(), sums_by_place()}) {
    const Data data(37);
    Variables variables(g, 3);
    const auto swept = run(g, variables, data, {.threads = 2});
    CompileOptions options{.threads = 1};
    options.disabled_passes = {"fuse"};
    const auto one_by_one = run(g, variables, data, options);
    for (const auto& [name, values] : swept) EXPECT_TRUE(same_bits(values, one_by_one.at(name))) << name;
  }
}

TEST(Sweeps, SumTheChannelsOfAPlaceWhereTheTermsAreMade) {
  const Graph g = sums_by_place();
  Variables variables(g, 3);
  const Program program(g, variables, {.profile = true});
  const auto rows = program.profile();
  EXPECT_TRUE(
      std::any_of(rows.begin(), rows.end(), [](const KernelTime& row) { return row.kernel == "sub+mul+mean"; }));
}

}  // namespace
}  // namespace chalk
