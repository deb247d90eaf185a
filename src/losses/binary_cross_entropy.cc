// L = −Σ (t·ln y + (1 − t)·ln(1 − y)), where 0·ln 0 = 0. Of y = σ(z), whatever reshapes are between, it is computed
// from z:
//   −t·ln σ(z) − (1 − t)·ln(1 − σ(z)) = t·ln(1 + e^−z) + (1 − t)·ln(1 + e^z) = ln(1 + e^z) − t·z
// which never rounds an output to 0 or 1. So its derivative, σ(z) − t, teaches however wrong an output is.
#include "chalkgrad/ops.h"
#include "src/losses/ending.h"
#include "src/losses/loss.h"

namespace chalk {
namespace {

/// x·ln y, and 0 where both are 0; so are then the derivatives, ln y and x/y. A y below 0 is NaN even where x is 0.
Value times_log(Value x, Value y) {
  const Value zero = y.graph().constant(0), one = y.graph().constant(1);
  return x * log(select(equal(x, zero) * equal(y, zero), one, y));
}

}  // namespace

Value binary_cross_entropy(Value y, Value target) {
  check_same_shape(y, target, "binary_cross_entropy");
  const Ending end = ending_of(y);
  if (end.kind == Ending::Kind::sigmoid) return sigmoid_cross_entropy(end.logits, target);
  const Value one = y.graph().constant(1);
  return neg(sum(times_log(target, y) + times_log(one - target, one - y)));
}

Value sigmoid_cross_entropy(Value logits, Value target) {
  check_same_shape(logits, target, "sigmoid_cross_entropy");
  return sum(softplus(logits) - target * logits);
}

const LossDefinition loss_binary_cross_entropy{
    .formula = "−Σ (t·ln y + (1 − t)·ln(1 − y))",
    .of_softmax = false,
    .build = binary_cross_entropy,
    .targets = Range::from_to(0, 1),
    .about_targets = "binary cross-entropy needs targets from 0 to 1; train with the loss squared-error",
    .outputs = {.least = 0, .most = 1, .without_least = true, .without_most = true},
    .about_outputs =
        "binary cross-entropy takes its logarithm and needs outputs between 0 and 1; end the network with sigmoid"};

}  // namespace chalk
