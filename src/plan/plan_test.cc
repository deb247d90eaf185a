#include "src/plan/plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>
#include <limits>
#include <string>

#include "chalkgrad/differentiate.h"
#include "chalkgrad/layers.h"
#include "chalkgrad/ops.h"
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

// Were it the square, six times the layers would take 36 times as long.
TEST(Plan, TakesTimeInProportionToTheNumberOfLayers) {
  const double few = time_to_plan(training_step(25)), many = time_to_plan(training_step(150));
  EXPECT_LT(many / few, 15);
}

}  // namespace
}  // namespace chalk
