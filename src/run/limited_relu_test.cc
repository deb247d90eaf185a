// relu6 behind a convolution is computed where the convolution ends, with the bits that it has by itself.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "chalkgrad/layers.h"
#include "chalkgrad/ops.h"
#include "chalkgrad/program.h"
#include "src/base/random.h"

namespace chalk {
namespace {

constexpr std::size_t kLimitedReluSamples = 35;  // two microbatches and three samples

struct LimitedReluCase {
  const char* name;
  Shape input;
  ConvLayer conv;
};
const LimitedReluCase kLimitedReluCases[] = {
    {"direct", {3, 9, 7}, {.filters = 5, .kernel = {3, 3}}},
    {"strided", {3, 9, 9}, {.filters = 6, .kernel = {3, 3}, .options = {.stride = {2, 2}, .padding = {1, 1}}}},
    {"winograd", {32, 8, 8}, {.filters = 32, .kernel = {3, 3}, .options = {.padding = {1, 1}}}},
    {"pointwise", {40, 6, 6}, {.filters = 24, .kernel = {1, 1}}},
    {"depthwise", {24, 8, 8}, {.filters = 24, .kernel = {3, 3}, .options = {.padding = {1, 1}, .groups = 24}}},
};

struct Built {
  Graph graph;
  /// `most − z` and so on, as the layer relu6 writes it.
  explicit Built(const LimitedReluCase& c, bool shown, float below = 6, float instead = 6) {
    const Value x = graph.input("x", c.input);
    graph.layer("conv");
    const Value z = conv_layer(x, c.conv);
    const auto number = [&](float value) { return graph.constant(value); };
    graph.output("y", select(relu(number(below) - z), relu(z), number(instead)));
    if (shown) graph.output("z", z);
  }
  bool in_the_kernel(const Program& program) const {
    const auto rows = program.profile();
    return std::ranges::any_of(rows,
                               [](const KernelTime& row) { return row.kernel.find("+relu6") != std::string::npos; });
  }
};

std::vector<std::uint32_t> bits_of(std::span<const float> values) {
  std::vector<std::uint32_t> bits;
  for (const float v : values) bits.push_back(std::isnan(v) ? 1U : std::bit_cast<std::uint32_t>(v));
  return bits;
}

class LimitedRelu : public testing::TestWithParam<LimitedReluCase> {};

TEST_P(LimitedRelu, HasTheSameBitsInTheConvolutionAsBehindIt) {
  const Built inside(GetParam(), false), outside(GetParam(), true);
  const auto size = static_cast<std::size_t>(elements(GetParam().input));
  std::vector<float> x(kLimitedReluSamples * size);
  Random random(3, 1);
  for (auto& v : x) v = static_cast<float>(60 * random.uniform() - 30);  // z is below 0, above 6, and between
  x[0] = std::numeric_limits<float>::quiet_NaN();
  x[size] = std::numeric_limits<float>::infinity();
  x[2 * size] = -std::numeric_limits<float>::infinity();
  Variables a(inside.graph, 1), b(outside.graph, 1);
  Program in(inside.graph, a, {.threads = 2, .profile = true}), out(outside.graph, b, {.threads = 2, .profile = true});
  EXPECT_TRUE(inside.in_the_kernel(in));
  EXPECT_FALSE(outside.in_the_kernel(out));
  for (auto* program : {&in, &out}) program->feed("x", {.values = x.data()});
  for (const std::size_t samples : {kLimitedReluSamples, std::size_t{1}}) {
    in.run(samples), out.run(samples);
    EXPECT_EQ(bits_of(in.output("y")), bits_of(out.output("y"))) << samples;
  }
  const std::uint32_t last = kLimitedReluSamples - 1;
  in.run(1, &last), out.run(1, &last);
  const auto y = in.output("y");
  EXPECT_EQ(bits_of(y), bits_of(out.output("y")));
  EXPECT_EQ(std::ranges::max(y), 6);
  EXPECT_EQ(std::ranges::min(y), 0);
  EXPECT_TRUE(std::ranges::any_of(y, [](float v) { return v > 0 && v < 6; }));
}

TEST_P(LimitedRelu, IsLeftAloneWhereTheNumbersDiffer) {
  const Built other(GetParam(), false, 6, 5);
  Variables variables(other.graph, 1);
  EXPECT_FALSE(other.in_the_kernel(Program(other.graph, variables, {.profile = true})));
}

INSTANTIATE_TEST_SUITE_P(Convolutions, LimitedRelu, testing::ValuesIn(kLimitedReluCases),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(LimitedReluOfOthers, IsLeftAloneBehindADenseLayerAndBeforePooling) {
  Graph g;
  const Value x = g.input("x", {2, 8, 8});
  g.layer("conv");
  const Value pooled = max_pool(relu6(conv_layer(x, {.filters = 3})));
  g.layer("dense");
  g.output("y", relu6(dense_layer(reshape(pooled, {27}), {.outputs = 4})));
  Variables variables(g, 1);
  const Program program(g, variables, {.profile = true});
  for (const auto& row : program.profile()) {
    EXPECT_EQ(row.kernel.find("relu6+"), std::string::npos) << row.kernel;
    EXPECT_FALSE(row.kernel.starts_with("dense") && row.kernel.find("relu6") != std::string::npos) << row.kernel;
  }
}

}  // namespace
}  // namespace chalk
