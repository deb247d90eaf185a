// Binary cross-entropy of y = σ(z), from z: −Σ (v·t·ln σ(z) + (1 − t)·ln(1 − σ(z))).
#include "chalkgrad/ops.h"
#include "src/base/text.h"
#include "src/layers/layer.h"
#include "src/losses/ending.h"
#include "src/losses/loss.h"

namespace chalk {

void SigmoidCrossEntropy::visit(FieldVisitor& v) {
  v.field({"positive_weights", Range::above(0), "What a target of 1 counts against one of 0: a number for each output"},
          positive_weights);
}

// With −ln σ(z) = ln(1 + e^−z) = softplus(−z) and −ln(1 − σ(z)) = z + softplus(−z), v·t·softplus(−z) +
// (1 − t)·(z + softplus(−z)). Without weights this is softplus(z) − t·z.
Value sigmoid_cross_entropy(Value logits, Value target, const SigmoidCrossEntropy& options) {
  check_options(options);
  check_same_shape(logits, target, SigmoidCrossEntropy::kName);
  const auto& weights = options.positive_weights;
  if (weights.empty()) return sum(softplus(logits) - target * logits);
  Graph& g = logits.graph();
  const Shape& shape = logits.shape();
  if (weights.size() != 1 && std::ssize(weights) != elements(shape)) {
    fail_layer(g, SigmoidCrossEntropy::kName,
               str(weights.size(), " positive weights do not fit ", elements(shape),
                   " outputs; give one for each, or one for all"));
  }
  std::vector<double> less_one;
  for (const double weight : weights) less_one.push_back(weight - 1);
  const Value one = g.constant(1);
  const Value more = weights.size() == 1 ? g.constant(less_one[0]) : reshape(constant_vector(g, less_one), shape);
  return sum((one - target) * logits + (one + more * target) * softplus(neg(logits)));
}

const LossDefinition loss_sigmoid_cross_entropy{
    .formula = "−Σ (v·t·ln p + (1 − t)·ln(1 − p)), with p = 1 / (1 + e^−y) and positive_weights = v",
    .target = Target::numbers,
    .build =
        [](const Attributes& o, Value y, Value t) {
          const Ending end = ending_of(y);  // sigmoids that end the network are these
          const Value z = end.kind == Ending::Kind::sigmoid ? end.logits : y;
          return sigmoid_cross_entropy(z, t, o.as<SigmoidCrossEntropy>());
        },
    .defaults = [] { return Attributes(SigmoidCrossEntropy{}); },
    .targets = Range::from_to(0, 1),
    .about_targets = "sigmoid cross-entropy needs targets from 0 to 1; train with the loss squared-error"};

}  // namespace chalk
