// m ← beta1 · m + (1 − beta1) · g,   s ← beta2 · s + (1 − beta2) · g²,   w ← w − lr · m̂ / (√ŝ + ε) with
// m̂ = m / (1 − beta1ᵗ), ŝ = s / (1 − beta2ᵗ); amsgrad: the largest s so far in place of s. Kingma & Ba 2015; Reddi,
// Kale & Kumar 2018; as in PyTorch and Optax. Keras adds ε before the correction of s: to √s, not to √ŝ.
#include "src/optimizers/moments.h"

namespace chalk {

void Adam::visit(FieldVisitor& v) {
  visit_lr(v, lr);
  visit_moments(v, beta1, beta2);
  v.field({"epsilon", Range::at_least(1e-30), "Is added to the root, so that it is not zero"}, epsilon);
  visit_weight_decay(v, weight_decay);
  v.field({"amsgrad", {}, "Divides by the root of the largest mean square so far"}, amsgrad);
}

namespace {

void rule(const Attributes& options, ParameterUpdate& update) {
  const auto& o = options.as<Adam>();
  const Value step = adam_step(update, update.gradient(o.weight_decay),
                               {o.beta1, o.beta2, o.epsilon, o.amsgrad, unbias_mean<Adam>, unbias_root<Adam>});
  update.descend(update.lr(), step);
}

}  // namespace

const OptimizerDefinition optimizer_adam{
    .help = "The mean gradient, divided by its root mean square",
    .formula =
        "m ← beta1 · m + (1 − beta1) · g, s ← beta2 · s + (1 − beta2) · g², w ← w − lr · m̂ / (√ŝ + ε), "
        "m̂ = m / (1 − beta1ᵗ), ŝ = s / (1 − beta2ᵗ)",
    .defaults = Attributes(Adam{}),
    .rule = rule,
    .momentum = "beta1"};

}  // namespace chalk
