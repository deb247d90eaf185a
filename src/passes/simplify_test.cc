// What simplify() does to whole graphs. The rules themselves: simplify_rules_test.cc; random graphs:
// simplify_random_test.cc.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "chalkgrad/differentiate.h"
#include "chalkgrad/layers.h"
#include "chalkgrad/losses.h"
#include "src/passes/passes.h"
#include "src/passes/simplify_rules.h"
#include "src/passes/simplify_testing.h"

namespace chalk {
namespace {

using testing::evaluate;
using testing::output_expression;
using testing::some_values;

std::string printed(const Graph& g) {
  const Graph after = simplify(g);
  after.verify();
  return after.print();
}

TEST(Simplify, DropsWhatNothingNeedsButKeepsWhatIsFed) {
  Graph g;
  const Value x = g.input("x", {3});
  g.input("unused", {2});
  tanh(x);
  g.parameter("w", {3});
  g.constant(7);
  g.batch_size();
  const Value lr = g.shared_input("lr");
  g.output("y", relu(x));
  EXPECT_EQ(printed(g),
            "%0 x : batched 3 = input shape=[3]\n"
            "%1 unused : batched 2 = input shape=[2]\n"
            "%2 w : shared 3 = parameter shape=[3]\n"
            "%3 lr : shared scalar = input batched=false\n"
            "%4 : batched 3 = relu(%0 x)\n"
            "output y = %4\n");
  EXPECT_EQ(lr.name(), "lr");
}

TEST(Simplify, KeepsWhatAnUpdateNeeds) {
  Graph g;
  const Value w = g.parameter("w", {3}), lr = g.shared_input("lr");
  g.update(w, w - lr * tanh(w));
  EXPECT_EQ(printed(g),
            "%0 w : shared 3 = parameter shape=[3]\n"
            "%1 lr : shared scalar = input batched=false\n"
            "%2 : shared 3 = tanh(%0 w)\n"
            "%3 : shared 3 = mul(%1 lr, %2)\n"
            "%4 : shared 3 = sub(%0 w, %3)\n"
            "update %0 w := %4\n");
}

TEST(Simplify, ComputesEqualExpressionsOnce) {
  Graph g;
  const Value x = g.input("x", {3}), y = g.input("y", {3});
  g.output("a", tanh(x * y));
  g.output("b", tanh(y * x));  // products and sums of two commute exactly
  const Value first = relu(g.constant(2) + x), second = relu(x + g.constant(2));
  g.output("c", first * second);
  EXPECT_EQ(printed(g),
            "%0 x : batched 3 = input shape=[3]\n"
            "%1 y : batched 3 = input shape=[3]\n"
            "%2 : batched 3 = mul(%0 x, %1 y)\n"
            "%3 : batched 3 = tanh(%2)\n"
            "%4 : shared scalar = constant value=2\n"
            "%5 : batched 3 = add(%4, %0 x)\n"
            "%6 : batched 3 = relu(%5)\n"
            "%7 : batched 3 = mul(%6, %6)\n"
            "output a = %3\n"
            "output b = %3\n"
            "output c = %7\n");
}

TEST(Simplify, DoesNotMergeDifferentAttributesOrTheOrderOfADifference) {
  Graph g;
  const Value x = g.input("x", {1, 4, 4}), y = g.input("y", {1, 4, 4});
  g.output("a", sum(x, {1}));
  g.output("b", sum(x, {2}));
  g.output("c", x - y);
  g.output("d", y - x);
  g.output("e", greater(x, y));
  g.output("f", greater(y, x));
  const Graph after = simplify(g);
  EXPECT_EQ(after.size(), 8);
}

TEST(Simplify, KeepsNames) {
  Graph g;
  const Value x = g.input("x", {3});
  const Value first = tanh(x), named = tanh(x), other = tanh(x), gone = x + g.constant(0);
  g.name(named, "h");
  g.name(other, "k");
  g.name(gone, "same as x");
  g.output("first", first);
  g.output("named", relu(named));
  g.output("other", relu(other));
  g.output("gone", gone);
  // The unnamed one takes the first name; two names stay two values.
  EXPECT_EQ(printed(g),
            "%0 x : batched 3 = input shape=[3]\n"
            "%1 h : batched 3 = tanh(%0 x)\n"
            "%2 k : batched 3 = tanh(%0 x)\n"
            "%3 : batched 3 = relu(%1 h)\n"
            "%4 : batched 3 = relu(%2 k)\n"
            "output first = %1 h\n"
            "output named = %3\n"
            "output other = %4\n"
            "output gone = %0 x\n");
}

TEST(Simplify, ARewrittenValueKeepsItsName) {
  Graph g;
  const Value x = g.input("x", {3}), s = g.shared_input("s");
  const Value z = x * s;
  g.name(z, "z");
  g.output("y", tanh(z));
  EXPECT_EQ(printed(g),
            "%0 x : batched 3 = input shape=[3]\n"
            "%1 s : shared scalar = input batched=false\n"
            "%2 z : batched 3 = mul(%1 s, %0 x)\n"
            "%3 : batched 3 = tanh(%2 z)\n"
            "output y = %3\n");
}

TEST(Simplify, KeepsLayersAndOutputsOfInputs) {
  Graph g;
  const Value x = g.input("x", {3});
  g.layer("act");
  g.output("x again", x);
  g.output("y", neg(neg(tanh(x))) / g.constant(2));
  EXPECT_EQ(printed(g),
            "%0 x : batched 3 = input shape=[3]\n"
            "%1 : batched 3 = tanh(%0 x)  # act\n"
            "%2 : shared scalar = constant value=0.5\n"
            "%3 : batched 3 = mul(%2, %1)  # act\n"
            "output x again = %0 x\n"
            "output y = %3\n");
}

TEST(Simplify, LeavesTheGivenGraphAlone) {
  Graph g;
  g.output("y", neg(neg(g.input("x", {3}))));
  const std::string before = g.print();
  simplify(g);
  EXPECT_EQ(g.print(), before);
}

TEST(Simplify, ARuleWithoutEndIsReported) {
  const Rule turn{"turn", "add", "a + b → b + a, for ever", [](Value y) {
                    const auto inputs = rules::args(y);
                    return relu(inputs[1]) + relu(inputs[0]);
                  }};
  Graph g;
  g.output("y", g.input("a", {}) + g.input("b", {}));
  EXPECT_THROW(simplify_by(g, {&turn, 1}), std::logic_error);
}

TEST(Simplify, RefusesAResultOfAnotherType) {
  const Rule wrong{"wrong", "add", "a + b → a", [](Value y) { return rules::arg(y, 0); }};
  Graph g;
  g.output("y", g.input("a", {}) + g.input("b", {4}));
  EXPECT_EQ(output_expression(simplify_by(g, {&wrong, 1}), "y"), "add(a, b)");
}

// The textbook's result: ∂/∂z of the mean cross-entropy of softmax(z) is (softmax(z) − t)/N, and nothing else.
enum class Spelling { log_softmax, log_of_softmax, softmax_of_fixed_batch };

Graph cross_entropy_gradient(Spelling spelling) {
  Graph g;
  const Value z = g.input("z", {10}), t = g.input("t", {10}, true);
  const Value loss = spelling == Spelling::log_softmax ? cross_entropy(z, t) : neg(sum(t * log(softmax(z))));
  const Value mean =
      spelling == Spelling::softmax_of_fixed_batch ? batch_sum(loss) * g.constant(1.0 / 64) : batch_mean(loss);
  g.output("dz", gradients(mean, {{z}})[0]);
  return g;
}

TEST(Simplify, SoftmaxWithCrossEntropyComesOutAsYMinusT) {
  for (const auto spelling : {Spelling::log_softmax, Spelling::log_of_softmax}) {
    const Graph after = simplify(cross_entropy_gradient(spelling));
    EXPECT_EQ(output_expression(after, "dz"), "mul(div(1, N), sub(softmax(z), t))");
    EXPECT_EQ(after.size(), 8) << after.print();  // z, t, 1, N, 1/N, softmax, difference, product
  }
  EXPECT_EQ(printed(cross_entropy_gradient(Spelling::log_softmax)),
            "%0 z : batched 10 = input shape=[10]\n"
            "%1 t : batched 10 = input shape=[10] distribution=true\n"
            "%2 : shared scalar = batch_size\n"
            "%3 : shared scalar = constant value=1\n"
            "%4 : shared scalar = div(%3, %2)\n"
            "%5 : batched 10 = softmax(%0 z)\n"
            "%6 : batched 10 = sub(%5, %1 t)\n"
            "%7 : batched 10 = mul(%4, %6)\n"
            "output dz = %7\n");
}

TEST(Simplify, SoftmaxWithCrossEntropyOfAFixedBatchToo) {
  const Graph after = simplify(cross_entropy_gradient(Spelling::softmax_of_fixed_batch));
  EXPECT_EQ(output_expression(after, "dz"), "mul(0.015625, sub(softmax(z), t))");
}

TEST(Simplify, WithoutAKnownDistributionTheSumOfTheTargetStays) {
  Graph g;
  const Value z = g.input("z", {10}), t = g.input("t", {10});
  g.output("dz", gradients(batch_sum(cross_entropy(z, t)), {{z}})[0]);
  EXPECT_EQ(output_expression(simplify(g), "dz"), "sub(mul(softmax(z), sum(t; keep=true)), t)");
}

TEST(Simplify, SquaredErrorComesOutAsYMinusT) {
  Graph g;
  const Value y = g.input("y", {10}), t = g.input("t", {10});
  g.output("dy", gradients(batch_mean(squared_error(y, t)), {{y}})[0]);
  EXPECT_EQ(output_expression(simplify(g), "dy"), "mul(div(1, N), sub(y, t))");
}

TEST(Simplify, NormalisedValuesAreMultipliedOnceASample) {
  Graph g;
  const Value x = g.input("x", {2, 4, 4}), gamma = g.parameter("gamma", {2, 1, 1}),
              beta = g.parameter("beta", {2, 1, 1});
  const Value mu = g.parameter("mu", {2, 1, 1}), sigma = g.parameter("sigma", {2, 1, 1});
  g.output("y", (x - mu) / sigma * gamma + beta);
  EXPECT_EQ(output_expression(simplify(g), "y"), "add(mul(mul(gamma, div(1, sigma)), sub(x, mu)), beta)");
}

/// conv, relu, max-pool, dense, cross-entropy, with a step of gradient descent.
Graph small_network(const PoolOptions& pool = {}) {
  Graph g;
  Value h = g.input("x", {1, 10, 10});
  const Value t = g.input("t", {5}, true), lr = g.shared_input("lr");
  g.layer("conv1");
  h = conv_layer(h, {.filters = 3, .kernel = {3, 3}, .options = {}});
  g.layer("relu1");
  h = relu(h);
  g.layer("pool1");
  h = max_pool(h, pool);
  g.layer("dense1");
  h = dense_layer(h, {.outputs = 5});
  g.layer("loss");
  const Value loss = batch_mean(cross_entropy(h, t));
  g.output("loss", loss);
  const auto weights = g.parameters();
  const auto d = gradients(loss, weights);
  for (std::size_t i = 0; i < d.size(); ++i) {
    g.output("d " + weights[i].name(), d[i]);
    g.update(weights[i], weights[i] - lr * d[i]);
  }
  return g;
}

void expect_same_values(const Graph& before, const Graph& after, double tolerance) {
  const auto fed = some_values(before, 3, -1, 1);
  const auto expected = evaluate(before, fed, 3), found = evaluate(after, fed, 3);
  ASSERT_EQ(found.size(), expected.size());
  for (const auto& [name, values] : expected) {
    const auto& other = found.at(name);
    ASSERT_EQ(other.size(), values.size()) << name;
    for (std::size_t i = 0; i < values.size(); ++i) EXPECT_NEAR(other[i], values[i], tolerance) << name << " " << i;
  }
}

TEST(Simplify, ANetworksGradientsKeepTheirValues) {
  for (const auto& pool : {PoolOptions{}, PoolOptions{{3, 3}, {2, 1}, {1, 1}}, PoolOptions{{2, 2}, {1, 1}, {0, 0}}}) {
    const Graph before = small_network(pool), after = simplify(before);
    after.verify();
    EXPECT_LT(after.size(), before.size());
    expect_same_values(before, after, 1e-14);
    EXPECT_EQ(simplify(after).print(), after.print());
  }
}

TEST(Simplify, TheMaskOfAReluBeforePoolingNeedsOnlyThePooledValues) {
  const Graph after = simplify(small_network());
  int full = 0;
  for (NodeId id = 0; id < after.size(); ++id) {
    const Node& node = after.node(id);
    if (node.type.shape != Shape{3, 8, 8} || node.layer == "conv1") continue;
    EXPECT_TRUE(node.op->name.value == "relu" || node.op->name.value == "pool_scatter") << after.print();
    ++full;
  }
  EXPECT_EQ(full, 2);  // forward, read by max_pool and pool_argmax only; and the gradient
  EXPECT_EQ(output_expression(after, "d conv1.bias").find("pool_scatter"), std::string::npos);
}

}  // namespace
}  // namespace chalk
