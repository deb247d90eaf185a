#include "src/plan/plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "chalkgrad/differentiate.h"
#include "chalkgrad/layers.h"
#include "chalkgrad/ops.h"
#include "src/base/sanitizer.h"
#include "src/passes/passes.h"
#include "src/passes/pipeline.h"

namespace chalk {
namespace {

/// A step of SGD with momentum for a residual network.
Graph training_step(int blocks) {
  Graph g;
  Value x = g.input("x", {4, 6, 6});
  for (int b = 0; b < blocks; ++b) {
    g.layer("conv" + std::to_string(b));
    const Value z = conv_layer(x, {.filters = 4, .options = {.padding = {1, 1}}, .bias = Bias::none});
    g.layer("norm" + std::to_string(b));
    x = relu(x + batch_norm_layer(z));
  }
  g.output("y", x);
  Graph step = training_form(g);
  const Value loss = batch_mean(sum(step.value(x.id())));
  step.clear_outputs();
  step.output("loss", loss);
  const Value lr = step.shared_input("lr");
  const auto parameters = step.parameters();
  const auto d = gradients(loss, parameters);
  for (std::size_t i = 0; i < d.size(); ++i) {
    const Value w = parameters[i], m = step.parameter(w.name() + ".m", w.shape(), {}, false);
    const Value next = step.constant(0.9) * m + d[i];
    step.update(m, next);
    step.update(w, w - lr * next);
  }
  return step;
}

/// Processor time of this thread for all from the passes to the plan, in seconds: the least of several times.
double time_to_plan(const Graph& graph) {
  const auto now = [] {
    timespec t{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
  };
  double least = std::numeric_limits<double>::infinity();
  for (int i = 0; i < 3; ++i) {
    const double before = now();
    make_plan(run_passes(graph, {}), true, "loss");
    least = std::min(least, now() - before);
  }
  return least;
}

#if !CHALK_ASAN  // nothing shares memory under AddressSanitizer
TEST(Plan, PacksWeightsThatChangeIntoMemoryThatPhasesShare) {
  const Plan plan = make_plan(run_passes(training_step(8), {}), true, "loss");
  std::size_t all = 0;
  for (const auto& pack : plan.packs) all += pack.kernel->packing->floats;
  EXPECT_LT(plan.shared, all);
  for (const auto& phase : plan.phases) {
    std::vector<std::pair<std::size_t, std::size_t>> packed;  // in this phase: from, to
    for (const auto& wave : phase.waves) {
      for (const auto& item : wave) {
        if (item.kind != SharedItem::Kind::pack || item.begin > 0) continue;
        const auto& pack = plan.packs[item.step];
        packed.emplace_back(pack.to, pack.to + pack.kernel->packing->floats);
      }
    }
    std::sort(packed.begin(), packed.end());
    for (std::size_t i = 1; i < packed.size(); ++i) EXPECT_GE(packed[i].first, packed[i - 1].second);
  }
}

TEST(Plan, KeepsLessWithinALimitAndSaysWhatItTakes) {
  const Graph step = run_passes(training_step(8), {});
  const Plan free = make_plan(step, true, "loss");
  const std::size_t without = free.bytes(4096, 1), limit = without * 7 / 10;
  const Plan within = make_plan(step, true, "loss", {.bytes = limit, .samples = 4096, .threads = 1});
  EXPECT_LE(within.bytes(4096, 1), limit);
  EXPECT_LT(within.kept, free.kept);
  EXPECT_GT(within.graph.size(), free.graph.size());
  const Plan least = make_plan(step, true, "loss", {.bytes = 1, .samples = 4096, .threads = 1});
  EXPECT_GT(least.bytes(4096, 1), 1U);
  EXPECT_LE(least.bytes(4096, 1), within.bytes(4096, 1));
}
#endif

// Were it the square, six times the layers would take 36 times as long.
TEST(Plan, TakesTimeInProportionToTheNumberOfLayers) {
  const double few = time_to_plan(training_step(25)), many = time_to_plan(training_step(150));
  EXPECT_LT(many / few, 15);
}

}  // namespace
}  // namespace chalk
