// w ← w − lr · (sign(beta1 · m + (1 − beta1) · ∇) + weight_decay · w), then m ← beta2 · m + (1 − beta2) · ∇: Chen et
// al. 2023, as in Optax (weight_decay 0.001 there) and Keras (lr 0.001). PyTorch has no Lion.
#include "chalkgrad/ops.h"
#include "src/optimizers/optimizer.h"
#include "src/optimizers/sign.h"

namespace chalk {

void Lion::visit(FieldVisitor& v) {
  visit_lr(v, lr);
  v.field({"beta1", Range::from_below(0, 1), "How much of the mean gradient is in a step's direction"}, beta1);
  v.field({"beta2", Range::from_below(0, 1), "How much of the mean gradient stays in a step"}, beta2);
  visit_decoupled_weight_decay(v, weight_decay);
}

namespace {

void rule(const Attributes& options, ParameterUpdate& update) {
  const auto& o = options.as<Lion>();
  const Value g = update.gradient(0), m = update.state("momentum", 0);
  const Value direction = sign(m + update.rest_of_momentum(o.beta1) * (g - m));
  update.next(m, m + update.number(1 - o.beta2) * (g - m));
  update.descend(update.lr(), update.decayed(direction, o.weight_decay));
}

}  // namespace

const OptimizerDefinition optimizer_lion{
    .help = "Steps of one length, by the sign of the mean gradient",
    .formula = "w ← w − lr · (sign(beta1 · m + (1 − beta1) · g) + weight_decay · w), m ← beta2 · m + (1 − beta2) · g",
    .defaults = Attributes(Lion{}),
    .rule = rule,
    .momentum = "beta1"};

}  // namespace chalk
