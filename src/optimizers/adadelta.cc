// s ← rho · s + (1 − rho) · g²,   Δ = √(d + ε) / √(s + ε) · g,   d ← rho · d + (1 − rho) · Δ²,   w ← w − lr · Δ:
// Zeiler 2012, as in PyTorch. Keras has the same formula with lr = 0.001, rho = 0.95 and ε = 1e-7.
#include "chalkgrad/ops.h"
#include "src/optimizers/optimizer.h"

namespace chalk {

void Adadelta::visit(FieldVisitor& v) {
  visit_lr(v, lr);
  v.field({"rho", Range::from_below(0, 1), "How much of both mean squares stays in a step"}, rho);
  v.field({"epsilon", Range::at_least(1e-30), "Is added to both mean squares, so that the first step is not zero"},
          epsilon);
  visit_weight_decay(v, weight_decay);
}

namespace {

void rule(const Attributes& options, ParameterUpdate& update) {
  const auto& o = options.as<Adadelta>();
  const Value g = update.gradient(o.weight_decay), epsilon = update.number(o.epsilon);
  const Value s = update.average("mean_square", g * g, o.rho);
  const Value before = update.state("mean_square_step", 0);
  const Value step = sqrt(before + epsilon) / sqrt(s + epsilon) * g;
  update.next(before, before + update.number(1 - o.rho) * (step * step - before));
  update.descend(update.lr(), step);
}

}  // namespace

const OptimizerDefinition optimizer_adadelta{
    .help = "Steps as large as the steps before, in proportion to the gradient",
    .formula =
        "s ← rho · s + (1 − rho) · g², Δ = √(d + ε) / √(s + ε) · g, d ← rho · d + (1 − rho) · Δ², w ← w − lr · Δ",
    .defaults = Attributes(Adadelta{}),
    .rule = rule,
    .momentum = ""};

}  // namespace chalk
