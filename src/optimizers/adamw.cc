// Adam, but weight decay is no part of the gradient: w ← w − lr · (m̂ / (√ŝ + ε) + weight_decay · w). Loshchilov &
// Hutter 2019, as in PyTorch. In Keras, weight_decay is 0.004 and ε is added to √s, not to √ŝ; in Optax, weight_decay
// is 1e-4.
#include "src/optimizers/moments.h"

namespace chalk {

void AdamW::visit(FieldVisitor& v) {
  visit_lr(v, lr);
  visit_moments(v, beta1, beta2);
  v.field({"epsilon", Range::at_least(1e-30), "Is added to the root, so that it is not zero"}, epsilon);
  visit_decoupled_weight_decay(v, weight_decay);
  v.field({"amsgrad", {}, "Divides by the root of the largest mean square so far"}, amsgrad);
}

namespace {

void rule(const Attributes& options, ParameterUpdate& update) {
  const auto& o = options.as<AdamW>();
  const Value step = adam_step(update, update.gradient(0),
                               {o.beta1, o.beta2, o.epsilon, o.amsgrad, unbias_mean<AdamW>, unbias_root<AdamW>});
  update.descend(update.lr(), update.decayed(step, o.weight_decay));
}

}  // namespace

const OptimizerDefinition optimizer_adamw{.help = "Adam with weight decay apart from the gradient",
                                          .formula = "as adam, and w ← w − lr · (m̂ / (√ŝ + ε) + weight_decay · w)",
                                          .defaults = Attributes(AdamW{}),
                                          .rule = rule,
                                          .momentum = "beta1"};

}  // namespace chalk
