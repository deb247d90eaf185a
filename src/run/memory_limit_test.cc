// A limit of memory changes what is kept and what is computed again, and no bit of any result.
#include <gtest/gtest.h>

#include <new>
#include <string>
#include <vector>

#include "chalkgrad/differentiate.h"
#include "chalkgrad/error.h"
#include "chalkgrad/layers.h"
#include "chalkgrad/ops.h"
#include "chalkgrad/program.h"
#include "src/base/sanitizer.h"
#include "src/passes/passes.h"

namespace chalk {
namespace {

constexpr std::size_t kLimitedSamples = CHALK_TSAN ? 40 : 100;

/// A step of SGD for a residual network with a pooled and strided stem.
Graph residual_step(std::int64_t filters) {
  Graph g;
  const auto block = [&](Value x, const std::string& name) {
    g.layer("conv" + name);
    const Value z = conv_layer(x, {.filters = filters, .options = {.padding = {1, 1}}, .bias = Bias::none});
    g.layer("norm" + name);
    return batch_norm_layer(z);
  };
  Value x = relu(block(g.input("x", {3, 16, 16}), "0"));
  for (const std::string b : {"1", "2", "3"}) {
    const Value inner = relu(block(x, b + "a"));
    x = relu(x + block(inner, b + "b"));
  }
  g.layer("out");
  const Value y = dense_layer(max_pool(x, {.window = {4, 4}}), {.outputs = 200});
  g.output("y", y);
  Graph step = training_form(g);
  const Value loss = batch_mean(sum(tanh(step.value(step.outputs()[0].second))));
  step.clear_outputs();
  step.output("loss", loss);
  const auto parameters = step.parameters();
  const auto d = gradients(loss, parameters);
  for (std::size_t i = 0; i < d.size(); ++i) step.update(parameters[i], parameters[i] - step.constant(0.01) * d[i]);
  return step;
}

struct Outcome {
  std::vector<float> weights;
  std::size_t bytes = 0;
};

Outcome outcome_of(const Graph& step, CompileOptions options, const std::set<std::string>& disabled = {}) {
  options.disabled_passes = disabled;
  options.memory_samples = kLimitedSamples;
  Variables variables(step, 3);
  Program program(step, variables, options);
  std::vector<float> x(kLimitedSamples * 3 * 16 * 16);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>((i * 7919) % 1009) / 500.0F - 1;
  program.feed("x", {.values = x.data()});
  for (int i = 0; i < 2; ++i) program.run(kLimitedSamples);
  Outcome outcome{{}, program.memory_of(kLimitedSamples)};
  for (const auto& [name, tensor] : variables.all())
    outcome.weights.insert(outcome.weights.end(), tensor.values().begin(), tensor.values().end());
  return outcome;
}

TEST(MemoryLimit, OfTheMachineEndsARunAndNotTheNext) {
  if (CHALK_ASAN || CHALK_TSAN) GTEST_SKIP() << "SKIPPED: sanitizers end the process where there is no memory";
  const Graph step = residual_step(16);
  Variables variables(step, 3);
  Program program(step, variables, {.threads = 1});
  const std::vector<float> x(kLimitedSamples * 3 * 16 * 16, 0.5F);
  program.feed("x", {.values = x.data()});
  program.run(16);
  EXPECT_THROW(program.run(0xffffffff), std::bad_alloc);
  program.run(16);
  program.run(kLimitedSamples);
}

TEST(MemoryLimit, ChangesNoBit) {
  if (CHALK_ASAN) GTEST_SKIP() << "SKIPPED: under AddressSanitizer values share no memory, so there is none to save";
  // ThreadSanitizer looks at the threads, which do the same at every limit.
  using Numbers = std::vector<int>;
  const std::size_t less = CHALK_TSAN ? 10 : 5;
  for (const int filters : CHALK_TSAN ? Numbers{3} : Numbers{3, 16}) {
    const Graph step = residual_step(filters);
    for (const int threads : CHALK_TSAN ? Numbers{2} : Numbers{1, 2, 3}) {
      const auto free = outcome_of(step, {.threads = threads});
      std::size_t before = free.bytes;
      int smaller = 0;
      for (std::size_t percent = 100; percent > 30; percent -= less) {
        const std::size_t limit = free.bytes * percent / 100;
        try {
          const auto within = outcome_of(step, {.threads = threads, .memory = limit});
          EXPECT_LE(within.bytes, limit);
          EXPECT_EQ(within.weights, free.weights)
              << filters << " filters, " << threads << " threads, " << percent << " %";
          smaller += within.bytes < before ? 1 : 0;
          before = within.bytes;
        } catch (const InputError&) {
          break;
        }
      }
      EXPECT_GE(smaller, 2);
    }
  }
}

}  // namespace
}  // namespace chalk
