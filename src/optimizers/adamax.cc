// m ← beta1 · m + (1 − beta1) · g,   u ← max(beta2 · u, |g| + ε),   w ← w − lr / (1 − beta1ᵗ) · m / u: Kingma & Ba
// 2015, section 7.1, with ε where PyTorch and Optax have it, inside of the maximum. Keras adds it to u where it
// divides.
#include "chalkgrad/ops.h"
#include "src/optimizers/moments.h"

namespace chalk {

void Adamax::visit(FieldVisitor& v) {
  visit_lr(v, lr);
  v.field({"beta1", Range::from_below(0, 1), "How much of the mean gradient stays in a step"}, beta1);
  v.field({"beta2", Range::from_below(0, 1), "How much of the largest gradient stays in a step"}, beta2);
  v.field({"epsilon", Range::at_least(1e-30), "Is added to the gradient's size, so that it is not zero"}, epsilon);
  visit_weight_decay(v, weight_decay);
}

namespace {

void rule(const Attributes& options, ParameterUpdate& update) {
  const auto& o = options.as<Adamax>();
  const Value g = update.gradient(o.weight_decay);
  const Value m = update.average_by_momentum(kMean, g, o.beta1);
  const Value before = update.state("largest", 0);
  const Value u = maximum(update.number(o.beta2) * before, abs(g) + update.number(o.epsilon));
  update.next(before, u);
  update.descend(update.lr() * update.scalar("adam.unbias_mean", unbias_mean<Adamax>), m / u);
}

}  // namespace

const OptimizerDefinition optimizer_adamax{
    .help = "The mean gradient, divided by the largest of late",
    .formula = "m ← beta1 · m + (1 − beta1) · g, u ← max(beta2 · u, |g| + ε), w ← w − lr / (1 − beta1ᵗ) · m / u",
    .defaults = Attributes(Adamax{}),
    .rule = rule,
    .momentum = "beta1"};

}  // namespace chalk
