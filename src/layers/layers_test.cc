#include "chalkgrad/layers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <utility>

#include "chalkgrad/error.h"
#include "chalkgrad/losses.h"
#include "src/base/text.h"
#include "src/ir/leaves.h"
#include "src/run/reference.h"

namespace chalk {
namespace {

Init init_of(Value parameter) {
  return parameter.graph().node(parameter.id()).attributes.as<ParameterAttributes>().init;
}

template <class F>
std::string error_of(F build) {
  try {
    build();
  } catch (const ShapeError& e) {
    return e.what();
  }
  return "no error";
}

TEST(Layers, ConvMakesItsParametersUnderTheLayersName) {
  Graph g;
  const Value x = g.input("x", {4, 9, 9});
  g.layer("conv1");
  const Value y = conv_layer(x, {.filters = 6, .kernel = {5, 3}, .options = {.padding = {2, 1}, .groups = 2}});
  EXPECT_EQ(y.type(), (Type{{6, 9, 9}, true}));
  EXPECT_EQ(g.find("conv1.weight").shape(), (Shape{6, 2, 5, 3}));
  EXPECT_EQ(g.find("conv1.bias").shape(), (Shape{6}));
  EXPECT_EQ(init_of(g.find("conv1.weight")), Init::he(2 * 5 * 3));
  EXPECT_EQ(init_of(g.find("conv1.bias")), Init::constant(0));
}

TEST(Layers, SayWhatTheirParametersAreForWhateverTheirShapeAndName) {
  Graph g;
  const Value x = g.input("x", {4, 3, 3});
  const auto roles = [&](const char* layer) {
    std::pair<ParameterRole, ParameterRole> found{role_of(g.find(str(layer, ".weight"))), {}};
    if (const Value bias = g.find(str(layer, ".bias"))) found.second = role_of(bias);
    return found;
  };
  using enum ParameterRole;
  g.layer("conv");
  conv_layer(x, {.filters = 2, .options = {}, .bias = Bias::untied});
  EXPECT_EQ(roles("conv"), std::pair(weight, bias));
  g.layer("up");
  conv_transpose_layer(x, {.filters = 2, .options = {}});
  EXPECT_EQ(roles("up"), std::pair(weight, bias));
  g.layer("dense");
  dense_layer(x, {.outputs = 1, .bias = Bias::untied});
  EXPECT_EQ(roles("dense"), std::pair(weight, bias));
  g.layer("ln");
  layer_norm_layer(x);
  EXPECT_EQ(g.find("ln.weight").shape(), x.shape());
  EXPECT_EQ(roles("ln"), std::pair(scale, bias));
  g.layer("gn");
  group_norm_layer(x, {});
  EXPECT_EQ(roles("gn"), std::pair(scale, bias));
  g.layer("bn");
  batch_norm_layer(x);
  EXPECT_EQ(roles("bn"), std::pair(scale, bias));
  g.layer("prelu");
  prelu_layer(x, {.per_channel = true});
  EXPECT_EQ(roles("prelu"), std::pair(scale, unsaid));
  g.layer("");
  bias_layer(x);
  EXPECT_EQ(role_of(g.find("bias")), bias);
}

TEST(Layers, AParameterWhoseRoleIsUnsaidIsABiasByItsShapeOrName) {
  Graph g;
  const auto role = [&](const char* name, const Shape& shape) { return role_of(g.parameter(name, shape)); };
  EXPECT_EQ(role("number", {}), ParameterRole::bias);
  EXPECT_EQ(role("vector", {3}), ParameterRole::bias);
  EXPECT_EQ(role("bias", {3, 2, 2}), ParameterRole::bias);
  EXPECT_EQ(role("mine.bias", {3, 2, 2}), ParameterRole::bias);
  EXPECT_EQ(role("mybias", {3, 2, 2}), ParameterRole::weight);
  EXPECT_EQ(role("matrix", {1, 1}), ParameterRole::weight);
  const Value said = g.parameter("said", {3}, {}, /*trainable=*/true, ParameterRole::weight);
  EXPECT_EQ(role_of(said), ParameterRole::weight);
  EXPECT_EQ(g.print().find("role"), std::string::npos) << "printed graphs are as they were";
}

TEST(Layers, BiasCanBeLeftOut) {
  Graph g;
  const Value x = g.input("x", {1, 4, 4});
  g.layer("a");
  conv_layer(x, {.filters = 2, .options = {}, .bias = Bias::none});
  g.layer("b");
  dense_layer(x, {.outputs = 3, .bias = Bias::none});
  EXPECT_FALSE(g.find("a.bias"));
  EXPECT_FALSE(g.find("b.bias"));
  EXPECT_EQ(g.parameters().size(), 2u);
}

TEST(Layers, ConvAddsItsBiasToEachFilter) {
  Graph g;
  const Value x = g.input("x", {1, 2, 2});
  g.layer("c");
  const Value y = conv_layer(x, {.filters = 2, .kernel = {1, 1}, .options = {}});
  Reference r(g, 1);
  r.set(x.id(), {1, 2, 3, 4});
  r.set(g.find("c.weight").id(), {10, 100});
  r.set(g.find("c.bias").id(), {5, 7});
  r.run();
  EXPECT_EQ(r.value(y.id()), (std::vector<double>{15, 25, 35, 45, 107, 207, 307, 407}));
}

TEST(Layers, DenseFlattensItsInput) {
  Graph g;
  const Value x = g.input("x", {1, 2, 2});
  g.layer("d");
  const Value y = dense_layer(x, {.outputs = 1, .init = WeightInit::glorot});
  EXPECT_EQ(init_of(g.find("d.weight")), Init::glorot(4, 1));
  Reference r(g, 1);
  r.set(x.id(), {1, 2, 3, 4});
  r.set(g.find("d.weight").id(), {1, 10, 100, 1000});
  r.set(g.find("d.bias").id(), {0.5});
  r.run();
  EXPECT_EQ(r.value(y.id()), (std::vector<double>{4321.5}));
}

TEST(Layers, DenseLeavesAVectorAsItIs) {
  Graph g;
  dense_layer(g.input("x", {5}), {.outputs = 2});
  EXPECT_EQ(g.print().find("reshape"), std::string::npos) << g.print();
  EXPECT_EQ(init_of(g.find("weight")), Init::he(5));
}

/// The value of y in double, one sample, leaves by name.
std::vector<double> evaluated(Graph& g, Value y, const std::map<std::string, std::vector<double>>& leaves) {
  Reference r(g, 1);
  for (const auto& [name, values] : leaves) r.set(g.find(name).id(), values);
  const NodeId wanted[] = {y.id()};
  r.run(wanted);
  return r.value(y.id());
}

// z[d,e] = Σ W[d−b,e−c]·x[b,c] + b[d,e], as in derivation 000: a 2×2 kernel on 2×2 gives 3×3.
TEST(Layers, AFlippedConvolutionIsTheOneOfMathematics) {
  Graph g;
  const Value x = g.input("x", {1, 2, 2});
  g.layer("c");
  const Value z = conv_layer(
      x, {.filters = 1, .kernel = {2, 2}, .options = {.padding = {1, 1}}, .flipped = true, .bias = Bias::untied});
  EXPECT_EQ(g.find("c.weight").shape(), (Shape{1, 1, 2, 2}));
  EXPECT_EQ(g.find("c.bias").shape(), (Shape{1, 3, 3}));
  const std::vector<double> in{1, 2, 3, 5}, w{7, 11, 13, 17}, b{1, 2, 3, 4, 5, 6, 7, 8, 9};
  std::vector<double> by_the_formula = b;
  for (std::size_t d = 0; d < 3; ++d)
    for (std::size_t e = 0; e < 3; ++e)
      for (std::size_t p = 0; p < 2; ++p)
        for (std::size_t q = 0; q < 2; ++q)
          if (d >= p && e >= q && d - p < 2 && e - q < 2)
            by_the_formula[d * 3 + e] += w[(d - p) * 2 + e - q] * in[p * 2 + q];
  EXPECT_EQ(evaluated(g, z, {{"x", in}, {"c.weight", w}, {"c.bias", b}}), by_the_formula);
}

TEST(Layers, AnUntiedBiasIsOneForEveryPlace) {
  Graph g;
  const Value x = g.input("x", {2, 2, 1});
  g.layer("a");
  const Value untied = bias_layer(x);
  g.layer("b");
  const Value shared = bias_layer(x, Bias::shared, /*subtract=*/true);
  EXPECT_EQ(g.find("a.bias").shape(), (Shape{2, 2, 1}));
  EXPECT_EQ(g.find("b.bias").shape(), (Shape{2}));
  const std::map<std::string, std::vector<double>> leaves{
      {"x", {1, 2, 3, 4}}, {"a.bias", {10, 20, 30, 40}}, {"b.bias", {1, 2}}};
  EXPECT_EQ(evaluated(g, untied, leaves), (std::vector<double>{11, 22, 33, 44}));
  EXPECT_EQ(evaluated(g, shared, leaves), (std::vector<double>{0, 1, 1, 2}));
  EXPECT_EQ(bias_layer(x, Bias::none), x);
}

// o = f(wx − b), as in derivation 004.
TEST(Layers, ADenseLayerCanSubtractItsBias) {
  Graph g;
  const Value x = g.input("x", {2});
  g.layer("d");
  const Value y = dense_layer(x, {.outputs = 2, .subtract_bias = true});
  EXPECT_EQ(evaluated(g, y, {{"x", {1, 2}}, {"d.weight", {1, 1, 10, 10}}, {"d.bias", {5, 7}}}),
            (std::vector<double>{-2, 23}));
}

TEST(Layers, EveryNodeCanHaveAnActivationOfItsOwn) {
  Graph g;
  const Value x = g.input("x", {2, 4});
  using enum Activation;
  const auto y = activations(x, std::array{linear, relu, sigmoid, tanh});
  EXPECT_EQ(y.shape(), (Shape{2, 4}));
  const auto sigma = [](double v) { return 1 / (1 + std::exp(-v)); };
  const auto found = evaluated(g, y, {{"x", {-1, -2, 3, 4, 5, 6, -7, -0.5}}});
  const std::vector<double> expected{-1, 0, sigma(3), std::tanh(4.0), 5, 6, sigma(-7), std::tanh(-0.5)};
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-15) << i;
}

TEST(Layers, LeakyReluIsTheLargerOfXAndItsSlopeTimesX) {
  Graph g;
  const Value x = g.input("x", {5});
  const std::vector<double> in{-2, -0.0, 0, 3, std::nan("")};
  const auto y = evaluated(g, leaky_relu(x, 0.25), {{"x", in}});
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(y[i], std::max(in[i], 0.25 * in[i])) << in[i];
  EXPECT_TRUE(std::isnan(y[4]));
  EXPECT_EQ(evaluated(g, leaky_relu(x), {{"x", in}})[0], -2 * 0.01);
  EXPECT_EQ(error_of([&] { leaky_relu(x, 1.5); }), "leaky_relu: slope is 1.5; it must be between 0 and 1");
}

TEST(Layers, PreluHasOneSlopeOrOneForEachChannel) {
  Graph g;
  const Value x = g.input("x", {2, 1, 2});
  g.layer("one");
  const Value one = prelu_layer(x);
  g.layer("each");
  const Value each = prelu_layer(x, {.start = 0.5, .per_channel = true});
  EXPECT_EQ(g.find("one.weight").shape(), (Shape{1}));
  EXPECT_EQ(g.find("each.weight").shape(), (Shape{2}));
  EXPECT_EQ(init_of(g.find("one.weight")), Init::constant(0.25));
  EXPECT_EQ(init_of(g.find("each.weight")), Init::constant(0.5));
  const std::map<std::string, std::vector<double>> leaves{
      {"x", {-1, 2, -4, 8}}, {"one.weight", {0.5}}, {"each.weight", {0.25, -3}}};
  EXPECT_EQ(evaluated(g, one, leaves), (std::vector<double>{-0.5, 2, -2, 8}));
  EXPECT_EQ(evaluated(g, each, leaves), (std::vector<double>{-0.25, 2, 12, 8}));
}

TEST(Layers, ActivationsRefuseNumbersThatMakeNoSense) {
  Graph g;
  const Value x = g.input("x", {3}), number = g.input("number", {});
  EXPECT_EQ(error_of([&] { elu(x, 0); }), "elu: alpha is 0; it must be a number above 0");
  EXPECT_EQ(error_of([&] { celu(x, std::nan("")); }), "celu: alpha is nan; it must be a number above 0");
  EXPECT_EQ(error_of([&] { prelu_layer(x, {.start = HUGE_VAL}); }), "prelu: start is inf; it must be a number");
  g.layer("act1");
  EXPECT_EQ(error_of([&] { prelu_layer(number, {.per_channel = true}); }),
            "act1: a slope per channel takes a map or a vector, not a single number; use one slope");
}

TEST(Layers, NormalisationsRefuseSingleValues) {
  Graph g;
  const Value map = g.input("map", {4, 1, 1}), vector = g.input("vector", {4}), number = g.input("number", {});
  const Value one = g.input("one", {1, 3, 3});
  EXPECT_EQ(error_of([&] { layer_norm_layer(number); }),
            "layer_norm: normalises single values of scalar, which have no variance; normalise more of them together");
  EXPECT_EQ(error_of([&] { layer_norm_layer(one, {.over_channels = true}); }),
            "layer_norm: normalises single values of 1×3×3, which have no variance; normalise more of them together");
  EXPECT_EQ(error_of([&] { layer_norm_layer(vector, {.epsilon = 0}); }),
            "layer_norm: epsilon is 0; it must be a number above 0");
  EXPECT_EQ(error_of([&] { group_norm_layer(vector, {.groups = 3}); }),
            "group_norm: 3 groups do not divide 4 channels; use a divisor of 4");
  EXPECT_EQ(error_of([&] { group_norm_layer(vector, {.groups = 4}); }),
            "group_norm: normalises single values of 4, which have no variance; normalise more of them together");
  EXPECT_EQ(error_of([&] { group_norm_layer(number, {}); }),
            "group_norm: takes channels, not a single number; give it a map or a vector");
  EXPECT_EQ(error_of([&] { instance_norm_layer(vector); }),
            "instance_norm: takes channels with places, not 4; use layer_norm for a vector");
  EXPECT_EQ(
      error_of([&] { instance_norm_layer(map); }),
      "instance_norm: normalises single values of 4×1×1, which have no variance; normalise more of them together");
}

TEST(Layers, TransposedConvolutionsStartByWhatMeetsInAResult) {
  Graph g;
  const Value x = g.input("x", {4, 3, 3});
  const auto init = [&](const char* name, const ConvTransposeLayer& layer) {
    g.layer(name);
    conv_transpose_layer(x, layer);
    return init_of(g.find(str(name, ".weight")));
  };
  const Conv2dOptions options{.stride = {2, 1}, .groups = 2};  // 4 / 2 channels · 5 · 3 / 2 and 6 / 2 filters · 5 · 3
  EXPECT_EQ(init("usual", {.filters = 6, .kernel = {5, 3}, .options = options}), Init::he(15));
  EXPECT_EQ(init("both", {.filters = 6, .kernel = {5, 3}, .options = options, .init = WeightInit::glorot}),
            Init::glorot(15, 45));
  EXPECT_EQ(init("rounded up", {.filters = 1, .kernel = {1, 3}, .options = {.stride = {5, 1}}}), Init::he(3));
}

TEST(Layers, OfMapsRefuseVectorsAndNumbersThatMakeNoSense) {
  Graph g;
  const Value x = g.input("x", {4, 3, 3}), v = g.input("v", {4});
  const std::string rank = ": takes channels × rows × columns, not 4; reshape the input to three axes";
  EXPECT_EQ(error_of([&] { local_response_norm_layer(v); }), "local_response_norm" + rank);
  EXPECT_EQ(error_of([&] { upsample_layer(v); }), "upsample" + rank);
  EXPECT_EQ(error_of([&] { conv_transpose_layer(v, {}); }), "conv_transpose" + rank);
  EXPECT_EQ(error_of([&] { global_max_pool(v); }), "gmp" + rank);
  EXPECT_EQ(error_of([&] { adaptive_average_pool(v, {1, 1}); }), "adaptive_avgpool" + rank);
  EXPECT_EQ(error_of([&] { local_response_norm_layer(x, {.size = 0}); }),
            "local_response_norm: size is 0; it must be from 1 to 1048576");
  EXPECT_EQ(error_of([&] { local_response_norm_layer(x, {.alpha = -1}); }),
            "local_response_norm: alpha is -1; it must be from 0 to 1000");
  EXPECT_EQ(error_of([&] { local_response_norm_layer(x, {.beta = 1001}); }),
            "local_response_norm: beta is 1001; it must be from 0 to 1000");
  EXPECT_EQ(error_of([&] { local_response_norm_layer(x, {.k = 0}); }),
            "local_response_norm: k is 0; it must be above 0 and at most 1000");
  EXPECT_EQ(error_of([&] { local_response_norm_layer(x, {.k = NAN}); }),
            "local_response_norm: k is nan; it must be above 0 and at most 1000");
  for (const std::int64_t factor : {-1, 0, 1025}) {
    EXPECT_EQ(error_of([&] {
                upsample_layer(x, {.factor = {2, factor}});
              }),
              str("upsample: factor is ", factor, "; it must be from 1 to 1024"));
  }
  for (const std::int64_t size : {-1, 0, 257}) {
    EXPECT_EQ(error_of([&] {
                adaptive_average_pool(x, {size, 2});
              }),
              str("adaptive_avgpool: size is ", size, "; it must be from 1 to 256"));
  }
  EXPECT_EQ(error_of([&] { batch_norm_layer(x, {.scale = HUGE_VAL}); }),
            "batch_norm: scale is inf; it must be a number");
  EXPECT_EQ(error_of([&] { conv_transpose_layer(x, {.filters = 0, .options = {}}); }),
            "conv_transpose: 0 filters; a convolution needs at least one");
  EXPECT_EQ(error_of([&] { conv_transpose_layer(x, {.filters = 3, .options = {.groups = 2}}); }),
            "conv_transpose: 2 groups do not divide 4 channels into 3 filters; use a divisor of both");
  EXPECT_EQ(error_of([&] {
              conv_transpose_layer(x, {.kernel = {0, 1}, .options = {}});
            }),
            "conv_transpose: kernel, stride and dilation must be at least 1");
  EXPECT_EQ(error_of([&] {
              conv_transpose_layer(x, {.options = {}, .output_padding = {0, 1}});
            }),
            "conv_transpose: output_padding is 1; it must be at least 0 and below the stride, 1");
  EXPECT_EQ(error_of([&] {
              conv_transpose_layer(x, {.options = {.padding = {3, 3}}});
            }),
            "conv_transpose: padding 3 leaves nothing of 4×3×3; use less");
}

TEST(Layers, DropoutAndNoiseRefuseNumbersThatMakeNoSense) {
  Graph g;
  const Value x = g.input("x", {3});
  EXPECT_EQ(error_of([&] { dropout_layer(x, {.rate = 1}); }), "dropout: rate is 1; it must be at least 0 and below 1");
  EXPECT_EQ(error_of([&] { dropout_layer(x, {.rate = std::nan("")}); }),
            "dropout: rate is nan; it must be at least 0 and below 1");
  EXPECT_EQ(error_of([&] { gaussian_noise_layer(x, -1); }),
            "gaussian_noise: deviation is -1; it must be a number of at least 0");
}

TEST(Layers, ActivationsTakeAsManyStepsAsRunsNotAsNodes) {
  using enum Activation;
  const auto size_of = [](std::int64_t nodes, std::vector<Activation> functions) {
    Graph g;
    activations(g.input("x", {nodes}), functions);
    return g.size();
  };
  std::vector<Activation> halves(1000, sigmoid), pairs;
  std::fill(halves.begin() + 500, halves.end(), tanh);
  for (int i = 0; i < 500; ++i) pairs.insert(pairs.end(), {sigmoid, tanh});
  EXPECT_EQ(size_of(1000, halves), size_of(2, {sigmoid, tanh}));
  EXPECT_EQ(size_of(1000, pairs), size_of(2, {sigmoid, tanh}));
  EXPECT_EQ(size_of(1000, {tanh}), 2);
}

TEST(Layers, BatchNormMakesItsParametersUnderTheLayersName) {
  Graph g;
  const Value x = g.input("x", {3, 4, 5});
  g.layer("bn1");
  const Value y = batch_norm_layer(x);
  EXPECT_EQ(y.type(), (Type{{3, 4, 5}, true}));
  for (const char* name : {"bn1.weight", "bn1.bias", "bn1.running_mean", "bn1.running_var"})
    EXPECT_EQ(g.find(name).shape(), (Shape{3})) << name;
  EXPECT_EQ(init_of(g.find("bn1.weight")), Init::constant(1));
  EXPECT_EQ(init_of(g.find("bn1.bias")), Init::constant(0));
  EXPECT_EQ(init_of(g.find("bn1.running_mean")), Init::constant(0));
  EXPECT_EQ(init_of(g.find("bn1.running_var")), Init::constant(1));
  EXPECT_EQ(g.parameters().size(), 2u) << "the running ones are not trained";
  EXPECT_EQ(g.running_averages().size(), 2u);
  g.verify();
}

TEST(Layers, BatchNormPredictsWithItsRunningStatistics) {
  Graph g;
  const Value x = g.input("x", {2, 1, 2}), v = g.input("v", {2});
  g.layer("maps");
  const Value y = batch_norm_layer(x, {.epsilon = 0.25});
  g.layer("vector");
  const Value z = batch_norm_layer(v, {.epsilon = 0.25});
  const std::vector<double> gamma{2, 3}, beta{5, 7}, mean{1, -1}, var{0.75, 3.75};
  std::map<std::string, std::vector<double>> leaves{{"x", {2, 3, 4, 5}}, {"v", {2, 4}}};
  for (const char* layer : {"maps", "vector"}) {
    leaves.insert({{std::string(layer) + ".weight", gamma},
                   {std::string(layer) + ".bias", beta},
                   {std::string(layer) + ".running_mean", mean},
                   {std::string(layer) + ".running_var", var}});
  }
  EXPECT_EQ(evaluated(g, y, leaves), (std::vector<double>{7, 9, 14.5, 16}));
  EXPECT_EQ(evaluated(g, z, leaves), (std::vector<double>{7, 14.5}));
}

TEST(Layers, AResidualIsTheSumOfABranchAndItsInput) {
  Graph g;
  const Value x = g.input("x", {1, 3, 4}), same = g.input("same", {1, 3, 4}), less = g.input("less", {3, 2, 2});
  std::vector<double> xs(12), branch(12, 100), sampled(12, 100);
  for (std::size_t i = 0; i < xs.size(); ++i) xs[i] = static_cast<double>(i);
  const auto sum = evaluated(g, residual(x, same), {{"x", xs}, {"same", branch}});
  for (std::size_t i = 0; i < xs.size(); ++i) EXPECT_EQ(sum[i], 100 + xs[i]);
  sampled[0] += 0, sampled[1] += 2, sampled[2] += 8, sampled[3] += 10;  // every second row and column, then zeros
  EXPECT_EQ(evaluated(g, residual(x, less), {{"x", xs}, {"less", branch}}), sampled);
}

TEST(Layers, GlobalAveragePoolingGivesTheMeanOfEachChannel) {
  Graph g;
  const Value y = global_average_pool(g.input("x", {2, 2, 2}));
  EXPECT_EQ(y.shape(), (Shape{2}));
  EXPECT_EQ(evaluated(g, y, {{"x", {1, 2, 3, 6, 5, 5, 5, 9}}}), (std::vector<double>{3, 6}));
}

TEST(Losses, BinaryCrossEntropyOfSigmoidsIsTheSameFromTheirLogits) {
  Graph g;
  const Value z = g.input("z", {3}), t = g.input("t", {3});
  const Value literal = binary_cross_entropy(sigmoid(z), t), stable = sigmoid_cross_entropy(z, t);
  const std::map<std::string, std::vector<double>> leaves{{"z", {-2, 0.5, 3}}, {"t", {0, 1, 0.25}}};
  EXPECT_NEAR(evaluated(g, literal, leaves)[0], evaluated(g, stable, leaves)[0], 1e-14);
  EXPECT_NEAR(evaluated(g, stable, {{"z", {-2000, 1000, 0}}, {"t", {1, 1, 0}}})[0], 2000 + std::log(2), 1e-9);
}

TEST(Losses, TheSignsAndFactorsAreThoseOfTheirFormulas) {
  Graph g;
  const Value y = g.input("y", {2}), t = g.input("t", {2});
  const std::map<std::string, std::vector<double>> leaves{{"y", {1, 5}}, {"t", {0, 1}}};
  EXPECT_EQ(evaluated(g, sum_of_squares(y, t), leaves)[0], 17);
  EXPECT_EQ(evaluated(g, squared_error(y, t), leaves)[0], 8.5);
  EXPECT_EQ(evaluated(g, gaussian_log_likelihood(y, t), leaves)[0], -8.5);
  EXPECT_EQ(evaluated(g, log_likelihood(y, t), leaves)[0], -evaluated(g, cross_entropy(y, t), leaves)[0]);
}

TEST(Losses, CrossEntropyOfAOneHotTargetIsMinusTheLogProbability) {
  Graph g;
  const Value z = g.input("z", {3}), t = g.input("t", {3}, true);
  const Value loss = batch_mean(cross_entropy(z, t));
  EXPECT_EQ(loss.type(), (Type{{}, false}));
  Reference r(g, 2);
  r.set(z.id(), {1, 2, 3, 0, 0, 0});
  r.set(t.id(), {0, 0, 1, 1, 0, 0});
  r.run();
  const double first = -std::log(std::exp(3) / (std::exp(1) + std::exp(2) + std::exp(3)));
  EXPECT_NEAR(r.value(loss.id())[0], (first + std::log(3.0)) / 2, 1e-14);
}

TEST(Losses, SquaredErrorIsHalfTheSquaredDistance) {
  Graph g;
  const Value y = g.input("y", {2, 2}), t = g.input("t", {2, 2});
  const Value loss = squared_error(y, t);
  EXPECT_EQ(loss.type(), (Type{{}, true}));
  Reference r(g, 1);
  r.set(y.id(), {1, 2, 3, 4});
  r.set(t.id(), {1, 1, 1, 1});
  r.run();
  EXPECT_EQ(r.value(loss.id())[0], 7);
}

TEST(Layers, ErrorsNameTheLayerAndSayWhatToDo) {
  Graph g;
  const Value x = g.input("x", {3, 4, 4}), v = g.input("v", {10}), t = g.input("t", {9});
  g.layer("conv7");
  EXPECT_EQ(error_of([&] { conv_layer(v, {}); }),
            "conv7: takes channels × rows × columns, not 10; reshape the input to three axes");
  EXPECT_EQ(error_of([&] { conv_layer(x, {.filters = 0, .options = {}}); }),
            "conv7: 0 filters; a convolution needs at least one");
  EXPECT_EQ(error_of([&] {
              conv_layer(x, {.kernel = {0, 3}, .options = {}});
            }),
            "conv7: kernel 0×3; a kernel is at least 1×1");
  EXPECT_EQ(error_of([&] { conv_layer(x, {.filters = 4, .options = {.groups = 2}}); }),
            "conv7: 2 groups do not divide 3 channels into 4 filters; use a divisor of both");
  EXPECT_EQ(error_of([&] { dense_layer(x, {.outputs = 0}); }), "conv7: 0 outputs; a dense layer needs at least one");
  EXPECT_EQ(error_of([&] { activations(v, std::vector<Activation>(3)); }),
            "conv7: 3 functions do not divide 10 nodes; give a divisor of 10");
  EXPECT_EQ(error_of([&] { activations(v, {}); }),
            "conv7: there is no function; give one for each node, or a list to be repeated");
  EXPECT_EQ(error_of([&] { batch_norm_layer(g.parameter("w", {3})); }),
            "conv7: takes channels of each sample, not shared 3; give it a map or a vector");
  EXPECT_EQ(error_of([&] { batch_norm_layer(x, {.momentum = 2}); }),
            "conv7: momentum is 2; it must be between 0 and 1");
  EXPECT_EQ(error_of([&] { batch_norm_layer(x, {.epsilon = 0}); }), "conv7: epsilon is 0; it must be a number above 0");
  EXPECT_EQ(error_of([&] { global_average_pool(v); }),
            "conv7: takes channels × rows × columns, not 10; reshape the input to three axes");
  for (const Value wrong : {g.input("few", {2, 4, 4}), g.input("odd", {3, 3, 4}), v}) {
    EXPECT_EQ(error_of([&] { residual(x, wrong); }),
              "conv7: a branch of " + to_string(wrong.shape()) +
                  " cannot be added to 3×4×4; its rows and columns must be as many or, in steps of s, an s-th, its "
                  "channels no fewer");
  }
  g.layer("");
  EXPECT_EQ(error_of([&] { binary_cross_entropy(v, t); }),
            "binary_cross_entropy: a target of 9 does not fit 10; give both the same shape");
  EXPECT_EQ(error_of([&] { sigmoid_cross_entropy(v, t); }),
            "sigmoid_cross_entropy: a target of 9 does not fit 10; give both the same shape");
  EXPECT_EQ(error_of([&] { sum_of_squares(v, t); }),
            "sum_of_squares: a target of 9 does not fit 10; give both the same shape");
  EXPECT_EQ(error_of([&] { gaussian_log_likelihood(v, t); }),
            "gaussian_log_likelihood: a target of 9 does not fit 10; give both the same shape");
  EXPECT_EQ(error_of([&] { log_likelihood(x, x); }),
            "log_likelihood: takes one vector of classes a sample, not 3×4×4; reshape it to one axis");
  EXPECT_EQ(error_of([&] { cross_entropy(v, t); }),
            "cross_entropy: a target of 9 does not fit 10; give both the same shape");
  EXPECT_EQ(error_of([&] { squared_error(v, t); }),
            "squared_error: a target of 9 does not fit 10; give both the same shape");
  EXPECT_EQ(error_of([&] { cross_entropy(x, x); }),
            "cross_entropy: takes one vector of classes a sample, not 3×4×4; reshape it to one axis");
}

}  // namespace
}  // namespace chalk
