// With Adam's m and s and μₜ = beta1 · (1 − ½ · 0.96^(t · momentum_decay)):
//   w ← w − lr · ((1 − μₜ) / (1 − μ₁…μₜ) · g + μₜ₊₁ / (1 − μ₁…μₜ₊₁) · m) / (√ŝ + ε)
// Dozat 2016, as in PyTorch. Keras has the same with momentum_decay = 1; Optax has no such schedule, so that its first
// step is 1.4 times as long.
#include "chalkgrad/ops.h"
#include "src/optimizers/moments.h"

namespace chalk {

void NAdam::visit(FieldVisitor& v) {
  visit_lr(v, lr);
  visit_moments(v, beta1, beta2);
  v.field({"momentum_decay", Range::at_least(0), "How fast the momentum of a step approaches beta1"}, momentum_decay);
  v.field({"epsilon", Range::at_least(1e-30), "Is added to the root, so that it is not zero"}, epsilon);
  visit_weight_decay(v, weight_decay);
  v.field({"decoupled_weight_decay", {}, "Weight decay is no part of the gradient, as in adamw"},
          decoupled_weight_decay);
}

namespace {

/// μₜ for a momentum of beta1; `slowing` is 0.96^momentum_decay.
double momentum(double beta1, double slowing, std::int64_t t) { return beta1 * (1 - 0.5 * power(slowing, t)); }

constexpr double kLeast = 1e-20;  // too small to change 1 − μ₁…μₜ

/// μ₁…μₜ, multiplied in this order; 0 where it is too small.
double product_of_one_beta1(const NAdam& o, double slowing, std::int64_t t) {
  if (power(o.beta1, t) < kLeast) return 0;
  struct Product {
    double beta1 = -1, slowing = 0;
    std::int64_t factors = 0;
    double all = 1, slowed = 1;
  };
  // A step asks for one factor more than the step before, so a product that goes on from there is the same number for
  // one multiplication instead of t; with beta1 = 0.999, t is up to 46,000.
  thread_local Product last;
  if (last.beta1 != o.beta1 || last.slowing != slowing || last.factors > t) last = {o.beta1, slowing};
  while (last.factors < t && last.all > kLeast) {
    ++last.factors;
    last.slowed *= slowing;
    last.all *= o.beta1 * (1 - 0.5 * last.slowed);
  }
  return last.all;
}

/// μ₁…μₜ up to this step, each with the momentum of its own step.
double product(const NAdam& o, double slowing, const StepTime& time) {
  const auto t = time.step + 1;
  if (!time.momentum) return product_of_one_beta1(o, slowing, t);
  double all = 1, slowed = 1;
  for (std::int64_t step = 0; step < t && all > kLeast; ++step) {  // some hundred factors for a momentum of 0.95
    slowed *= slowing;
    all *= (*time.momentum)(step) * (1 - 0.5 * slowed);
  }
  return all;
}

/// μ₁…μₜ₊₁, the last with this step's momentum, as in PyTorch.
double product_with_next(const NAdam& o, double slowing, const StepTime& time) {
  if (!time.momentum) return product_of_one_beta1(o, slowing, time.step + 2);
  return product(o, slowing, time) * momentum(time.momentum_or(o.beta1), slowing, time.step + 2);
}

double slowing(const NAdam& o) { return real_power(0.96, o.momentum_decay); }

double share_of_gradient(const Attributes& options, const StepTime& time) {
  const auto& o = options.as<NAdam>();
  const double slow = slowing(o);
  return (1 - momentum(time.momentum_or(o.beta1), slow, time.step + 1)) / (1 - product(o, slow, time));
}

double share_of_mean(const Attributes& options, const StepTime& time) {
  const auto& o = options.as<NAdam>();
  const double slow = slowing(o);
  return momentum(time.momentum_or(o.beta1), slow, time.step + 2) / (1 - product_with_next(o, slow, time));
}

void rule(const Attributes& options, ParameterUpdate& update) {
  const auto& o = options.as<NAdam>();
  const Value g = update.gradient(o.decoupled_weight_decay ? 0 : o.weight_decay);
  const Value m = update.average_by_momentum(kMean, g, o.beta1);
  const Value s = update.average(kMeanSquare, g * g, o.beta2);
  const Value root = update.scalar("adam.unbias_root", unbias_root<NAdam>) * sqrt(s) + update.number(o.epsilon);
  const Value ahead = update.scalar("nadam.share_of_gradient", share_of_gradient) * g +
                      update.scalar("nadam.share_of_mean", share_of_mean) * m;
  update.descend(update.lr(), update.decayed(ahead / root, o.decoupled_weight_decay ? o.weight_decay : 0));
}

}  // namespace

const OptimizerDefinition optimizer_nadam{
    .help = "Adam with Nesterov's momentum",
    .formula =
        "as adam, and w ← w − lr · ((1 − μₜ) / (1 − μ₁…μₜ) · g + μₜ₊₁ / (1 − μ₁…μₜ₊₁) · m) / (√ŝ + ε), "
        "μₜ = beta1 · (1 − ½ · 0.96^(t · momentum_decay))",
    .defaults = Attributes(NAdam{}),
    .rule = rule,
    .momentum = "beta1"};

}  // namespace chalk
