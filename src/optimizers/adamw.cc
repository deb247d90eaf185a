// Adam, but weight decay is no part of the gradient: w ← w − lr · (m̂ / (√ŝ + ε) + weight_decay · w). Loshchilov &
// Hutter 2019, as in PyTorch. In Keras, weight_decay is 0.004 and ε is added to √s, not to √ŝ; in Optax, weight_decay
// is 1e-4.
#include "src/optimizers/moments.h"

namespace chalk {

void AdamW::visit(FieldVisitor& v) {
  v.field({"lr", Range::above(0), "Learning rate"}, lr);
  v.field({"beta1", Range::from_below(0, 1), "How much of the mean gradient stays in a step"}, beta1);
  v.field({"beta2", Range::from_below(0, 1), "How much of the mean square stays in a step"}, beta2);
  v.field({"epsilon", Range::at_least(1e-30), "Is added to the root, so that it is not zero"}, epsilon);
  v.field({"weight_decay", Range::at_least(0), "Takes lr · X·w off each weight w, apart from the gradient"},
          weight_decay);
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
                                          .rule = rule};

}  // namespace chalk
