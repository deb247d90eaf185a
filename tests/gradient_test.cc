// Every derivative rule against central differences, on every sample of its operation; first and second derivatives;
// and networks as a whole.
#include <gtest/gtest.h>

#include "chalkgrad/gradcheck.h"
#include "chalkgrad/layers.h"
#include "chalkgrad/ops.h"
#include "src/run/reference.h"
#include "tests/sample_graph.h"

namespace chalk {
namespace {

std::vector<SampleOf> checked_samples() {
  std::vector<SampleOf> some;
  for (const auto& s : all_samples()) {
    if (s.differentiable()) some.push_back(s);
  }
  return some;
}

class Gradient : public testing::TestWithParam<SampleOf> {};

TEST_P(Gradient, AgreesWithDifferences) {
  const auto& s = GetParam();
  SampleGraph sample(*s.op, s.sample());
  const auto report = check_gradients(sample.graph, {{sample.y}}, sample.wrt, sample.options);
  EXPECT_TRUE(report.passed) << to_string(report);
  if (!s.op->derivative.value) return;
  double largest = 0;
  for (const auto& check : report.checks) largest = std::max(largest, check.largest);
  EXPECT_GT(largest, 1e-3) << "all gradients are nearly zero: nothing was shown\n" << to_string(report);
}

// The rules are closed: a gradient, differentiated along a random vector, is a gradient like any other.
TEST_P(Gradient, AgreesWithDifferencesASecondTime) {
  const auto& s = GetParam();
  SampleGraph sample(*s.op, s.sample());
  Graph& g = sample.graph;
  const Value dy = sample.y.batched() ? g.input("dy", sample.y.shape()) : g.shared_input("dy", sample.y.shape());
  auto wrt = sample.wrt;
  std::vector<Value> gradients;
  for (const auto& d : differentiate(sample.y, dy, wrt)) {
    if (d) gradients.push_back(d);
  }
  if (gradients.empty()) {
    EXPECT_FALSE(s.op->derivative.value);
    return;
  }
  wrt.push_back(dy);
  const auto report = check_gradients(g, gradients, wrt, sample.options);
  EXPECT_TRUE(report.passed) << to_string(report);
}

INSTANTIATE_TEST_SUITE_P(Ops, Gradient, testing::ValuesIn(checked_samples()),
                         [](const auto& s) { return name_of(s.param); });

// Ties.

/// The gradient of y with respect to the input x, for one sample.
std::vector<double> gradient(Value y, Value x, std::vector<double> values, std::vector<double> cotangent) {
  Graph& g = y.graph();
  const Value dy = g.input("", y.shape());
  const Value dx = differentiate(y, dy, {{x}})[0];
  Reference reference(g, 1);
  reference.set(x.id(), std::move(values));
  reference.set(dy.id(), std::move(cotangent));
  reference.run({{dx.id()}});
  return reference.value(dx.id());
}

TEST(Ties, ReluHasNoSlopeAtZero) {
  Graph g;
  const Value x = g.input("x", {4});
  EXPECT_EQ(gradient(relu(x), x, {-1, 0, -0.0, 2}, {3, 5, 7, 11}), (std::vector<double>{0, 0, 0, 11}));
}

TEST(Ties, LeakyReluHasItsSlopeAtZero) {
  Graph g;
  const Value x = g.input("x", {4});
  EXPECT_EQ(gradient(leaky_relu(x, 0.5), x, {-1, 0, -0.0, 2}, {3, 5, 7, 11}), (std::vector<double>{1.5, 2.5, 3.5, 11}));
}

TEST(Ties, MaxGivesAllToTheFirstMaximum) {
  Graph g;
  const Value x = g.input("x", {2, 3});
  EXPECT_EQ(gradient(max(x), x, {1, 4, 2, 4, 4, 0}, {5}), (std::vector<double>{0, 5, 0, 0, 0, 0}));
  EXPECT_EQ(gradient(max(x, {0}), x, {1, 4, 2, 1, 5, 2}, {3, 5, 7}), (std::vector<double>{3, 0, 7, 0, 5, 0}));
  EXPECT_EQ(gradient(max(x, {1}, true), x, {4, 4, 4, 2, 9, 9}, {3, 5}), (std::vector<double>{3, 0, 0, 0, 5, 0}));
}

TEST(Ties, AmaxIsSharedByTheMaxima) {
  Graph g;
  const Value x = g.input("x", {2, 3});
  EXPECT_EQ(gradient(amax(x), x, {1, 4, 2, 4, 4, 0}, {6}), (std::vector<double>{0, 2, 0, 2, 2, 0}));
  EXPECT_EQ(gradient(amax(x, {0}), x, {1, 4, 2, 1, 5, 2}, {3, 5, 7}), (std::vector<double>{1.5, 0, 3.5, 1.5, 5, 3.5}));
  EXPECT_EQ(gradient(amax(x, {1}, true), x, {4, 4, 4, 2, 9, 9}, {3, 5}), (std::vector<double>{1, 1, 1, 0, 2.5, 2.5}));
}

TEST(Ties, TheNormOfZerosHasNoSlope) {
  Graph g;
  const Value x = g.input("x", {2, 2});
  EXPECT_EQ(gradient(norm(x), x, {0, 0, -0.0, 0}, {5}), (std::vector<double>(4, 0)));
  EXPECT_EQ(gradient(log(norm(x)), x, {0, 0, 0, 0}, {5}), (std::vector<double>(4, 0))) << "even of an infinite one";
  EXPECT_EQ(gradient(norm(x), x, {3, 0, 0, -4}, {5}), (std::vector<double>{3, 0, 0, -4}));
  EXPECT_EQ(gradient(norm(x, {1}), x, {0, 0, 3, 4}, {7, 5}), (std::vector<double>{0, 0, 3, 4}));
  EXPECT_EQ(gradient(norm(x, {0}, true), x, {0, 3, 0, 4}, {7, 5}), (std::vector<double>{0, 3, 0, 4}));
  const Value parts[] = {slice(x, {0, 0}, {1, 2}), slice(x, {1, 0}, {2, 2})};
  EXPECT_EQ(gradient(norm(parts), x, {3, 0, 0, -4}, {5}), (std::vector<double>{3, 0, 0, -4}));
}

TEST(Ties, MaxPoolGivesAllToTheFirstMaximumOfAWindow) {
  Graph g;
  const Value x = g.input("x", {1, 2, 4});
  EXPECT_EQ(gradient(max_pool(x), x, {7, 7, 1, 2, 7, 7, 3, 3}, {5, 9}), (std::vector<double>{5, 0, 0, 0, 0, 0, 9, 0}));
}

TEST(Ties, MaxPoolNeverChoosesPadding) {
  Graph g;
  const Value x = g.input("x", {1, 2, 2});
  const Value y = max_pool(x, {.window = {2, 2}, .stride = {2, 2}, .padding = {1, 1}});
  EXPECT_EQ(gradient(y, x, {-1, -2, -3, -4}, {2, 3, 5, 7}), (std::vector<double>{2, 3, 5, 7}));
}

TEST(Ties, OverlappingWindowsAddUp) {
  Graph g;
  const Value x = g.input("x", {1, 3, 3});
  const PoolOptions overlapping{.window = {2, 2}, .stride = {1, 1}};
  EXPECT_EQ(gradient(max_pool(x, overlapping), x, {0, 0, 0, 0, 9, 0, 0, 0, 0}, {2, 3, 5, 7}),
            (std::vector<double>{0, 0, 0, 0, 17, 0, 0, 0, 0}));
  EXPECT_EQ(gradient(average_pool(x, overlapping), x, std::vector<double>(9), {4, 8, 16, 32}),
            (std::vector<double>{1, 3, 2, 5, 15, 10, 4, 12, 8}));
}

// Networks. Each is checked with respect to all its parameters and its input.

class NetworkGradient : public testing::Test {
 protected:
  Value weight(const std::string& name, const Shape& shape, double bound = 0.7) {
    const Value w = g.parameter(name, shape, {Init::Kind::uniform, bound});
    wrt.push_back(w);
    return w;
  }
  /// −Σ t·ln softmax(z), averaged over the samples.
  Value cross_entropy(Value z) {
    const Value t = g.input("t", z.shape(), true);
    return batch_sum(neg(sum(t * log_softmax(z)))) / g.batch_size();
  }
  /// Checks first derivatives of y, and second ones on request.
  void check(Value y, bool twice = true) {
    options.seed = 3;
    auto report = check_gradients(g, {{y}}, wrt, options);
    EXPECT_TRUE(report.passed) << to_string(report);
    for (const auto& c : report.checks) EXPECT_GT(c.largest, 1e-4) << to_string(report);
    if (!twice) return;
    const Value dy = y.batched() ? g.input("dy", y.shape()) : g.shared_input("dy", y.shape());
    const auto gradients = differentiate(y, dy, wrt);
    report = check_gradients(g, gradients, wrt, options);
    EXPECT_TRUE(report.passed) << to_string(report);
  }

  Graph g;
  std::vector<Value> wrt;
  GradcheckOptions options;
};

TEST_F(NetworkGradient, ConvReluMaxPoolDenseCrossEntropy) {
  const Value x = g.input("x", {1, 6, 6});
  wrt.push_back(x);
  const Value z = conv2d(x, weight("W1", {2, 1, 3, 3})) + weight("b1", {2, 1, 1});
  const Value h = reshape(max_pool(relu(z)), {8});
  check(cross_entropy(dense(h, weight("W2", {3, 8})) + weight("b2", {3})));
}

TEST_F(NetworkGradient, MaxPoolWithPaddingAndOverlapBehindAConvolutionWithGroups) {
  const Value x = g.input("x", {2, 5, 4});
  wrt.push_back(x);
  const Value z = conv2d(x, weight("W1", {2, 1, 2, 3}), {.stride = {2, 1}, .padding = {1, 1}, .groups = 2});
  const Value h = max_pool(z, {.window = {3, 2}, .stride = {1, 1}, .padding = {1, 0}});
  check(conv2d(h, weight("W2", {1, 2, 2, 2})));
}

TEST_F(NetworkGradient, BatchNormalisationCouplesTheSamples) {
  const Value x = g.input("x", {2, 3, 3});
  wrt.push_back(x);
  const Value z = conv2d(x, weight("W", {2, 2, 2, 2}));
  const Value n = g.batch_size() * g.constant(4);
  const Value mean = batch_sum(sum(z, {1, 2}, true)) / n;
  const Value centred = z - mean;
  const Value variance = batch_sum(sum(centred * centred, {1, 2}, true)) / n;
  const Value y = centred / sqrt(variance + g.constant(1e-3)) * weight("scale", {2, 1, 1}) + weight("shift", {2, 1, 1});
  check(tanh(y));
}

TEST_F(NetworkGradient, ResidualBlockUsesItsInputTwice) {
  const Value x = g.input("x", {2, 3, 3});
  wrt.push_back(x);
  const Conv2dOptions same{.padding = {1, 1}};
  const Value z = sigmoid(conv2d(x, weight("W1", {2, 2, 3, 3}), same));
  const Value y = relu(conv2d(z, weight("W2", {2, 2, 3, 3}), same) + z);
  check(batch_sum(sum(average_pool(y, {.window = {2, 2}, .stride = {1, 1}}) * weight("v", {2, 2, 2}))));
}

TEST_F(NetworkGradient, DiamondAddsBothPaths) {
  const Value x = g.input("x", {4});
  wrt.push_back(x);
  const Value a = tanh(x * weight("p", {4}));
  const Value left = exp(a), right = sigmoid(a);
  check(left * right + a * a + max(a, {0}, true));
}

TEST_F(NetworkGradient, AParameterSharedByTwoLayers) {
  const Value x = g.input("x", {3});
  wrt.push_back(x);
  const Value w = weight("W", {3, 3});
  check(dense(tanh(dense(tanh(dense(x, w)), w, true)), w));
}

TEST_F(NetworkGradient, AttentionOverRows) {
  const Value x = g.input("x", {3, 4});
  wrt.push_back(x);
  const Value q = matmul(x, weight("Q", {4, 2})), k = matmul(x, weight("K", {4, 2})),
              v = matmul(x, weight("V", {4, 2}));
  check(matmul(softmax(matmul(q, k, false, true), 1), v));
}

TEST_F(NetworkGradient, GradientAsAPartOfALoss) {  // a loss that contains its own network's gradient
  const Value x = g.input("x", {3});
  const Value y = sum(tanh(dense(x, weight("W", {2, 3}))));
  const Value dx = differentiate(y, batch_broadcast(g.constant(1)), {{x}})[0];
  wrt.push_back(x);
  check(batch_sum(y + sum(dx * dx)));
}

}  // namespace
}  // namespace chalk
