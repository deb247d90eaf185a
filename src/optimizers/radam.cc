// With Adam's m and s, ρ = 2 / (1 − beta2) − 1 and ρₜ = ρ − 2 · t · beta2ᵗ / (1 − beta2ᵗ):
//   w ← w − lr · m̂ while ρₜ <= 5, which are the first 5 steps for beta2 = 0.999; then
//   w ← w − lr · rₜ · √(1 − beta2ᵗ) · m̂ / (√s + ε) with rₜ² = (ρₜ − 4)(ρₜ − 2) ρ / ((ρ − 4)(ρ − 2) ρₜ)
// Liu et al. 2020, as in PyTorch. Optax adds ε to √ŝ, not to √s; Keras has no RAdam.
#include "chalkgrad/ops.h"
#include "src/optimizers/moments.h"

namespace chalk {

void RAdam::visit(FieldVisitor& v) {
  visit_lr(v, lr);
  visit_moments(v, beta1, beta2);
  v.field({"epsilon", Range::at_least(1e-30), "Is added to the root, so that it is not zero"}, epsilon);
  visit_weight_decay(v, weight_decay);
  v.field({"decoupled_weight_decay", {}, "Weight decay is no part of the gradient, as in adamw"},
          decoupled_weight_decay);
}

namespace {

/// rₜ, or 0 while ρₜ <= 5.
double rectification(double beta2, std::int64_t step) {
  const double t = static_cast<double>(step + 1);
  const double limit = 2 / (1 - beta2) - 1;
  const double now = limit - 2 * t * power(beta2, step + 1) / filled(beta2, step);
  if (!(now > 5)) return 0;
  return std::sqrt((now - 4) * (now - 2) * limit / ((limit - 4) * (limit - 2) * now));
}

double is_rectified(const Attributes& options, const StepTime& time) {
  return rectification(options.as<RAdam>().beta2, time.step) > 0 ? 1 : 0;
}

/// What m is multiplied by, in either kind of step.
double factor(const Attributes& options, const StepTime& time) {
  const auto& o = options.as<RAdam>();
  const double r = rectification(o.beta2, time.step);
  return (r > 0 ? r * std::sqrt(filled(o.beta2, time.step)) : 1) / filled(time.momentum_or(o.beta1), time.step);
}

void rule(const Attributes& options, ParameterUpdate& update) {
  const auto& o = options.as<RAdam>();
  const Value g = update.gradient(o.decoupled_weight_decay ? 0 : o.weight_decay);
  const Value m = update.average_by_momentum(kMean, g, o.beta1);
  const Value s = update.average(kMeanSquare, g * g, o.beta2);
  const Value root =
      select(update.scalar("radam.is_rectified", is_rectified), sqrt(s) + update.number(o.epsilon), update.number(1));
  const Value step = update.scalar("radam.factor", factor) * (m / root);
  update.descend(update.lr(), update.decayed(step, o.decoupled_weight_decay ? o.weight_decay : 0));
}

}  // namespace

const OptimizerDefinition optimizer_radam{
    .help = "Adam that begins with plain steps and warms up by itself",
    .formula =
        "as adam, and w ← w − lr · m̂ while ρₜ <= 5, then w ← w − lr · rₜ · √(1 − beta2ᵗ) · m̂ / (√s + ε), "
        "ρₜ = ρ − 2t · beta2ᵗ / (1 − beta2ᵗ), ρ = 2 / (1 − beta2) − 1, "
        "rₜ² = (ρₜ − 4)(ρₜ − 2) ρ / ((ρ − 4)(ρ − 2) ρₜ)",
    .defaults = Attributes(RAdam{}),
    .rule = rule,
    .momentum = "beta1"};

}  // namespace chalk
