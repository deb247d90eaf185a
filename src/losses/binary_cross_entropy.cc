// L = −Σ (t·ln y + (1 − t)·ln(1 − y)). Of y = σ(z) it is computed from z:
//   −t·ln σ(z) − (1 − t)·ln(1 − σ(z)) = t·ln(1 + e^−z) + (1 − t)·ln(1 + e^z) = ln(1 + e^z) − t·z
// which never rounds an output to 0 or 1.
#include "chalkgrad/ops.h"
#include "src/losses/loss.h"
#include "src/ops/registry.h"

namespace chalk {
namespace {

Value of_output(Value y, Value target) {
  const Node& last = y.graph().node(y.id());
  return last.op == &op_sigmoid ? sigmoid_cross_entropy(y.graph().value(last.inputs[0]), target)
                                : binary_cross_entropy(y, target);
}

}  // namespace

Value binary_cross_entropy(Value y, Value target) {
  check_same_shape(y, target, "binary_cross_entropy");
  const Value one = y.graph().constant(1);
  return neg(sum(target * log(y) + (one - target) * log(one - y)));
}

Value sigmoid_cross_entropy(Value logits, Value target) {
  check_same_shape(logits, target, "sigmoid_cross_entropy");
  return sum(softplus(logits) - target * logits);
}

const LossDefinition loss_binary_cross_entropy{
    .formula = "−Σ (t·ln y + (1 − t)·ln(1 − y))",
    .of_softmax = false,
    .build = of_output,
    .targets = Range::from_to(0, 1),
    .about_targets = "binary cross-entropy needs targets from 0 to 1; train with the loss squared-error",
    .outputs = {.least = 0, .most = 1, .without_least = true, .without_most = true},
    .about_outputs =
        "binary cross-entropy takes its logarithm and needs outputs between 0 and 1; end the network with sigmoid"};

}  // namespace chalk
