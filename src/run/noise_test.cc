// Noise that a program draws, and layers that have noise in training alone.
#include "src/kernels/noise.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "chalkgrad/differentiate.h"
#include "chalkgrad/gradcheck.h"
#include "chalkgrad/layers.h"
#include "chalkgrad/program.h"
#include "src/base/random.h"
#include "src/ops/kernel_testing.h"
#include "src/passes/passes.h"
#include "src/run/program_testing.h"
#include "src/run/reference.h"

namespace chalk {
namespace {

constexpr std::size_t kNoiseSamples = 100, kInputs = 24;

using Values = std::vector<float>;

std::vector<float> samples() {
  Random random(1, 1);
  std::vector<float> values(kNoiseSamples * kInputs);
  for (auto& value : values) value = static_cast<float>(2 * random.uniform() - 1);
  return values;
}
const Values kX = samples();

Values output_of(const Program& program, std::string_view name) {
  const auto values = program.output(name);
  return {values.begin(), values.end()};
}

Values part(const Values& all, std::size_t first, std::size_t count) {  // of samples × 6 values
  return {all.begin() + static_cast<std::ptrdiff_t>(first * 6),
          all.begin() + static_cast<std::ptrdiff_t>((first + count) * 6)};
}

/// Outputs the noise itself, and something made of it.
Graph noisy() {
  Graph g;
  const Value u = g.noise("u", {2, 3});
  g.output("u", u);
  g.output("y", tanh(u) + reshape(slice(g.input("x", {kInputs}), {0}, {6}), {2, 3}));
  return g;
}

struct Runs {
  explicit Runs(const Graph& g, const CompileOptions& options = {.threads = 2}) : program(g, variables, options) {
    program.feed("x", {.values = kX.data()});
  }
  Values operator()(std::vector<std::uint32_t> rows, std::string_view output = "u") {
    program.run(rows.size(), rows.data());
    return output_of(program, output);
  }
  Variables variables;
  Program program;
};

std::vector<std::uint32_t> rows_from(std::uint32_t first, std::size_t count) {
  std::vector<std::uint32_t> rows(count);
  std::iota(rows.begin(), rows.end(), first);
  return rows;
}

TEST(ProgramsNoise, IsThatOfSeedNamePositionAndRow) {
  Runs run(noisy(), {.threads = 2, .seed = 11});
  run.program.set_position(5);
  const auto u = run({7, 90});
  NoiseStream stream(11, "u");
  stream.position = 5;
  for (const std::size_t sample : {0, 1}) {
    Values expected(6);
    noise_one(stream, sample == 0 ? 7 : 90, 6, expected.data());
    EXPECT_EQ(part(u, sample, 1), expected);
  }
}

TEST(ProgramsNoise, IsTheSameOnAnyThreadsTargetsAndPartsOfABatch) {
  const Graph g = noisy();
  Runs whole(g, {.threads = 1});
  whole.program.set_position(3);
  const auto u = whole(rows_from(0, kNoiseSamples)), y = whole(rows_from(0, kNoiseSamples), "y");
  Targets().each([&] {
    for (const int threads : {1, 2, 3, 4}) {
      Runs run(g, {.threads = threads});
      run.program.set_position(3);
      EXPECT_EQ(run(rows_from(0, kNoiseSamples)), u) << threads;
      EXPECT_EQ(run(rows_from(0, 37)), part(u, 0, 37)) << "a part";
      EXPECT_EQ(run(rows_from(37, 63)), part(u, 37, 63)) << "the rest";
      for (const std::uint32_t row : {0U, 16U, 99U}) EXPECT_EQ(run({row}), part(u, row, 1)) << "alone";
      EXPECT_TRUE(same_bits(run(rows_from(0, kNoiseSamples), "y"), y));
      EXPECT_TRUE(same_bits(run({99}, "y"), part(y, 99, 1)));
    }
  });
}

TEST(ProgramsNoise, ChangesWithPositionAndSeed) {
  const Graph g = noisy();
  Runs run(g), other(g, {.threads = 2, .seed = 1});
  const auto first = run({0, 1});
  EXPECT_EQ(run({0, 1}), first) << "the position is the same";
  EXPECT_NE(other({0, 1}), first);
  run.program.set_position(1);
  EXPECT_NE(run({0, 1}), first);
  run.program.set_position(0);
  EXPECT_EQ(run({0, 1}), first);
}

TEST(ProgramsNoise, MayBeFedInstead) {
  Runs run(noisy());
  const Values given{1, 2, 3, 4, 5, 6};
  run.program.feed("u", {.values = given.data()});
  EXPECT_EQ(run({0}), given);
}

constexpr double kRate = 0.375;

Graph with_dropout() {
  Graph g;
  const Value x = g.input("x", {kInputs});
  g.layer("dense1");
  Value v = relu(dense_layer(x, {.outputs = 40}));
  g.layer("dropout1");
  v = dropout_layer(v, {.rate = kRate});
  g.layer("dense2");
  g.output("y", dense_layer(v, {.outputs = 6}));
  return g;
}

/// A step of training; also outputs what dropout gets, gives and the gradients on both sides of it.
Graph step_with_dropout() {
  const Graph forward = with_dropout();
  Graph g = training_form(forward);
  const Value y = g.value(g.outputs()[0].second);
  const auto [dropout_layer, after] = *forward.training_substitutes().begin();
  const NodeId before = g.node(dropout_layer).inputs[0];
  const Value loss = batch_mean(sum(y * y));
  auto wrt = g.parameters();
  const auto parameters = wrt.size();
  wrt.push_back(g.value(before));
  wrt.push_back(g.value(after));
  const auto d = gradients(loss, wrt);
  g.clear_outputs();
  g.output("before", g.value(before));
  g.output("after", g.value(after));
  g.output("noise", g.find("dropout1.noise"));
  g.output("d before", d[parameters]);
  g.output("d after", d[parameters + 1]);
  for (std::size_t i = 0; i < parameters; ++i) g.update(wrt[i], wrt[i] - g.constant(0.1) * d[i]);
  return g;
}

TEST(Dropout, MasksValuesAndGradientsInTraining) {
  const Graph g = step_with_dropout();
  Variables variables(g, 3);
  Program program(g, variables, {.threads = 2});
  program.feed("x", {.values = kX.data()});
  program.run(kNoiseSamples);
  const auto u = output_of(program, "noise"), before = output_of(program, "before"),
             after = output_of(program, "after"), d_before = output_of(program, "d before"),
             d_after = output_of(program, "d after");
  const auto scale = static_cast<float>(1 / (1 - kRate));
  std::size_t dropped = 0;
  for (std::size_t i = 0; i < u.size(); ++i) {
    const float mask = u[i] < static_cast<float>(kRate) ? 0 : scale;
    dropped += mask == 0;
    ASSERT_FLOAT_EQ(after[i], before[i] * mask) << i;
    ASSERT_FLOAT_EQ(d_before[i], d_after[i] * mask) << i;
  }
  EXPECT_NEAR(static_cast<double>(dropped) / static_cast<double>(u.size()), kRate, 0.03);
}

TEST(Dropout, HasTheGradientsOfDifferences) {
  Graph g = training_form(with_dropout());
  auto wrt = g.parameters();
  wrt.push_back(g.find("x"));
  const auto report = check_gradients(g, {{g.value(g.outputs()[0].second)}}, wrt);
  EXPECT_TRUE(report.passed) << to_string(report);
}

TEST(Dropout, TrainsToTheSameBitsOnAnyNumberOfThreads) {
  const Graph g = step_with_dropout();
  const auto weights_after_steps = [&](int threads) {
    Variables variables(g, 3);
    Program program(g, variables, {.threads = threads, .seed = 4});
    program.feed("x", {.values = kX.data()});
    for (std::uint64_t step = 0; step < 3; ++step) {
      program.set_position(step);
      program.run(kNoiseSamples);
    }
    const auto values = std::as_const(variables).at("dense1.weight").values();
    return Values(values.begin(), values.end());
  };
  const auto one = weights_after_steps(1);
  for (const int threads : {2, 3, 4}) EXPECT_TRUE(same_bits(weights_after_steps(threads), one)) << threads;
}

/// Outputs y of x, which is 6 maps of 2 × 2 ones, in training.
Graph disturbed(Value (*layer)(Value x)) {
  Graph g;
  const Value x = g.input("x", {kInputs});
  g.output("y", layer(reshape(x, {6, 2, 2})));
  return training_form(g);
}

Values disturbed_ones(Value (*layer)(Value x), std::size_t samples) {
  const Values ones(samples * kInputs, 1);
  Variables variables;
  Program program(disturbed(layer), variables, {.threads = 2});
  program.feed("x", {.values = ones.data()});
  program.run(samples);
  return output_of(program, "y");
}

TEST(Dropout, OfChannelsAndSamplesDropsThemWhole) {
  constexpr std::size_t samples = 2000;
  const auto channels =
      disturbed_ones([](Value x) { return dropout_layer(x, {.rate = 0.25, .of = Dropped::channels}); }, samples);
  const auto of_samples =
      disturbed_ones([](Value x) { return dropout_layer(x, {.rate = 0.25, .of = Dropped::samples}); }, samples);
  const auto dropped = [](const Values& y, std::size_t together) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < y.size(); i += together) {
      for (std::size_t k = 1; k < together; ++k) EXPECT_EQ(y[i + k], y[i]) << i << ' ' << k;
      EXPECT_TRUE(y[i] == 0 || y[i] == 1 / 0.75F) << y[i];
      count += y[i] == 0;
    }
    return static_cast<double>(count * together) / static_cast<double>(y.size());
  };
  EXPECT_NEAR(dropped(channels, 4), 0.25, 0.02);
  EXPECT_NEAR(dropped(of_samples, kInputs), 0.25, 0.03);
  EXPECT_FALSE(std::equal(channels.begin() + 4, channels.begin() + 400, channels.begin())) << "each by itself";
}

TEST(GaussianNoise, IsNormal) {
  constexpr std::size_t samples = 20000;
  auto n = disturbed_ones([](Value x) { return gaussian_noise_layer(x, 0.5); }, samples);
  double moments[4] = {};
  for (auto& value : n) {
    value = (value - 1) / 0.5F;
    double power = 1;
    for (double& moment : moments) moment += power *= static_cast<double>(value);
  }
  const double expected[4] = {0, 1, 0, 3};
  for (std::size_t k = 0; k < 4; ++k)
    EXPECT_NEAR(moments[k] / static_cast<double>(n.size()), expected[k], 0.03) << "moment " << k + 1;
  std::ranges::sort(n);
  for (const auto& [limit, share] :
       {std::pair{-3.0, 0.00135}, {-2.0, 0.02275}, {-1.0, 0.158655}, {0.0, 0.5}, {1.5, 0.933193}}) {
    const auto below = std::ranges::lower_bound(n, static_cast<float>(limit)) - n.begin();
    EXPECT_NEAR(static_cast<double>(below) / static_cast<double>(n.size()), share, 0.0025) << limit;
  }
}

TEST(GaussianNoise, IsTheInverseOfTheDistributionOfItsUniformNumber) {
  Graph g;
  g.output("y", gaussian_noise_layer(g.input("x", {1}), 1));
  Graph training = training_form(g);
  const auto [name, y] = training.outputs()[0];
  const double least = 0x1p-24;
  for (const double u : {0.0, least, 100 * least, 0.001, 0.02, 0.3, 0.5, 0.7, 0.98, 0.9999, 1 - least}) {
    Reference reference(training, 1);
    reference.set(training.find("x").id(), {0});
    reference.set(training.find("noise").id(), {u});
    reference.run();
    const double n = reference.value(y)[0], p = u + least / 2;
    EXPECT_NEAR(std::erfc(-n / std::sqrt(2.0)) / 2 / p, 1, 2e-5) << "u = " << u << ", n = " << n;
  }
}

TEST(Dropout, IsNothingInPrediction) {
  Graph without;
  without.layer("dense1");
  const Value v = relu(dense_layer(without.input("x", {kInputs}), {.outputs = 40}));
  without.layer("dense2");
  without.output("y", dense_layer(v, {.outputs = 6}));
  const Graph g = with_dropout();
  Variables variables(g, 3);
  Program program(g, variables, {.threads = 2}), plain(without, variables, {.threads = 2});
  EXPECT_EQ(program.print(), plain.print());
  for (auto* each : {&program, &plain}) {
    each->feed("x", {.values = kX.data()});
    each->run(kNoiseSamples);
  }
  EXPECT_EQ(output_of(program, "y"), output_of(plain, "y"));

  CompileOptions as_written{.threads = 1};
  as_written.disabled_passes = {"simplify", "fuse"};
  Program unsimplified(g, variables, as_written);
  unsimplified.feed("x", {.values = kX.data()});
  unsimplified.run(kNoiseSamples);
  const auto y = output_of(unsimplified, "y");
  for (std::size_t i = 0; i < y.size(); ++i) EXPECT_NEAR(y[i], output_of(plain, "y")[i], 1e-5);
}

}  // namespace
}  // namespace chalk
