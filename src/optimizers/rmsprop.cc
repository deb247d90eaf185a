// s ← alpha · s + (1 − alpha) · g²,   u = g / (√s + ε),   w ← w − lr · u; with momentum v ← momentum · v + u,
// w ← w − lr · v; centered: √max(s − m², 0) in place of √s, with the mean m of the gradients. Hinton 2012, as in
// PyTorch, but for the max: roundings make s − m² negative where gradients hardly change, and PyTorch's step NaN. Keras
// (rho) and Optax (decay) have ε inside of the root.
#include "chalkgrad/ops.h"
#include "src/optimizers/optimizer.h"

namespace chalk {

void RmsProp::visit(FieldVisitor& v) {
  visit_lr(v, lr);
  v.field({"alpha", Range::from_below(0, 1), "How much of the mean square stays in a step"}, alpha);
  v.field({"momentum", Range::from_below(0, 1), "Momentum"}, momentum);
  v.field({"centered", {}, "Divides by the deviation of the gradient instead of its root mean square"}, centered);
  v.field({"epsilon", Range::at_least(1e-30), "Is added to the root, so that it is not zero"}, epsilon);
  visit_weight_decay(v, weight_decay);
}

namespace {

void rule(const Attributes& options, ParameterUpdate& update) {
  const auto& o = options.as<RmsProp>();
  const Value g = update.gradient(o.weight_decay);
  Value s = update.average("mean_square", g * g, o.alpha);
  if (o.centered) {
    const Value m = update.average("mean", g, o.alpha);
    s = maximum(s - m * m, update.number(0));
  }
  const Value step = g / (sqrt(s) + update.number(o.epsilon));
  if (o.momentum == 0 && !update.moves_momentum()) return update.descend(update.lr(), step);
  const Value v = update.state("momentum", 0);
  const Value next = update.momentum(o.momentum) * v + step;
  update.next(v, next);
  update.descend(update.lr(), next);
}

}  // namespace

const OptimizerDefinition optimizer_rmsprop{
    .help = "Divides the gradient by its root mean square",
    .formula =
        "s ← alpha · s + (1 − alpha) · g², u = g / (√s + ε), w ← w − lr · u; momentum: v ← momentum · v + u, "
        "w ← w − lr · v; centered: √max(s − m², 0) for √s, m ← alpha · m + (1 − alpha) · g",
    .defaults = Attributes(RmsProp{}),
    .rule = rule,
    .momentum = "momentum"};

}  // namespace chalk
